//! Reads an overlay's upper folder (kernel documentation, `filesystems/overlayfs`): whiteouts,
//! opaque folders, and the features that brig does not use.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags};

use super::super::super::open::{self, Facts};

/// Where overlayfs keeps its marks: `user.` in a user namespace, `trusted.` else.
const SPACES: [&str; 2] = ["user.overlay.", "trusted.overlay."];

/// What is special about an entry of the upper folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    /// The name was removed.
    Whiteout,
    /// A feature that brig never switches on, so someone else made the mark.
    Unused(&'static str),
}

/// Opens a folder that the box's user owns, and that may be closed even to its owner.
pub(super) fn folder(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    match open::folder(root, path) {
        Err(rustix::io::Errno::ACCESS) => {
            open::set_mode(root, path, 0o700)?;
            Ok(open::folder(root, path)?)
        }
        other => Ok(other?),
    }
}

/// Opens a file of the box's user in the same way.
pub(super) fn file(root: BorrowedFd<'_>, path: &Path) -> io::Result<File> {
    match open::file(root, path) {
        Err(rustix::io::Errno::ACCESS) => {
            open::set_mode(root, path, 0o600)?;
            Ok(open::file(root, path)?)
        }
        other => Ok(other?),
    }
}

/// Whether a folder replaces the one below it.
pub(super) fn is_opaque(fd: &OwnedFd) -> bool {
    mark(fd, "opaque").is_some_and(|value| value == b"y")
}

pub(super) fn oddity(folder: &OwnedFd, name: &OsStr, facts: &Facts) -> Option<Oddity> {
    if facts.whiteout() {
        return Some(Oddity::Whiteout);
    }
    if !matches!(facts.kind, FileType::RegularFile | FileType::Directory) {
        return None;
    }
    // Marks are read through the path of the descriptor, so that no permission is needed.
    let fd = open::below(folder.as_fd(), Path::new(name), OFlags::PATH).ok()?;
    if mark(&fd, "whiteout").is_some() && facts.size == 0 {
        return Some(Oddity::Whiteout);
    }
    if mark(&fd, "redirect").is_some() {
        return Some(Oddity::Unused("redirected folders"));
    }
    if mark(&fd, "metacopy").is_some() {
        return Some(Oddity::Unused("files without content"));
    }
    None
}

/// The value of one of overlayfs' marks; only the first bytes matter.
fn mark(fd: &OwnedFd, name: &str) -> Option<Vec<u8>> {
    let path = open::by_descriptor(fd);
    SPACES.iter().find_map(|space| {
        let mut value = [0_u8; 256];
        let name = format!("{space}{name}");
        match rustix::fs::getxattr(&path, name.as_str(), value.as_mut_slice()) {
            Ok(length) => Some(value.get(..length).unwrap_or_default().to_vec()),
            // A longer value is a mark as well.
            Err(rustix::io::Errno::RANGE) => Some(Vec::new()),
            Err(_) => None,
        }
    })
}
