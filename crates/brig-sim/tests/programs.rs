//! The simulator as a process: what it does beside serving, and how it misbehaves.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const PING: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";

/// The example, which Cargo builds beside the tests.
fn sim() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples/sim");
    assert!(path.exists(), "build it first: cargo build -p brig-sim --example sim");
    path
}

struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(words: &[&str]) -> Self {
        let mut child = Command::new(sim()).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn misbehave(name: &str) -> Self {
        Self::start(&["misbehave", name])
    }

    fn say(&mut self, line: &[u8]) {
        self.input.as_mut().unwrap().write_all(line).unwrap();
    }

    fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.output.read_until(b'\n', &mut line).unwrap();
        line
    }

    fn ask(&mut self) -> String {
        self.say(PING);
        String::from_utf8(self.line()).unwrap()
    }

    /// How it ended within `limit`, or `None` when it is still there.
    fn ended(&mut self, limit: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > end {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn close(&mut self) -> Option<ExitStatus> {
        self.input = None;
        self.ended(Duration::from_secs(5))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

const PONG: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";

#[test]
fn the_good_server_ends_with_its_input() {
    let mut sim = Running::start(&[]);
    assert_eq!(sim.ask(), PONG);
    assert!(sim.close().unwrap().success());
}

#[test]
fn say_and_hold_do_what_they_say() {
    let mut say = Running::start(&["say", "a", "b"]);
    assert_eq!(say.line(), b"a b\n");
    let mut hold = Running::start(&["hold"]);
    assert_eq!(hold.line(), b"holding\n");
    assert!(hold.ended(Duration::from_millis(100)).is_none());
    assert!(hold.close().unwrap().success());
    for words in [&["dance"][..], &["misbehave", "politely"], &["hold", "long"]] {
        let status = Running::start(words).close().unwrap();
        assert!(!status.success(), "{words:?}");
    }
}

#[test]
fn every_behaviour_has_a_test_here() {
    let source = include_str!("programs.rs");
    for behaviour in brig_sim::BEHAVIOURS {
        let name = behaviour.name;
        assert!(source.contains(&format!("misbehave(\"{name}\")")), "{name}");
    }
    assert!(brig_sim::BEHAVIOURS.is_sorted_by_key(|behaviour| behaviour.name));
}

#[test]
fn deaf_servers_stay() {
    let mut sim = Running::misbehave("never_reads");
    assert!(sim.close_and_stays());
    let mut sim = Running::misbehave("deaf_to_term");
    assert_eq!(sim.ask(), PONG);
    let pid = sim.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(sim.close_and_stays());
    // The well-behaved one shows that the signal arrives at all.
    let mut good = Running::start(&[]);
    assert_eq!(good.ask(), PONG);
    let pid = good.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(good.ended(Duration::from_secs(5)).unwrap().signal(), Some(15));
}

impl Running {
    fn close_and_stays(&mut self) -> bool {
        self.input = None;
        self.ended(Duration::from_millis(300)).is_none()
    }
}

#[test]
fn silent_and_short_lived_servers() {
    let mut sim = Running::misbehave("never_answers");
    sim.say(PING);
    assert!(sim.close().unwrap().success());
    assert_eq!(sim.line(), b"");

    let mut sim = Running::misbehave("exits_with_code");
    assert_eq!(sim.ask(), PONG);
    assert_eq!(sim.ended(Duration::from_secs(5)).unwrap().code(), Some(7));

    let mut sim = Running::misbehave("dies_by_signal");
    assert_eq!(sim.ask(), PONG);
    assert_eq!(sim.ended(Duration::from_secs(5)).unwrap().signal(), Some(6));

    let mut sim = Running::misbehave("half_line");
    let half = sim.ask();
    assert!(!half.ends_with('\n') && PONG.starts_with(&half) && half.len() > 5);
}

#[test]
fn servers_that_write_what_they_should_not() {
    let mut sim = Running::misbehave("flood");
    for _ in 0..10_000 {
        assert_eq!(sim.line(), b"still here\n");
    }

    let mut sim = Running::misbehave("endless_line");
    let mut piece = vec![0; 8 * 1024 * 1024];
    sim.output.read_exact(&mut piece).unwrap();
    assert!(piece.starts_with(b"{\"jsonrpc\"") && !piece.contains(&b'\n'));

    let mut sim = Running::misbehave("deep");
    assert!(sim.ask().contains(&"[".repeat(100_000)));

    let mut sim = Running::misbehave("wrong_id");
    assert!(sim.ask().contains("\"nobody-asked\""));
    assert_eq!(sim.line(), PONG.as_bytes());

    let mut sim = Running::misbehave("chatty");
    assert_eq!(sim.ask(), "INFO \u{1b}[32mready\u{1b}[0m\n");
    assert_eq!(sim.line(), b"\n");
    assert_eq!(sim.line(), PONG.as_bytes());

    let mut sim = Running::misbehave("duplicate_keys");
    assert_eq!(sim.ask().matches("\"result\":").count(), 2);

    let mut sim = Running::misbehave("bad_utf8");
    sim.say(PING);
    let line = sim.line();
    assert!(std::str::from_utf8(&line).is_err());
    assert!(line.ends_with(b"\"id\":1,\"result\":{}}\n"));

    let mut sim = Running::misbehave("asks_client");
    assert!(sim.ask().contains("\"method\":\"sampling/createMessage\""));
    assert_eq!(sim.line(), PONG.as_bytes());
}

#[test]
fn a_slow_server_answers_what_waited() {
    let begun = Instant::now();
    let mut sim = Running::misbehave("slow_start");
    assert_eq!(sim.ask(), PONG);
    assert!(begun.elapsed() >= Duration::from_secs(3));
}

#[test]
fn a_huge_answer_is_valid_but_for_its_size() {
    let mut sim = Running::misbehave("huge");
    assert_eq!(sim.ask(), PONG);
    sim.say(
        br#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"message":"b"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    );
    sim.say(b"\n");
    let line = sim.line();
    assert!(line.len() > 100 * 1024 * 1024);
    let answer: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(answer["result"]["isError"], false);
}

#[test]
fn a_process_is_left_behind_that_holds_the_output() {
    let mut sim = Running::misbehave("grandchild");
    assert_eq!(sim.line(), b"holding\n");
    assert_eq!(sim.ask(), PONG);
    let children = format!("/proc/{0}/task/{0}/children", sim.child.id());
    let left: u32 = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    assert!(sim.close().unwrap().success());
    // Its output is still open: nothing more comes, and no end either.
    let mut output = sim.output.get_ref().try_clone_output();
    let reader = std::thread::spawn(move || output.read(&mut [0]).unwrap());
    std::thread::sleep(Duration::from_millis(200));
    assert!(!reader.is_finished());
    assert!(Command::new("kill").args(["-KILL", &left.to_string()]).status().unwrap().success());
    assert_eq!(reader.join().unwrap(), 0);
}

trait CloneOutput {
    fn try_clone_output(&self) -> std::fs::File;
}

impl CloneOutput for ChildStdout {
    fn try_clone_output(&self) -> std::fs::File {
        use std::os::fd::AsFd;
        self.as_fd().try_clone_to_owned().unwrap().into()
    }
}
