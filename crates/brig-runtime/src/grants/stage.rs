//! Staged grants: the box writes into a layer of brig's own, and what passes the filter is applied
//! to the real folder when the box has ended.
//!
//! A [`Stage`] is an empty upper folder for overlayfs. The box's user owns all that appears there,
//! so [`apply`] takes every entry for hostile: it never follows a link, enters no mount, makes no
//! device, and replaces files one by one by rename.

mod apply;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use brig_engine::launch::{Identity, What};
use brig_policy::mount::Access;
use rustix::fs::OFlags;

use super::judge::Granted;
use super::{copy, open};

pub(super) use apply::leads_out;
pub use apply::{Applied, MAX_LISTED, Withheld, WithheldWhy, apply};

/// The folders that take a staged grant's writes.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
    upper: PathBuf,
    work: PathBuf,
    upper_fd: OwnedFd,
}

/// A staged grant could not be prepared, applied or removed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The grant was not asked for as staged.
    #[error("{} was not granted as staged", .path.display())]
    NotStaged {
        /// The grant's source.
        path: PathBuf,
    },
    /// A folder for the writes could not be made.
    #[error("the folder {} cannot be made", .path.display())]
    Make {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The writes cannot be read back.
    #[error("what the box wrote cannot be read at {}", .path.display())]
    Read {
        /// Relative to the grant.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The box wrote more than is applied at once.
    #[error("the box wrote more than {} files and folders", super::tree::MAX_ENTRIES)]
    TooMany,
    /// The box wrote into folders deeper than is applied.
    #[error("the box made {}, which lies more than {} folders deep", .path.display(), super::tree::MAX_DEPTH)]
    TooDeep {
        /// Relative to the grant.
        path: PathBuf,
    },
    /// The folders could not be removed.
    #[error("{} cannot be removed", .path.display())]
    Remove {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl StageError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotStaged { path } => format!("-v {0}:{0}:rw,staged", path.display()),
            Self::Make { path, .. } => {
                format!("look at the permissions and room at {}", path.display())
            }
            Self::Read { .. } | Self::TooMany | Self::TooDeep { .. } => {
                "nothing more is applied; what was written is kept and can be copied by hand".into()
            }
            Self::Remove { path, .. } => format!("rm -rf {}", path.display()),
        })
    }
}

impl Stage {
    /// Makes the folders for a staged grant in `room`, a private folder of this run. `owner` is
    /// whom the box's user is outside, when that is not the caller (as root).
    ///
    /// # Errors
    /// [`StageError::NotStaged`], [`StageError::Make`].
    pub fn make(granted: &Granted, room: &Path, owner: Option<Identity>) -> Result<Self, StageError> {
        let source = &granted.bind().source;
        if granted.access() != Access::Staged {
            let path = source.clone();
            return Err(StageError::NotStaged { path });
        }
        let id = granted.bind().expect;
        let folder = room.join(format!("staged-{:x}-{:x}", id.dev, id.ino));
        let (upper, work) = (folder.join("upper"), folder.join("work"));
        // The merged folder shows the upper one's permissions, so they are the real folder's.
        let mode = open::facts(&granted.fd).map_or(0o700, |facts| facts.mode & 0o777);
        for (path, mode) in [(&folder, 0o700), (&upper, mode), (&work, 0o700)] {
            make_folder(path, mode, owner).map_err(|source| StageError::Make { path: path.clone(), source })?;
        }
        let upper_fd = std::fs::canonicalize(&upper)
            .and_then(|real| Ok(open::real(&real, OFlags::RDONLY | OFlags::DIRECTORY)?))
            .map_err(|source| StageError::Make { path: upper.clone(), source })?;
        Ok(Self { folder, upper, work, upper_fd })
    }

    /// The order for the engine. `inside` of the lower bind holds for the merged folder: an
    /// overlay does not show what is mounted on its lower folder.
    #[must_use]
    pub fn what(&self, granted: &Granted) -> What {
        What::Overlay { lower: granted.bind().clone(), upper: self.upper.clone(), work: self.work.clone() }
    }

    /// Removes the folders with all that is still in them.
    ///
    /// # Errors
    /// [`StageError::Remove`].
    pub fn remove(self) -> Result<(), StageError> {
        let name = self.folder.file_name().unwrap_or_default();
        let room = self.folder.parent().unwrap_or(&self.folder);
        std::fs::canonicalize(room)
            .and_then(|room| Ok(open::real(&room, OFlags::RDONLY | OFlags::DIRECTORY)?))
            .and_then(|room| copy::remove(std::os::fd::AsFd::as_fd(&room), name))
            .map_err(|source| StageError::Remove { path: self.folder.clone(), source })
    }
}

/// How long the processes of a killed run may take to be gone, and to stop writing.
const CLEAR_PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two tries.
const CLEAR_PAUSE: Duration = Duration::from_millis(10);

/// Removes a run's room with all that is in it, whatever permissions the box gave it. One that is
/// not there is no error.
///
/// # Errors
/// When it is still there.
pub fn clear(room: &Path) -> io::Result<()> {
    let start = Instant::now();
    let name = room.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        let parent = match room.parent().map(std::fs::canonicalize) {
            Some(Ok(parent)) => parent,
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(()),
        };
        let removed = open::real(&parent, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(io::Error::from)
            .and_then(|parent| copy::remove(std::os::fd::AsFd::as_fd(&parent), name));
        match removed {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !room.exists() => return Ok(()),
            Err(error) if start.elapsed() > CLEAR_PATIENCE => return Err(error),
            Err(_) => std::thread::sleep(CLEAR_PAUSE),
        }
    }
}

fn make_folder(path: &Path, mode: u32, owner: Option<Identity>) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    std::fs::DirBuilder::new().mode(0o700).create(path)?;
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
