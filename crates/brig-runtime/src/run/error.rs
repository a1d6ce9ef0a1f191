//! Everything that can keep a box from running, in the order in which it is met.

use std::io;

use brig_engine::native::StartError;
use brig_engine::walls::Standing;

use crate::plan::PlanError;
use crate::programs::{PlaceError, ProgramError};
use crate::runs;

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
    /// Images.
    #[error("images are not served yet")]
    NoImages,
}

impl RunError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Program(error) => error.hint(),
            Self::Place(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Start(error) => error.hint(),
            Self::Strict(_) => Some("`brig doctor` shows what would raise them; or leave --strict out".to_owned()),
            Self::Session(_) | Self::NoImages => None,
        }
    }

    /// brig's exit status, as the README lists them.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Program(error) => error.exit_status(),
            Self::Plan(_) => 2,
            Self::Strict(_) => STATUS_REFUSED,
            _ => STATUS_FAILED,
        }
    }
}

fn shortfall(walls: &[Standing]) -> String {
    let one = |standing: &Standing| format!("{} is {}", standing.wall.id, standing.state);
    walls.iter().map(one).collect::<Vec<_>>().join("; ")
}
