//! `cargo xtask ci`: what CI runs, here. The legs stand in `.ci/run`.

use std::process::Command;

use anyhow::Result;

use crate::{process, workspace};

/// Everything that must pass before a change lands.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// Runs `.ci/run`.
pub(crate) fn run(_arguments: &Arguments) -> Result<()> {
    process::run(Command::new("bash").arg(".ci/run").current_dir(workspace::root()?))
}
