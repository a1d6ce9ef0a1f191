//! The signals that ask brig to end, as something to poll.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys;

/// The signals that are forwarded to the program: a terminal's Ctrl-C and hang-up, and a client's
/// request to end.
const ASKING_TO_END: &[libc::c_int] = &[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// TERM, as the number that [`crate::native::Running::signal`] takes.
pub const TERM: i32 = libc::SIGTERM;

/// Signals that wait to be read.
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Blocks the signals for this thread and all that it starts later, so that they are read here
    /// instead of ending the process. Call it before the first thread.
    ///
    /// # Errors
    /// When the kernel gives no descriptor.
    pub fn watch() -> io::Result<Self> {
        sys::signals_as_fd(ASKING_TO_END).map(Self)
    }

    /// The next signal's number, if one waits. Never blocks.
    #[must_use]
    pub fn next(&self) -> Option<i32> {
        // struct signalfd_siginfo is 128 bytes and starts with the number (signalfd(2)).
        let mut info = [0_u8; 128];
        match rustix::io::read(&self.0, &mut info) {
            Ok(128) => i32::try_from(u32::from_ne_bytes([info[0], info[1], info[2], info[3]])).ok(),
            _ => None,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A signal's name, for the line that tells how a server ended.
#[must_use]
pub fn name(number: i32) -> &'static str {
    const NAMES: &[(i32, &str)] = &[
        (libc::SIGHUP, "HUP"),
        (libc::SIGINT, "INT"),
        (libc::SIGQUIT, "QUIT"),
        (libc::SIGILL, "ILL"),
        (libc::SIGABRT, "ABRT"),
        (libc::SIGBUS, "BUS"),
        (libc::SIGFPE, "FPE"),
        (libc::SIGKILL, "KILL"),
        (libc::SIGSEGV, "SEGV"),
        (libc::SIGPIPE, "PIPE"),
        (libc::SIGTERM, "TERM"),
        (libc::SIGSYS, "SYS"),
        (libc::SIGXFSZ, "XFSZ"),
    ];
    NAMES.iter().find(|(one, _)| *one == number).map_or("a signal", |(_, name)| name)
}
