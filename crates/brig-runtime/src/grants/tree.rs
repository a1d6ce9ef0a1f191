//! Walks a granted folder, within limits, entering neither links nor other mounts.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FileType, RawDir};
use rustix::io::Errno;

use super::open;

/// The most entries of one grant: a large monorepo with its dependencies has some hundred
/// thousand, and each costs about a microsecond.
pub const MAX_ENTRIES: usize = 2_000_000;
/// The deepest folder of one grant: real trees stay below 50; a path has at most 4096 bytes.
pub const MAX_DEPTH: usize = 256;
/// The longest that one walk may take: a client gives up on a server before that.
pub const MAX_TIME: Duration = Duration::from_secs(20);
/// How many bytes of names are fetched at a time; one call does for most folders.
const BUFFER: usize = 32 * 1024;

/// A folder that cannot be walked to its end.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// More than [`MAX_ENTRIES`].
    #[error("it holds more than {MAX_ENTRIES} files and folders, too many to look for secrets in")]
    TooMany,
    /// Deeper than [`MAX_DEPTH`].
    #[error("{} lies more than {MAX_DEPTH} folders deep, too deep to look for secrets in", .path.display())]
    TooDeep {
        /// Relative to the grant.
        path: PathBuf,
    },
    /// Longer than [`MAX_TIME`].
    #[error("looking for secrets in it took longer than {} s", MAX_TIME.as_secs())]
    TooSlow,
    /// A folder or file could not be looked at.
    #[error("{} cannot be looked at", .path.display())]
    Look {
        /// Relative to the grant.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl WalkError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Look { .. } => "look at the folder's permissions, or grant a part of it".into(),
            _ => "grant a smaller folder inside it".into(),
        })
    }
}

/// One entry of a folder.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: OsString,
    pub(super) kind: FileType,
}

/// A folder on the way, with what the visitor knew when it sent the walk there.
#[derive(Debug)]
pub(super) struct Folder<S> {
    /// Relative to the root; empty is the root itself.
    pub(super) path: PathBuf,
    pub(super) state: S,
}

/// What is in a folder, or why it cannot be read.
pub(super) type Listing = Result<(OwnedFd, Vec<Entry>), Errno>;

/// Calls `visit` with every folder, parents first; it answers with the folders to enter next.
/// A folder that cannot be opened is visited as well: whoever walks decides what that means.
pub(super) fn walk<S, E: From<WalkError>>(
    root: BorrowedFd<'_>,
    state: S,
    mut visit: impl FnMut(&Folder<S>, Listing) -> Result<Vec<(OsString, S)>, E>,
) -> Result<usize, E> {
    let start = Instant::now();
    let mut entries = 0;
    let path = PathBuf::new();
    let mut stack = vec![(0, Folder { path, state })];
    while let Some((depth, folder)) = stack.pop() {
        if start.elapsed() > MAX_TIME {
            return Err(WalkError::TooSlow.into());
        }
        let listing = match open::folder(root, &folder.path) {
            Ok(fd) => match list(&fd, MAX_ENTRIES - entries) {
                Ok(found) => Ok((fd, found)),
                Err(Errno::OVERFLOW) => return Err(WalkError::TooMany.into()),
                Err(errno) => Err(errno),
            },
            Err(errno) => Err(errno),
        };
        entries += listing.as_ref().map_or(0, |(_, found)| found.len());
        let next = visit(&folder, listing)?;
        if depth == MAX_DEPTH && !next.is_empty() {
            let path = folder.path;
            return Err(WalkError::TooDeep { path }.into());
        }
        for (name, state) in next {
            let path = folder.path.join(name);
            stack.push((depth + 1, Folder { path, state }));
        }
    }
    Ok(entries)
}

/// Lists a folder; more than `limit` entries are `EOVERFLOW`.
pub(super) fn list(fd: &OwnedFd, limit: usize) -> Result<Vec<Entry>, Errno> {
    let mut buffer = [MaybeUninit::uninit(); BUFFER];
    let mut reader = RawDir::new(fd, &mut buffer);
    let mut entries = Vec::new();
    while let Some(entry) = reader.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if entries.len() == limit {
            return Err(Errno::OVERFLOW);
        }
        let name = OsStr::from_bytes(name).to_os_string();
        let kind = entry.file_type();
        entries.push(Entry { name, kind });
    }
    // Some file systems leave the type out.
    for entry in &mut entries {
        if entry.kind == FileType::Unknown {
            use std::os::fd::AsFd as _;
            entry.kind = open::facts_at(fd.as_fd(), &entry.name)?.kind;
        }
    }
    Ok(entries)
}

/// The last component of a folder's path, which some tables ask for.
pub(super) fn own_name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}

/// Whether Git would take a folder with these entries for a repository.
pub(super) fn is_git_dir(entries: &[Entry]) -> bool {
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    brig_policy::protect::is_git_dir(has("HEAD"), has("objects"), has("refs"))
}
