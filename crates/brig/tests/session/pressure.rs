//! Sides that do not read, floods, large messages: no deadlock, bounded memory, every byte.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::boxed::{HANG, INITIALIZE, Place, Talk, everyone};

/// What brig may hold while one side does not read: pipes, buffers and its own code.
const HELD: u64 = 64 * 1024;
const NOTE: &[u8] = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":{\"t\":\"0123456789012345678901234567890123456789\"}}\n";

/// The most memory that a process ever held, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Writes until nobody takes any more for a second; says how much was taken.
fn flood(to: &OwnedFd) -> usize {
    let (mut taken, mut last) = (0, Instant::now());
    rustix::fs::fcntl_setfl(to, rustix::fs::OFlags::NONBLOCK).unwrap();
    let lines = NOTE.repeat(64);
    let mut at = 0;
    while last.elapsed() < Duration::from_secs(1) {
        match rustix::io::write(to, &lines[at..]) {
            Ok(count) => {
                (taken, last) = (taken + count, Instant::now());
                at = (at + count) % lines.len();
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    taken
}

fn start(place: &Place, words: &[&str], output: Stdio) -> (std::process::Child, OwnedFd) {
    let (from, to) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut command: Command = place.command(words);
    let child = command.stdin(from).stdout(output).stderr(Stdio::null()).spawn().unwrap();
    (child, to)
}

fn ends(child: &mut std::process::Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if start.elapsed() > HANG {
            child.kill().unwrap();
            panic!("brig hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_client_that_floods_and_leaves_ends_a_server_that_never_reads() {
    for place in everyone() {
        let (mut child, to) =
            start(&place, &["run", "--", "{brig}", "__sim", "misbehave", "never_reads"], Stdio::null());
        let taken = flood(&to);
        assert!(taken < 1024 * 1024, "brig took {taken} bytes that nobody reads");
        assert!(peak(child.id()) < HELD, "{} KiB", peak(child.id()));
        drop(to); // brig cannot read this end: what came before it is still waiting
        assert_eq!(ends(&mut child), Some(143));
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn neither_side_reading_is_no_deadlock_and_takes_no_memory() {
    for place in everyone() {
        // Notifications flood out, nobody reads them; others flood in, nobody reads those.
        let server = "yes '{\"jsonrpc\":\"2.0\",\"method\":\"notifications/y\"}'";
        let (unread, output) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (mut child, to) = start(&place, &["run", "--", "sh", "-c", server], output.into());
        let taken = flood(&to);
        assert!(taken < 1024 * 1024 && peak(child.id()) < HELD, "{taken} bytes, {} KiB", peak(child.id()));
        // A refused message needs the lock that the blocked writer holds; leaving must end it all the same.
        let _ = rustix::io::write(&to, b"nonsense\n");
        drop(to);
        drop(unread);
        assert!(ends(&mut child).is_some());

        // The same without anybody leaving: TERM ends it at once, also while the output is stuck.
        let (_unread, output) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (mut child, _to) = start(&place, &["run", "--", "sh", "-c", server], output.into());
        std::thread::sleep(Duration::from_millis(500));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        assert_eq!(ends(&mut child), Some(143));
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    for place in everyone() {
        let (late, output) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let server =
            "for i in $(seq 20000); do echo \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"method\\\":\\\"n/$i\\\"}\"; done";
        let (mut child, to) = start(&place, &["run", "--", "sh", "-c", server], output.into());
        std::thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "it must wait for its client");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::fs::File::from(late), &mut text).unwrap();
        assert_eq!(ends(&mut child), Some(0));
        assert_eq!(text.lines().count(), 20000);
        assert!(text.ends_with("\"n/20000\"}\n"));
        drop(to);
    }
}

#[test]
fn a_large_message_goes_through_both_ways() {
    for place in everyone() {
        let mut talk = place.sim(&[]);
        talk.ask(INITIALIZE);
        let text = "0123456789abcdef".repeat(1024 * 1024);
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"{text}"}}}}}}"#
        );
        let answer = talk.ask(&call);
        assert!(answer.contains(&text), "{} bytes", answer.len());
        assert_eq!(talk.leave().status, 0);
    }
}

#[test]
fn a_stderr_that_nobody_reads_holds_nothing_up() {
    for place in everyone() {
        for server in [
            // The server's own, and brig's words about what the server wrote.
            "yes error >&2 & exec {brig} __sim",
            "{ echo nonsense; head -c 300000 /dev/zero | tr '\\0' 'e'; echo; } >&2 & exec {brig} __sim misbehave wrong_id",
        ] {
            let (_unread, errors) = pipe_with(PipeFlags::CLOEXEC).unwrap();
            let server = server.replace("{brig}", "\"$1\"");
            let brig = place.brig().to_str().unwrap().to_owned();
            let mount = format!("{brig}:{brig}");
            let mut command = place.command(&["run", "-v", &mount, "--", "sh", "-c", &server, "sh", &brig]);
            let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
            let mut child = child.spawn().unwrap();
            let mut input = child.stdin.take().unwrap();
            std::thread::sleep(Duration::from_secs(1));
            writeln!(input, "{INITIALIZE}").unwrap();
            let mut line = String::new();
            let output = child.stdout.take().unwrap();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
            assert!(line.contains("\"result\""), "{line}");
            drop(input);
            assert!(ends(&mut child).is_some());
            assert_eq!(place.leftovers(), [""; 0]);
        }
    }
}

#[test]
fn twenty_boxes_at_once_all_answer() {
    for place in everyone() {
        let mut talks: Vec<Talk> = (0..20).map(|_| place.sim(&[])).collect();
        for talk in &mut talks {
            talk.say(INITIALIZE);
        }
        for talk in &talks {
            assert!(talk.line().contains("\"result\""));
        }
        for talk in talks {
            assert_eq!(talk.leave().status, 0);
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}
