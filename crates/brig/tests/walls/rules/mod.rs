//! Rules of the box beyond its walls, each by the number that the project's notes give it.

mod identity;
mod init;
mod pipes;
mod programs;
mod states;

use crate::runner::Case;

pub(crate) const RULES: &[Case] = &[states::CASE, pipes::CASE, init::CASE, identity::CASE, programs::CASE];
