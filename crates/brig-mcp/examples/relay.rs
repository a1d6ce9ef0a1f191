//! Runs an MCP server behind the two judges, on plain pipes and without a box: to try real clients
//! against real servers by hand, and to show how the parts are meant to be used.
//!
//! `cargo run -p brig-mcp --example relay -- npx -y @modelcontextprotocol/server-everything`
//!
//! What is refused is said on stderr, the server's own stderr is shown cleaned, and a last line
//! counts what went each way.
#![allow(clippy::print_stderr, clippy::expect_used, reason = "a program for people")]

use std::io::{self, Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use brig_mcp::Sender;
use brig_mcp::frame::{FrameError, Framer, Line};
use brig_mcp::judge::{Judge, Refusal, Verdict};
use brig_mcp::stderr::Cleaner;

/// Where the lines for one side go: from its peer, and from the judge of its own direction.
type Door = Arc<Mutex<dyn Write + Send>>;

fn main() {
    let mut argv = std::env::args().skip(1);
    let program = argv.next().expect("usage: relay COMMAND ARGS…");
    let mut child = Command::new(program)
        .args(argv)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let server_in = Arc::new(Mutex::new(child.stdin.take()));
    let to_server: Door = Arc::new(Mutex::new(Closable(Arc::clone(&server_in))));
    let to_client: Door = Arc::new(Mutex::new(io::stdout()));
    let (from_client, from_server) = Judge::pair();

    let (back, onward) = (Arc::clone(&to_client), Arc::clone(&to_server));
    // Not joined: it may wait for a client that has nothing more to say.
    thread::spawn(move || {
        Direction { judge: from_client, back, onward, passed: 0, refused: 0 }.carry(io::stdin());
        server_in.lock().expect("no panic").take();
    });
    let mut complaints = child.stderr.take().expect("piped");
    let cleaning = thread::spawn(move || {
        let (mut cleaner, mut room) = (Cleaner::new("server: "), [0; 4096]);
        while let Ok(read @ 1..) = complaints.read(&mut room) {
            let mut out = Vec::new();
            cleaner.push(&room[..read], &mut out);
            eprint!("{}", String::from_utf8_lossy(&out));
        }
    });
    let stdout = child.stdout.take().expect("piped");
    Direction { judge: from_server, back: to_server, onward: to_client, passed: 0, refused: 0 }.carry(stdout);
    cleaning.join().expect("no panic");
    let status = child.wait().expect("waited for");
    eprintln!("relay: the server ended with {status}");
}

/// A server's stdin that the other thread may close.
struct Closable(Arc<Mutex<Option<ChildStdin>>>);

impl Write for Closable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").as_mut().map_or(Ok(bytes.len()), |stdin| stdin.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One way.
struct Direction {
    judge: Judge,
    back: Door,
    onward: Door,
    passed: u64,
    refused: u64,
}

impl Direction {
    fn carry(mut self, mut from: impl Read) {
        let mut framer = Framer::new();
        while let Ok(read @ 1..) = from.read(framer.space()) {
            framer.filled(read);
            loop {
                match framer.next() {
                    Ok(Some(line)) => self.pass(line),
                    Ok(None) => break,
                    Err(error) => self.overlong(&error),
                }
            }
        }
        match framer.finish() {
            Ok(Some(line)) => self.pass(line),
            Ok(None) => {}
            Err(error) => self.overlong(&error),
        }
        eprintln!("relay: {:?}: {} passed, {} refused", self.judge.sender(), self.passed, self.refused);
    }

    fn pass(&mut self, line: Line<'_>) {
        match self.judge.judge(line) {
            Verdict::Forward => {
                self.passed += 1;
                write(&self.onward, line.bytes());
            }
            Verdict::Refuse(refusal) => {
                if self.judge.sender() == Sender::Server {
                    let mut shown = Vec::new();
                    Cleaner::clean("refused: ", line.text(), &mut shown);
                    eprint!("{}", String::from_utf8_lossy(&shown));
                }
                self.refuse(&refusal);
            }
        }
    }

    fn overlong(&mut self, error: &FrameError) {
        eprintln!("relay: {error}");
        if let Verdict::Refuse(refusal) = self.judge.judge_overlong(error) {
            self.refuse(&refusal);
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.refused += 1;
        eprintln!("relay: from the {:?}: {}", self.judge.sender(), refusal.reason);
        write(&self.back, &refusal.reply);
        write(&self.onward, &refusal.instead);
    }
}

fn write(door: &Door, bytes: &[u8]) {
    let mut door = door.lock().expect("no panic");
    // A side that went away is noticed by its own reader.
    let _ = door.write_all(bytes).and_then(|()| door.flush());
}
