//! One session: bytes between the client and the box, judged, and the end of either.
//!
//! Three threads read and write and otherwise sleep: client to server, server to client, and the
//! server's stderr. This one waits for whatever ends the session. Blocking threads, not async: a
//! byte goes through two system calls in each direction, and a reader that does not read stops its
//! writer and nothing else. In particular it never stops this thread, which never writes to anybody.

mod client_out;
mod clock;
mod relay;
mod to_server;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use brig_engine::native::{BoxEvent, Pipes, Running};
use brig_engine::signals::{self, Signals};
use brig_mcp::rule::Reason;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::note::Note;
use clock::{Clock, Step};

/// How long what the server wrote last may take to reach a client that has closed its own side.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of the server's stderr may take to be shown: many clients never read brig's.
const STDERR_PATIENCE: Duration = Duration::from_secs(1);

/// What the session tells while it runs, from any of its threads.
#[derive(Debug)]
pub enum Report<'a> {
    /// A message of the client was not passed on; it has been answered with an error where it asked.
    ClientRefused(&'a Reason),
    /// A message of the server was not passed on.
    ServerRefused(&'a Reason),
    /// The server wrote something else than a message to its stdout: its first bytes, made harmless.
    NotAMessage(&'a [u8]),
    /// So many lines of the server were not passed on by now; they are no longer told one by one.
    ManyRefused(u64),
    /// Lines of the server's stderr, marked and made harmless.
    Stderr(&'a [u8]),
    /// Something happened in a folder that the box may write to.
    Grant(&'a Note),
    /// The server did not end by itself after its client had left.
    Escalated(&'static str),
}

/// Who hears the reports.
pub type Reporter = std::sync::Arc<dyn Fn(Report<'_>) + Send + Sync>;

/// What crosses the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// MCP messages, judged.
    Mcp,
    /// Bytes.
    Raw,
}

/// The client's side.
#[derive(Debug)]
pub struct Client {
    /// Where its messages come from.
    pub input: OwnedFd,
    /// Where they go to.
    pub output: OwnedFd,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The server exited by itself.
    Exited(i32),
    /// A signal ended the server.
    Killed {
        /// Its number.
        signal: i32,
        /// Who sent it.
        by: Killer,
    },
    /// The server could not be started.
    NotStarted {
        /// What was tried.
        step: String,
        /// errno(3)
        errno: i32,
    },
    /// The box ended without a word.
    Gone,
}

/// Who ended a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killer {
    /// Itself, the kernel, or another process of the box.
    Box,
    /// brig, since the client had left.
    ClientLeft,
    /// Whoever sent brig a signal.
    Caller,
}

/// Runs the session to its end.
///
/// # Errors
/// When a thread cannot be started, or waiting fails.
pub fn run(
    running: &mut Running,
    pipes: Pipes,
    client: Client,
    (traffic, signals, reporter): (Traffic, &Signals, &Reporter),
) -> io::Result<Ending> {
    let (left, leaves) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let over = relay::start(pipes, client, leaves, (traffic, reporter))?;
    let ending = wait(running, &left, signals, reporter)?;
    running.kill(); // nothing in the box outlives the program, so every pipe reaches its end
    drain(&over, &left, signals, reporter);
    Ok(ending)
}

/// Waits until the program has ended, and makes it end when its client or caller is gone.
fn wait(running: &mut Running, left: &OwnedFd, signals: &Signals, reporter: &Reporter) -> io::Result<Ending> {
    let mut clock = Clock::default();
    let mut client_is_there = true;
    loop {
        let [control, init] = running.sources();
        let mut fds = vec![
            PollFd::from_borrowed_fd(control, PollFlags::IN),
            PollFd::from_borrowed_fd(init, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
        ];
        if client_is_there {
            fds.push(PollFd::new(left, PollFlags::IN));
        }
        match poll(&mut fds, clock.left(Instant::now()).map(timespec).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] || ready[1] {
            match running.event() {
                BoxEvent::Started => {}
                event => return Ok(ending(event, &clock)),
            }
        }
        if ready[2] {
            while let Some(number) = signals.next() {
                act(clock.asked_to_end(number, Instant::now()), running, reporter);
            }
        }
        if ready.get(3) == Some(&true) {
            client_is_there = false;
            clock.client_left(Instant::now());
        }
        act(clock.tick(Instant::now()), running, reporter);
    }
}

fn act(step: Step, running: &mut Running, reporter: &Reporter) {
    match step {
        Step::Wait => {}
        Step::Forward(number) => running.signal(number),
        Step::Terminate => {
            running.signal(signals::TERM);
            reporter(Report::Escalated("the server did not end with its client: sent TERM"));
        }
        Step::Kill => {
            running.kill();
            reporter(Report::Escalated("the server did not end when told to: sent KILL"));
        }
    }
}

fn ending(event: BoxEvent, clock: &Clock) -> Ending {
    match event {
        BoxEvent::Exited(code) => Ending::Exited(code),
        BoxEvent::Killed(signal) => Ending::Killed { signal, by: clock.killer() },
        BoxEvent::NotStarted { step, errno } => Ending::NotStarted { step, errno },
        BoxEvent::Gone if clock.has_killed() => Ending::Killed { signal: clock::KILL, by: clock.killer() },
        BoxEvent::Gone | BoxEvent::Started => Ending::Gone,
    }
}

/// Lets the threads pass on what the server wrote last. A client that is there may take its time;
/// one that has left has some, and a signal ends the wait. A thread that is still writing then is
/// left behind: brig ends, and it with it.
fn drain([output, errors]: &[OwnedFd; 2], left: &OwnedFd, signals: &Signals, reporter: &Reporter) {
    let mut deadline = None;
    loop {
        // `left` stays readable once the client has left.
        let mut fds = vec![PollFd::new(output, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        if deadline.is_none() {
            fds.push(PollFd::new(left, PollFlags::IN));
        }
        let patience = deadline.map(|end: Instant| timespec(end.saturating_duration_since(Instant::now())));
        let done = poll(&mut fds, patience.as_ref());
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        match done {
            Err(rustix::io::Errno::INTR) => {}
            Ok(1..) if ready[0] => break,
            Ok(1..) if !ready[1] => deadline = Some(Instant::now() + DRAIN_PATIENCE),
            _ => {
                reporter(Report::Escalated("nobody took what the server wrote last: it is lost"));
                return;
            }
        }
    }
    let _ = poll(&mut [PollFd::new(errors, PollFlags::IN)], Some(&timespec(STDERR_PATIENCE)));
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().cast_signed(), tv_nsec: duration.subsec_nanos().into() }
}

/// The two ends that a relay thread needs to tell that the client has left.
pub(crate) fn tell(leaves: &OwnedFd) {
    let _ = rustix::io::write(leaves.as_fd(), b"!");
}
