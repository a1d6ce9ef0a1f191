//! Everything that can keep a box from running, in the order in which it is met.

use std::io;
use std::path::PathBuf;

use brig_engine::native::StartError;
use brig_engine::walls::Standing;
use brig_image::ObtainError;
use brig_image::manifest::ManifestError;
use brig_image::reference::ReferenceError;
use brig_image::store::StoreError;
use brig_image::tree::TreeError;
use brig_image::volume::{VOLUME_BYTES, VolumeError};
use brig_policy::flags::EnvFileError;

use crate::grants::arguments::{HereError, Ungranted};
use crate::grants::stage::StageError;
use crate::grants::{GrantError, SurveyError};
use crate::packages::{AskError, PackageError};
use crate::plan::PlanError;
use crate::programs::{PlaceError, ProgramError};
use crate::runs;

/// The command line is wrong.
const STATUS_USAGE: u8 = 2;
/// Refused by policy.
const STATUS_REFUSED: u8 = 77;
/// brig failed.
const STATUS_FAILED: u8 = 125;

/// Why a box does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program was not found, or cannot be boxed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A file that the program needs cannot be shown.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The words of a package runner are not served.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The package cannot be had.
    #[error(transparent)]
    Package(#[from] Box<PackageError>),
    /// What must never be granted could not be established.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// A mount was refused.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// `--here` was refused.
    #[error(transparent)]
    Here(#[from] HereError),
    /// A staged grant could not be prepared.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A folder of brig's own could not be made.
    #[error("cannot make {}", path.display())]
    Room {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Arguments name files that the box will not see.
    #[error("{}", join(.0))]
    Ungranted(Vec<Ungranted>),
    /// A file of variables cannot be read.
    #[error("cannot read --env-file {path}")]
    EnvFileRead {
        /// As it was spelt.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file of variables has a line of another form.
    #[error("--env-file {path}: {source}")]
    EnvFile {
        /// As it was spelt.
        path: String,
        /// Which line, and why.
        source: EnvFileError,
    },
    /// The image's name makes no sense.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// `--platform` makes no sense, or the image's index does not.
    #[error(transparent)]
    Platform(#[from] ManifestError),
    /// The image cannot be had.
    #[error(transparent)]
    Obtain(#[from] ObtainError),
    /// The image store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The image is not what it says.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Nothing says what to run.
    #[error("the image {0} names no command")]
    NoCommand(String),
    /// A volume cannot be used.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// A volume is too full to start with.
    #[error("the volume {0} holds more than {limit} MiB", limit = VOLUME_BYTES >> 20)]
    VolumeFull(String),
    /// A mount has no place.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The run could not be recorded.
    #[error(transparent)]
    Record(#[from] runs::RunError),
    /// The box could not be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// `--strict`, and not every wall is enforced.
    #[error("--strict: {}", shortfall(.0))]
    Strict(Vec<Standing>),
    /// The session could not be served.
    #[error("cannot serve the session")]
    Session(#[source] io::Error),
}

impl RunError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Program(error) => error.hint(),
            Self::Place(error) => error.hint(),
            Self::Ask(error) => error.hint(),
            Self::Package(error) => error.hint(),
            Self::Survey(error) => error.hint(),
            Self::Grant(error) => error.hint(),
            Self::Here(error) => error.hint(),
            Self::Stage(error) => error.hint(),
            Self::Ungranted(all) => {
                let hints: Vec<String> = all.iter().filter_map(Ungranted::hint).collect();
                Some(hints.join("\n"))
            }
            Self::Plan(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Start(error) => error.hint(),
            Self::Strict(_) => Some("`brig doctor` shows what would raise them; or leave --strict out".to_owned()),
            Self::Room { path, .. } => Some(format!("is {} yours, and is the disk full?", path.display())),
            Self::EnvFile { source, .. } => source.hint(),
            Self::EnvFileRead { path, .. } => Some(format!("look at it: ls -l {path}")),
            Self::Reference(error) => error.hint(),
            Self::Platform(error) => error.hint(),
            Self::Obtain(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Tree(error) => error.hint(),
            Self::NoCommand(image) => Some(format!("name it: brig run {image} PROGRAM ARGS")),
            Self::Volume(error) => error.hint(),
            Self::VolumeFull(name) => Some(format!("brig volume rm {name}, or use another volume")),
            Self::Session(_) => None,
        }
    }

    /// brig's exit status, as the README lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Program(error) => error.exit_status(),
            Self::Reference(_)
            | Self::Platform(_)
            | Self::NoCommand(_)
            | Self::Ask(_)
            | Self::Plan(_)
            | Self::Ungranted(_)
            | Self::EnvFile { .. }
            | Self::EnvFileRead { .. } => STATUS_USAGE,
            Self::Strict(_) | Self::Here(_) => STATUS_REFUSED,
            Self::Grant(error) => grant_status(error),
            _ => STATUS_FAILED,
        }
    }
}

impl From<PackageError> for RunError {
    fn from(error: PackageError) -> Self {
        Self::Package(Box::new(error))
    }
}

fn shortfall(walls: &[Standing]) -> String {
    let one = |standing: &Standing| format!("{} is {}", standing.wall.id, standing.state);
    walls.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What is refused for what it is, told from what was mistyped and from what failed.
fn grant_status(error: &GrantError) -> u8 {
    match error {
        GrantError::Floor(_)
        | GrantError::Linked { .. }
        | GrantError::HostRun { .. }
        | GrantError::Special { .. }
        | GrantError::TooManyTreated { .. }
        | GrantError::Walk { .. } => STATUS_REFUSED,
        GrantError::Missing { .. } | GrantError::NotUtf8 { .. } | GrantError::StagedFile { .. } => STATUS_USAGE,
        GrantError::Resolve { .. } | GrantError::Open { .. } | GrantError::Changed { .. } => STATUS_FAILED,
    }
}

fn join(ungranted: &[Ungranted]) -> String {
    ungranted.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
