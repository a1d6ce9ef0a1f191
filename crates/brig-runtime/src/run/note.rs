//! What is worth telling before a program starts.

use std::fmt;

use crate::environment::Change;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A variable was replaced, or is not there.
    Environment(Change),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(Change::Replaced { name, kind }) => {
                write!(f, "{name} looks like a real credential ({kind}): the box gets a placeholder instead")
            }
            Self::Environment(Change::Unset { name }) => {
                write!(f, "{name} is not set here, so it is not set in the box")
            }
        }
    }
}
