//! The three threads that carry a session's bytes.
//!
//! What is judged was read once into brig's memory, and that very copy is forwarded (box rule 10).

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use brig_engine::native::Pipes;
use brig_mcp::frame::{FrameError, Framer, Line};
use brig_mcp::judge::{Judge, Refusal, Verdict};
use brig_mcp::rule::Rule;
use brig_mcp::stderr::Cleaner;

use super::client_out::{ClientOut, read_some, write_all};
use super::{Client, Report, Reporter, Traffic, tell};

/// Bytes read at once of raw traffic and stderr: a full pipe.
const PIECE: usize = 64 * 1024;
/// A relay thread keeps its buffers on the heap; what is left needs little. The default of 2 MiB
/// would only be address space, but fifty sessions count it.
const STACK: usize = 256 * 1024;
/// How much of a line that is no message is shown.
const SHOWN: usize = 200;
/// What stands before each line of the server's stderr.
const MARK: &str = "server: ";

/// Starts the threads. Returns the two that end when the box does; the third waits for the client
/// and ends with the process.
pub(super) fn start(
    pipes: Pipes,
    client: Client,
    leaves: OwnedFd,
    (traffic, reporter): (Traffic, &Reporter),
) -> io::Result<[JoinHandle<()>; 2]> {
    let Pipes { stdin, stdout, stderr } = pipes;
    let output = Arc::new(ClientOut::new(client.output));
    let (judges, input) = (Judge::pair(), client.input);
    let (from_client, from_server) = judges;

    let there = Arc::clone(reporter);
    let back = Arc::clone(&output);
    thread("client", move || {
        match traffic {
            Traffic::Mcp => client_to_server(&input, stdin, &back, (from_client, &there)),
            Traffic::Raw => copy(&input, &stdin),
        }
        tell(&leaves);
    })?;
    let there = Arc::clone(reporter);
    let forth = thread("server", move || match traffic {
        Traffic::Mcp => server_to_client(&stdout, &output, (from_server, &there)),
        Traffic::Raw => copy_out(&stdout, &output),
    })?;
    let there = Arc::clone(reporter);
    let errors = thread("stderr", move || pass_stderr(&stderr, traffic, &there))?;
    Ok([forth, errors])
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work)
}

/// Until the client closes its side. A server that no longer reads does not end this: the client
/// may still be waiting for answers, and its end must be noticed.
fn client_to_server(input: &OwnedFd, server: OwnedFd, back: &ClientOut, (judge, report): (Judge, &Reporter)) {
    let mut server = Some(server);
    each_line(input, judge, |line, verdict| match verdict {
        Verdict::Forward => {
            if server.as_ref().is_some_and(|server| write_all(server, line).is_err()) {
                server = None;
            }
            true
        }
        Verdict::Refuse(refusal) => {
            report(Report::ClientRefused(&refusal.reason));
            let told = back.write(&refusal.reply).is_ok();
            let passed = server.as_ref().is_none_or(|server| write_all(server, &refusal.instead).is_ok());
            told && passed
        }
    });
}

/// Until the server closes its stdout, or the client no longer reads.
fn server_to_client(stdout: &OwnedFd, client: &ClientOut, (judge, report): (Judge, &Reporter)) {
    each_line(stdout, judge, |line, verdict| match verdict {
        Verdict::Forward => client.write(line).is_ok(),
        Verdict::Refuse(refusal) => {
            tell_server_refused(line, &refusal, report);
            client.write(&refusal.instead).is_ok()
        }
    });
}

fn tell_server_refused(line: &[u8], refusal: &Refusal, report: &Reporter) {
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

fn copy(from: &OwnedFd, to: &OwnedFd) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = read_some(from, &mut piece) {
        if write_all(to, &piece[..count]).is_err() {
            // Nobody reads any more; the end of the input is still what ends the session.
            while let Ok(1..) = read_some(from, &mut piece) {}
            return;
        }
    }
}

fn copy_out(from: &OwnedFd, to: &ClientOut) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = read_some(from, &mut piece) {
        if to.write(&piece[..count]).is_err() {
            return;
        }
    }
}
