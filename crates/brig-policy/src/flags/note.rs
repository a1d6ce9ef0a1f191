//! What is worth telling the user about flags that were accepted.

use std::fmt;

use super::flag::Flag;

/// One thing to tell. Printing it is the caller's; [`Note::level`] says when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A flag changed nothing.
    Harmless {
        /// Which.
        flag: &'static Flag,
        /// Why nothing had to change.
        because: &'static str,
    },
    /// An option of a mount changed nothing.
    HarmlessOption {
        /// Which, such as `z`.
        option: String,
        /// Why nothing had to change.
        because: &'static str,
    },
    /// An option of a mount asked for something that a box does not do.
    NotKept {
        /// Which, such as `nocopy`.
        option: String,
        /// What happens instead.
        because: &'static str,
    },
    /// A mount without a mode is read-only, where Docker's would be writable.
    ReadOnlyByDefault {
        /// The host path.
        source: String,
        /// Where it appears.
        target: String,
    },
    /// An anonymous volume is memory, gone when the box ends.
    AnonymousIsMemory {
        /// Where it appears.
        target: String,
    },
    /// The user asked for is mapped to the box's one user.
    UserMapped {
        /// As it was spelt.
        asked: String,
    },
}

/// When a [`Note`] is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only to those who ask for more (`--verbose`).
    Verbose,
    /// Always: the user may be waiting for something that will not happen.
    Always,
}

impl Note {
    /// When it is told.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Harmless { .. } | Self::HarmlessOption { .. } => Level::Verbose,
            Self::NotKept { .. }
            | Self::ReadOnlyByDefault { .. }
            | Self::AnonymousIsMemory { .. }
            | Self::UserMapped { .. } => Level::Always,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Harmless { flag, because } => {
                write!(f, "--{} changes nothing: {because}", flag.long)
            }
            Self::HarmlessOption { option, because } => {
                write!(f, "mount option {option} changes nothing: {because}")
            }
            Self::NotKept { option, because } => {
                write!(f, "mount option {option} is not kept: {because}")
            }
            Self::ReadOnlyByDefault { source, target } => write!(
                f,
                "{} is read-only in the box; to let the server write: -v {source}:{target}:rw",
                super::problem::shown(source)
            ),
            Self::AnonymousIsMemory { target } => {
                write!(f, "{target} is memory and gone when the box ends; to keep it: -v NAME:{target}")
            }
            Self::UserMapped { asked } => {
                write!(f, "user {} is the box's one user, which outside is you", super::problem::shown(asked))
            }
        }
    }
}
