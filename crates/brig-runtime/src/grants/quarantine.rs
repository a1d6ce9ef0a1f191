//! Where files go that a box made and the host must not run: out of the grant, closed to all.
//!
//! What is taken loses its permissions, so that neither a shell nor Git nor an editor that happens
//! to look there obeys it; `chmod u+rwX` opens it again for whoever wants to read it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::open;

/// How many items one quarantine folder takes; a box that makes more is up to no good, and the
/// rest stays where it is, reported as such.
pub const MAX_ITEMS: u32 = 10_000;

/// A folder of brig's own for files that were taken out of grants.
#[derive(Debug)]
pub struct Quarantine {
    folder: OwnedFd,
    path: PathBuf,
    next: u32,
}

/// A file could not be taken out of a grant.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The quarantine folder cannot be opened.
    #[error("the quarantine folder {} cannot be opened", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The quarantine folder is not private.
    #[error("the quarantine folder {} can be written by others", .path.display())]
    NotPrivate {
        /// The folder.
        path: PathBuf,
    },
    /// There are [`MAX_ITEMS`] items already.
    #[error("the quarantine folder {} is full", .path.display())]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be moved.
    #[error("{} cannot be moved out of the grant", .name.display())]
    Move {
        /// Its name.
        name: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl QuarantineError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Folder { path, .. } => format!("make it: mkdir -m 700 {}", path.display()),
            Self::NotPrivate { path } => format!("chmod 700 {}", path.display()),
            Self::Full { path } => format!("look through {} and empty it", path.display()),
            Self::Move { .. } => "look at the file and remove it by hand before using the folder".into(),
        })
    }
}

impl Quarantine {
    /// Opens the folder, which must exist and be closed to others.
    ///
    /// # Errors
    /// [`QuarantineError::Folder`], [`QuarantineError::NotPrivate`].
    pub fn open(path: &Path) -> Result<Self, QuarantineError> {
        let failed = |source: io::Error| QuarantineError::Folder { path: path.to_path_buf(), source };
        let real = std::fs::canonicalize(path).map_err(failed)?;
        let folder = open::real(&real, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|errno| failed(errno.into()))?;
        let facts = open::facts(&folder).map_err(|errno| failed(errno.into()))?;
        if facts.mode & 0o022 != 0 {
            return Err(QuarantineError::NotPrivate { path: real });
        }
        Ok(Self { folder, path: real, next: 1 })
    }

    /// Takes one entry of a folder. Files and folders are kept, closed, under a number, and the
    /// answer is where; links, sockets, FIFOs and devices are only removed.
    ///
    /// # Errors
    /// [`QuarantineError::Full`], [`QuarantineError::Move`].
    pub fn take(&mut self, folder: BorrowedFd<'_>, name: &OsStr) -> Result<Option<PathBuf>, QuarantineError> {
        let failed = |source: io::Error| QuarantineError::Move { name: name.into(), source };
        let kind = open::facts_at(folder, name).map_err(|errno| failed(errno.into()))?.kind;
        if !matches!(kind, FileType::RegularFile | FileType::Directory) {
            rustix::fs::unlinkat(folder, name, AtFlags::empty()).map_err(|errno| failed(errno.into()))?;
            return Ok(None);
        }
        let stored = self.move_in(folder, name, kind)?;
        open::set_mode(self.folder.as_fd(), Path::new(&stored), 0).map_err(failed)?;
        Ok(Some(self.path.join(stored)))
    }

    /// Moves a file or folder to the next free number.
    fn move_in(&mut self, folder: BorrowedFd<'_>, name: &OsStr, kind: FileType) -> Result<String, QuarantineError> {
        let failed = |source: io::Error| QuarantineError::Move { name: name.into(), source };
        if kind == FileType::Directory {
            // A folder that its owner may not write cannot be moved to another parent.
            open::set_mode(folder, Path::new(name), 0o700).map_err(failed)?;
        }
        while self.next <= MAX_ITEMS {
            let stored = format!("{:05}", self.next);
            self.next += 1;
            let flags = RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(folder, name, &self.folder, &stored, flags) {
                Ok(()) => return Ok(stored),
                Err(Errno::EXIST) => {}
                Err(Errno::XDEV) => {
                    super::copy::tree(folder, name, self.folder.as_fd(), OsStr::new(&stored))
                        .and_then(|()| super::copy::remove(folder, name))
                        .map_err(failed)?;
                    return Ok(stored);
                }
                Err(errno) => return Err(failed(errno.into())),
            }
        }
        let path = self.path.clone();
        Err(QuarantineError::Full { path })
    }
}

/// The bits that new private files and folders get.
pub(super) fn private() -> Mode {
    Mode::RWXU
}
