//! The subcommands: each resolves its settings, makes one library call, and renders.

mod demo;
mod doctor;
pub(crate) mod hidden;
mod image;
mod prune;
mod pull;
mod run;
mod volume;

use std::process::ExitCode;

use crate::args::Command;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::settings::Settings;

/// What a subcommand ends with.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Runs one.
pub(crate) fn run(command: Command, settings: &Settings, screen: &Screen) -> Outcome {
    match command {
        Command::Run { words } => run::run(&words, settings, screen),
        Command::Pull(args) => pull::run(&args, settings, screen),
        Command::Image(command) => image::run(&command, settings, screen),
        Command::Volume(command) => volume::run(&command, settings, screen),
        Command::Prune(args) => prune::run(&args, settings, screen),
        Command::Demo(args) => demo::run(&args, settings, screen),
        Command::Doctor(args) => doctor::run(&args, settings, screen),
    }
}
