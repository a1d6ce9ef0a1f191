//! The client's side to write to: whole lines, from two threads.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};

/// The client's output. A line is written whole before another one starts.
#[derive(Debug)]
pub(super) struct ClientOut {
    output: OwnedFd,
    turn: Mutex<()>,
}

impl ClientOut {
    pub(super) fn new(output: OwnedFd) -> Self {
        Self { output, turn: Mutex::new(()) }
    }

    /// Writes lines, waiting for the client as long as it takes.
    pub(super) fn write(&self, lines: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        write_all(&self.output, lines)
    }
}

/// To be polled; not to be written to.
impl AsFd for ClientOut {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

/// Writes everything, also to a descriptor that some other process made non-blocking.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) => wait_or_fail(error, to, PollFlags::OUT)?,
        }
    }
    Ok(())
}

/// Reads what there is, waiting for the first byte; 0 at the end.
pub(super) fn read_some(from: &impl AsFd, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::io::read(from, &mut *space) {
            Ok(count) => return Ok(count),
            Err(error) => wait_or_fail(error, from, PollFlags::IN)?,
        }
    }
}

fn wait_or_fail(error: rustix::io::Errno, fd: &impl AsFd, until: PollFlags) -> io::Result<()> {
    match error {
        rustix::io::Errno::INTR => Ok(()),
        rustix::io::Errno::AGAIN => {
            let _ = poll(&mut [PollFd::new(fd, until)], None);
            Ok(())
        }
        error => Err(error.into()),
    }
}
