//! A client that starts a server's command, greets it, and measures.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::process;

/// Longer than any contender takes; then it is killed, and the benchmark says which one hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// What no longer fits into a pipe with certainty.
const LARGE: usize = 1 << 15;

const GREETING: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const THANKS: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A running server that was greeted.
pub(super) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
    _watchdog: Sender<()>,
    /// From just before the start to the first answer.
    pub(super) first_answer: Duration,
}

/// A server that was started and not greeted yet.
pub(super) struct Started {
    client: Client,
    start: Instant,
    /// For the error that it does not answer.
    shown: String,
}

impl Started {
    /// Starts the command. A contender may die with the thread that started it, so this is called
    /// from one that stays.
    pub(super) fn spawn(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot start {}", process::shown(command)))?;
        let watchdog = watch(child.id());
        let input = child.stdin.take();
        let output = BufReader::with_capacity(1 << 16, child.stdout.take().context("a piped stdout is there")?);
        let client = Client { child, input, output, line: Vec::new(), _watchdog: watchdog, first_answer: PATIENCE };
        Ok(Self { client, start, shown: process::shown(command) })
    }

    /// Waits for the answer to `initialize`.
    pub(super) fn greet(mut self) -> Result<Client> {
        let client = &mut self.client;
        let answered = client.send(GREETING.as_bytes()).and_then(|()| client.receive());
        answered.with_context(|| format!("no first answer; run it by hand to see why: {}", self.shown))?;
        client.first_answer = self.start.elapsed();
        client.send(THANKS.as_bytes())?;
        Ok(self.client)
    }
}

impl Client {
    /// Starts the command and waits for the answer to `initialize`.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        Started::spawn(command)?.greet()
    }

    /// Sends one message and waits for one; the time between. The message has no line end.
    pub(super) fn round_trip(&mut self, message: &[u8]) -> Result<Duration> {
        let start = Instant::now();
        let mut input = self.input.take().context("the server's input is open")?;
        if message.len() < LARGE {
            send_line(&mut input, message)?;
            self.receive()?;
        } else {
            // It comes back while it is still being sent.
            std::thread::scope(|scope| {
                let sender = scope.spawn(|| send_line(&mut input, message));
                self.receive()?;
                sender.join().map_err(|_| anyhow!("the sender panicked"))?
            })?;
        }
        self.input = Some(input);
        Ok(start.elapsed())
    }

    /// The last answer, without its line end.
    pub(super) fn answer(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or(&self.line)
    }

    /// The process that was started.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    fn send(&mut self, message: &[u8]) -> Result<()> {
        send_line(self.input.as_mut().context("the server's input is open")?, message)
    }

    fn receive(&mut self) -> Result<()> {
        self.line.clear();
        if self.output.read_until(b'\n', &mut self.line)? == 0 {
            bail!("the server closed its output");
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.input.take(); // the end of its input is how a server is told to go
        self.child.wait().ok();
    }
}

fn send_line(input: &mut ChildStdin, message: &[u8]) -> Result<()> {
    if message.len() < LARGE {
        let mut line = Vec::with_capacity(message.len() + 1);
        line.extend_from_slice(message);
        line.push(b'\n');
        input.write_all(&line).context("cannot send")
    } else {
        input.write_all(message).and_then(|()| input.write_all(b"\n")).context("cannot send")
    }
}

/// Kills a process that outlives our patience. Dropping the sender calls it off.
fn watch(id: u32) -> Sender<()> {
    let (sender, called_off) = channel::<()>();
    std::thread::spawn(move || {
        if called_off.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            process::succeeds(Command::new("kill").args(["-KILL", &id.to_string()]));
        }
    });
    sender
}

/// A call of the tool `echo` with these arguments, which are JSON.
pub(super) fn call(id: usize, arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{arguments}}}}}"#)
}
