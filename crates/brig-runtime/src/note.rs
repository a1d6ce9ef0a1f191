//! What is worth telling before a program starts, while it runs, and after it has ended.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use brig_image::volume::VOLUME_BYTES;

use crate::environment::Change;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A variable was replaced, or is not there.
    Environment(Change),
    /// A package is fetched: it takes seconds, and happens once.
    Fetching {
        /// As it was spelt.
        package: String,
    },
    /// An image is pulled; told now and then, the last time with all of it done.
    Pulling {
        /// As it was spelt.
        image: String,
        /// Bytes that are here.
        done: u64,
        /// Bytes in all, as far as known.
        total: u64,
    },
    /// A volume is full, and the box was ended.
    VolumeFull {
        /// Which.
        name: String,
    },
    /// Files of a granted folder that the box does not see.
    Masked {
        /// The granted folder.
        source: PathBuf,
        /// The files, relative to it.
        paths: Vec<PathBuf>,
    },
    /// A grant whose protection is weaker than it could be.
    Weaker {
        /// The granted folder.
        source: PathBuf,
        /// In which way, and what would be better.
        how: &'static str,
    },
    /// A new file that the host would have run was taken away.
    Quarantined {
        /// Where it was.
        path: PathBuf,
        /// Why.
        why: &'static str,
        /// Where it is kept, unless it was a link; or why it is still there.
        kept: Result<Option<PathBuf>, String>,
    },
    /// A protected file is another one now.
    Replaced {
        /// Which.
        path: PathBuf,
    },
    /// A protected file was replaced by the host, so that the box sees it.
    Uncovered {
        /// Which.
        path: PathBuf,
    },
    /// A set-user-id or set-group-id file is new or changed.
    SetId {
        /// Which.
        path: PathBuf,
    },
    /// What a box wrote to a staged grant was applied.
    Applied {
        /// The granted folder.
        source: PathBuf,
        /// Files, folders and links written.
        written: usize,
        /// The same removed.
        removed: usize,
        /// What was not applied, relative to the folder.
        withheld: Vec<PathBuf>,
    },
    /// Something could not be done after a run.
    Failed {
        /// With what.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Note {
    pub(crate) fn failed(path: &Path, error: &dyn Error) -> Self {
        Self::Failed { path: path.to_owned(), why: error.to_string() }
    }
}

/// Names shown of a longer list.
const SHOWN: usize = 5;

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(Change::Replaced { name, kind }) => {
                write!(f, "{name} looks like a real credential ({kind}): the box gets a placeholder instead")
            }
            Self::Environment(Change::Unset { name }) => {
                write!(f, "{name} is not set here, so it is not set in the box")
            }
            Self::Fetching { package } => {
                write!(f, "fetching {package} into a box of its own; from then on it runs offline, until `brig pull`")
            }
            Self::Pulling { image, done, total } => {
                write!(f, "pulling {image}: {} of {} MiB", done >> 20, total.div_ceil(1 << 20))
            }
            Self::VolumeFull { name } => {
                write!(f, "the volume {name} holds more than {} MiB: ending the box", VOLUME_BYTES >> 20)
            }
            Self::Masked { source, paths } => write!(
                f,
                "in {} the box does not see {}; to show one, grant it by name: -v FILE:FILE",
                source.display(),
                list(paths)
            ),
            Self::Weaker { source, how } => write!(f, "{}: {how}", source.display()),
            Self::Quarantined { path, why, kept } => match kept {
                Ok(Some(kept)) => write!(f, "{} is new and {why}: moved to {}", path.display(), kept.display()),
                Ok(None) => write!(f, "{} is new and {why}: removed", path.display()),
                Err(error) => write!(f, "{} is new and {why}, and is still there: {error}", path.display()),
            },
            Self::Replaced { path } => {
                write!(f, "{} was protected and is another file now: look at it before you use it", path.display())
            }
            Self::Uncovered { path } => {
                write!(f, "{} was replaced here, so the box sees the new one from now on", path.display())
            }
            Self::SetId { path } => write!(f, "{} has a set-id bit that is new: chmod ug-s it", path.display()),
            Self::Applied { source, written, removed, withheld } => {
                write!(f, "{}: {written} written, {removed} removed", source.display())?;
                if !withheld.is_empty() {
                    write!(f, "; not applied: {}", list(withheld))?;
                }
                Ok(())
            }
            Self::Failed { path, why } => write!(f, "{}: {why}", path.display()),
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().take(SHOWN).map(|path| path.display().to_string()).collect();
    match paths.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}
