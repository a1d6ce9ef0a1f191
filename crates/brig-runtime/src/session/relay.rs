//! The three threads that carry a session's bytes.
//!
//! What is judged was read once into brig's memory, and that very copy is forwarded (box rule 10).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::Builder;

use brig_engine::native::Pipes;
use brig_mcp::frame::{FrameError, Framer, Line};
use brig_mcp::judge::{Judge, Refusal, Verdict};
use brig_mcp::rule::Rule;
use brig_mcp::stderr::Cleaner;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use super::client_out::{ClientOut, read_some};
use super::to_server::ToServer;
use super::{Client, Report, Reporter, Traffic, tell};

/// Bytes read at once of raw traffic and stderr: a full pipe.
const PIECE: usize = 64 * 1024;
/// A relay thread keeps its buffers on the heap; what is left needs little. The default of 2 MiB
/// would only be address space, but fifty sessions count it.
const STACK: usize = 256 * 1024;
/// How much of a line that is no message is shown.
const SHOWN: usize = 200;
/// How many lines of a server that were not passed on are told one by one. A server in a loop writes
/// millions; after these, each doubling of their number is told.
const TOLD: u64 = 100;
/// What stands before each line of the server's stderr.
const MARK: &str = "server: ";

/// Starts the threads. Returns what hangs up when the server's output, and its stderr, were passed on
/// to their ends. The third thread waits for the client and ends with the process.
pub(super) fn start(
    pipes: Pipes,
    client: Client,
    leaves: OwnedFd,
    (traffic, reporter): (Traffic, &Reporter),
) -> io::Result<[OwnedFd; 2]> {
    let Pipes { stdin, stdout, stderr } = pipes;
    let output = Arc::new(ClientOut::new(client.output));
    let leaves = Arc::new(leaves);
    let (from_client, from_server) = Judge::pair();

    let (input, report) = (client.input, Arc::clone(reporter));
    let (back, gone) = (Arc::clone(&output), Arc::clone(&leaves));
    thread("client", move || match traffic {
        Traffic::Mcp => {
            client_to_server(&input, ToServer::new(stdin, input.as_fd(), &gone), &back, (from_client, &report));
            tell(&gone);
        }
        Traffic::Raw => {
            copy(&input, ToServer::new(stdin, back.as_fd(), &gone));
            wait_for_hang_up(&*back);
            tell(&gone);
        }
    })?;

    let report = Arc::clone(reporter);
    let (output_over, ends) = pipe_with(PipeFlags::CLOEXEC)?;
    thread("server", move || {
        match traffic {
            Traffic::Mcp => server_to_client(&stdout, &output, (from_server, &report), &leaves),
            Traffic::Raw => copy_out(&stdout, &output),
        }
        drop(ends);
    })?;

    let report = Arc::clone(reporter);
    let (errors_over, ends) = pipe_with(PipeFlags::CLOEXEC)?;
    thread("stderr", move || {
        pass_stderr(&stderr, traffic, &report);
        drop(ends);
    })?;
    Ok([output_over, errors_over])
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work).map(drop)
}

/// Until the client closes its side. A server that no longer reads does not end this: the client
/// may still be waiting for answers, and its end must be noticed.
fn client_to_server(input: &OwnedFd, mut server: ToServer<'_>, back: &ClientOut, (judge, report): (Judge, &Reporter)) {
    each_line(input, judge, |line, verdict| match verdict {
        Verdict::Forward => {
            server.write(line);
            true
        }
        Verdict::Refuse(refusal) => {
            report(Report::ClientRefused(&refusal.reason));
            server.write(&refusal.instead);
            back.write(&refusal.reply).is_ok()
        }
    });
}

/// Until the server closes its stdout, or the client no longer reads, and so has left.
fn server_to_client(stdout: &OwnedFd, client: &ClientOut, (judge, report): (Judge, &Reporter), leaves: &OwnedFd) {
    let write = |lines: &[u8]| {
        let written = client.write(lines).is_ok();
        if !written {
            tell(leaves);
        }
        written
    };
    let mut refused = 0;
    each_line(stdout, judge, |line, verdict| match verdict {
        Verdict::Forward => write(line),
        Verdict::Refuse(refusal) => {
            refused += 1;
            tell_server_refused(line, &refusal, refused, report);
            write(&refusal.instead)
        }
    });
}

fn tell_server_refused(line: &[u8], refusal: &Refusal, count: u64, report: &Reporter) {
    if count > TOLD {
        if count.is_power_of_two() {
            report(Report::ManyRefused(count));
        }
        return;
    }
    let looks_like_one = line.first() == Some(&b'{') || line.first() == Some(&b'[');
    if refusal.reason.rule == Rule::NotJson && !looks_like_one {
        let mut shown = Vec::new();
        Cleaner::clean("", &line[..line.len().min(SHOWN)], &mut shown);
        report(Report::NotAMessage(&shown));
    } else {
        report(Report::ServerRefused(&refusal.reason));
    }
}

/// Reads, cuts, judges. Ends with the stream, or when `take` says that nobody takes lines any more.
fn each_line(from: &OwnedFd, mut judge: Judge, mut take: impl FnMut(&[u8], Verdict) -> bool) {
    let mut framer = Framer::new();
    loop {
        match read_some(from, framer.space()) {
            Ok(count) if count > 0 => framer.filled(count),
            _ => break,
        }
        loop {
            let goes_on = match framer.next() {
                Ok(None) => break,
                Ok(Some(line)) => one(&mut judge, line, &mut take),
                Err(error) => too_long(&mut judge, &error, &mut take),
            };
            if !goes_on {
                return;
            }
        }
    }
    match framer.finish() {
        Ok(Some(line)) => drop(one(&mut judge, line, &mut take)),
        Ok(None) => {}
        Err(error) => drop(too_long(&mut judge, &error, &mut take)),
    }
}

fn one(judge: &mut Judge, line: Line<'_>, take: &mut impl FnMut(&[u8], Verdict) -> bool) -> bool {
    let verdict = judge.judge(line);
    take(line.bytes(), verdict)
}

fn too_long(judge: &mut Judge, error: &FrameError, take: &mut impl FnMut(&[u8], Verdict) -> bool) -> bool {
    let verdict = judge.judge_overlong(error);
    take(&[], verdict)
}

fn pass_stderr(stderr: &OwnedFd, traffic: Traffic, report: &Reporter) {
    let mut cleaner = Cleaner::new(if traffic == Traffic::Raw { "" } else { MARK });
    let (mut piece, mut lines) = (vec![0; PIECE], Vec::new());
    while let Ok(count @ 1..) = read_some(stderr, &mut piece) {
        cleaner.push(&piece[..count], &mut lines);
        if !lines.is_empty() {
            report(Report::Stderr(&lines));
            lines.clear();
        }
    }
    cleaner.finish(&mut lines);
    if !lines.is_empty() {
        report(Report::Stderr(&lines));
    }
}

/// Until the client's input ends, which for bytes means nothing but that: `</dev/null` has one too.
fn copy(from: &OwnedFd, mut to: ToServer<'_>) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = read_some(from, &mut piece) {
        to.write(&piece[..count]);
    }
}

/// Until nobody can read what is written here any more. For ever where that cannot be told, as of a
/// file.
fn wait_for_hang_up(output: &impl AsFd) {
    let mut fds = [PollFd::new(output, PollFlags::empty())];
    while poll(&mut fds, None) == Err(rustix::io::Errno::INTR) {}
}

fn copy_out(from: &OwnedFd, to: &ClientOut) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = read_some(from, &mut piece) {
        if to.write(&piece[..count]).is_err() {
            return;
        }
    }
}
