//! The server's side to write to: it may never read, and its client may leave meanwhile.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;

use super::clock::PATIENCE;
use super::{tell, timespec};

/// The server's stdin. Writing waits for the server as long as its client is there.
#[derive(Debug)]
pub(super) struct ToServer<'a> {
    /// `None` once the server has closed its side: what follows is for nobody.
    stdin: Option<OwnedFd>,
    /// Hangs up when the client has left.
    client: BorrowedFd<'a>,
    /// Who is told that it has.
    leaves: &'a OwnedFd,
    told: bool,
}

impl<'a> ToServer<'a> {
    pub(super) fn new(stdin: OwnedFd, client: BorrowedFd<'a>, leaves: &'a OwnedFd) -> Self {
        // A flag of brig's own end; the box's ends are other files. Where it cannot be set, writing
        // waits all the same, and only the client's leaving goes unnoticed.
        let _ = fcntl_setfl(&stdin, OFlags::NONBLOCK);
        Self { stdin: Some(stdin), client, leaves, told: false }
    }

    /// Writes everything, unless the server has closed its side.
    pub(super) fn write(&mut self, mut bytes: &[u8]) {
        while let (Some(stdin), false) = (&self.stdin, bytes.is_empty()) {
            match rustix::io::write(stdin, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.told = wait(stdin, self.client, self.leaves, self.told),
                Err(_) => self.stdin = None,
            }
        }
    }
}

/// Waits until the server reads. A client that leaves while its bytes wait cannot be read to its
/// end, so its leaving is told from here, after the server had its time to read on.
fn wait(stdin: &OwnedFd, client: BorrowedFd<'_>, leaves: &OwnedFd, told: bool) -> bool {
    let room = || PollFd::new(stdin, PollFlags::OUT);
    if told {
        let _ = poll(&mut [room()], None);
        return true;
    }
    let mut fds = [room(), PollFd::from_borrowed_fd(client, PollFlags::RDHUP)];
    let _ = poll(&mut fds, None);
    if !fds[0].revents().is_empty() || poll(&mut [room()], Some(&timespec(PATIENCE))) != Ok(0) {
        return false;
    }
    tell(leaves);
    true
}
