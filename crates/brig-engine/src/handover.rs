//! What brig and the box say to each other over their one socket, and the descriptors they pass.
//!
//! The socket is a SOCK_SEQPACKET pair, so a message is a packet: no framing, no partial reads. The
//! host side treats what comes from the box as hostile: bounded, parsed strictly, surplus
//! descriptors closed.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::launch::Launch;
use crate::walls::Exception;

/// Bytes of one message: an error text with paths; the order itself travels as a memory file.
pub(crate) const MESSAGE_LIMIT: usize = 64 * 1024;
/// Descriptors of one message, and so doors of one box (the kernel takes 253).
pub(crate) const DESCRIPTORS_LIMIT: usize = 64;
/// Bytes of an order: ten thousand treated paths of 200 bytes fit.
pub(crate) const ORDER_LIMIT: u64 = 4 * 1024 * 1024;

/// The order that the helper starts from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// What to build.
    pub(crate) launch: Launch,
    /// The caller's soft limit on open files.
    pub(crate) open_files: u64,
    /// Whether a cgroup limits memory and processes; else the box limits itself, less well.
    pub(crate) grouped: Grouped,
    /// Walls to leave out, in test builds alone.
    #[cfg(feature = "breach")]
    pub(crate) breach: Vec<String>,
}

/// Which limits a cgroup already sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grouped {
    /// memory.max or its older form.
    pub(crate) memory: bool,
    /// pids.max
    pub(crate) processes: bool,
}

impl Order {
    /// Whether a wall is to be left out: never, but for the tests that show what each wall does.
    #[cfg(feature = "breach")]
    pub(crate) fn leaves_out(&self, wall: &crate::walls::Wall) -> bool {
        self.breach.iter().any(|id| id == wall.id)
    }

    /// Whether a wall is to be left out: never.
    #[cfg(not(feature = "breach"))]
    #[allow(clippy::unused_self, reason = "the same call in test builds looks at the order")]
    pub(crate) const fn leaves_out(&self, _: &crate::walls::Wall) -> bool {
        false
    }
}

/// From brig to the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum ToBox {
    /// The attached memory file holds an [`Order`].
    Order,
    /// Start the program with the three attached pipe ends as stdin, stdout and stderr.
    Go,
    /// Send the program this signal.
    Signal(i32),
    /// End everything now.
    Kill,
}

/// From the box to brig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum FromBox {
    /// Init has been started; its number as brig sees it.
    Born(i32),
    /// The walls stand, but for these exceptions. The doors are attached, in the order's order.
    Ready(Vec<Exception>),
    /// The program runs.
    Started,
    /// The program could not be started.
    NotStarted(Broken),
    /// A wall could not be raised; the box has ended.
    Failed(Broken),
    /// The program exited.
    Exited(i32),
    /// A signal ended the program.
    Killed(i32),
}

/// A step that failed, and the kernel's reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Broken {
    /// What was being done, with the value it was done to.
    pub(crate) step: String,
    /// The error number; 0 when it was not the kernel's.
    pub(crate) errno: i32,
}

impl Broken {
    pub(crate) fn new(step: impl Into<String>, error: &io::Error) -> Self {
        let step = step.into();
        match error.raw_os_error() {
            Some(errno) => Self { step, errno },
            None => Self { step: format!("{step}: {error}"), errno: 0 },
        }
    }
}

/// Adds what was being done to a failed system call.
pub(crate) trait Step<T> {
    fn step(self, what: impl FnOnce() -> String) -> Result<T, Broken>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, what: impl FnOnce() -> String) -> Result<T, Broken> {
        self.map_err(|error| Broken::new(what(), &error.into()))
    }
}

/// Why a message could not be sent or understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandoverError {
    #[error("the box's socket failed")]
    Socket(#[from] io::Error),
    #[error("the box's socket was closed")]
    Closed,
    #[error("a message of the box was cut short")]
    Truncated,
    #[error("a message of the box makes no sense")]
    Nonsense(#[from] serde_json::Error),
}

/// Sends one message with descriptors.
pub(crate) fn send<M: Serialize>(socket: &impl AsFd, message: &M, fds: &[BorrowedFd<'_>]) -> Result<(), HandoverError> {
    let bytes = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_LIMIT))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL).map_err(io::Error::from)?;
    Ok(())
}

/// Receives one message and the descriptors that came with it. Blocks, unless the socket does not.
pub(crate) fn receive<M: DeserializeOwned>(socket: &impl AsFd) -> Result<(M, Vec<OwnedFd>), HandoverError> {
    let mut bytes = vec![0; MESSAGE_LIMIT];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_LIMIT))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            done => break done.map_err(io::Error::from)?,
        }
    };
    // Collected first, so that they are closed whatever else is wrong.
    let fds: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    if received.bytes == 0 {
        return Err(HandoverError::Closed);
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(HandoverError::Truncated);
    }
    let message = serde_json::from_slice(&bytes[..received.bytes])?;
    Ok((message, fds))
}

/// What the host does with bytes from a box, for the fuzzer: it must not panic, and what it
/// understands it says again in the same words.
#[doc(hidden)]
pub fn fuzz_handover(bytes: &[u8]) {
    if bytes.len() > MESSAGE_LIMIT {
        return;
    }
    if let Ok(message) = serde_json::from_slice::<FromBox>(bytes) {
        let again = serde_json::to_vec(&message).map(|bytes| serde_json::from_slice::<FromBox>(&bytes));
        assert!(matches!(again, Ok(Ok(same)) if same == message));
        if let FromBox::Ready(exceptions) = message {
            crate::walls::standings(&exceptions);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn a_message_arrives_with_its_descriptors() {
        let (ours, theirs) = pair();
        send(&ours, &ToBox::Go, &[ours.as_fd(), theirs.as_fd()]).unwrap();
        let (message, fds) = receive::<ToBox>(&theirs).unwrap();
        assert_eq!((message, fds.len()), (ToBox::Go, 2));
    }

    #[test]
    fn what_makes_no_sense_is_an_error_and_its_descriptors_are_closed() {
        let (ours, theirs) = pair();
        let (read, write) = rustix::pipe::pipe().unwrap();
        send(&theirs, &"pwned", &[write.as_fd()]).unwrap();
        drop(write);
        assert!(matches!(receive::<FromBox>(&ours), Err(HandoverError::Nonsense(_))));
        assert_eq!(rustix::io::read(&read, &mut [0; 1]).unwrap(), 0, "the last writer is gone");
    }

    #[test]
    fn a_closed_socket_is_told_from_an_empty_message() {
        let (ours, theirs) = pair();
        drop(theirs);
        assert!(matches!(receive::<FromBox>(&ours), Err(HandoverError::Closed)));
    }

    #[test]
    fn a_message_past_the_limit_is_refused() {
        let (ours, theirs) = pair();
        let long = "x".repeat(MESSAGE_LIMIT + 1);
        send(&theirs, &long, &[]).unwrap();
        assert!(matches!(receive::<FromBox>(&ours), Err(HandoverError::Truncated)));
    }
}
