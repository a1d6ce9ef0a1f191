//! Puts each MCP server in a locked box.
//!
//! This crate is the face: it reads arguments and the environment, calls one library function a
//! subcommand, and prints. It decides nothing.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;
mod screen;
mod settings;
mod speaker;

use std::ffi::OsString;
use std::process::ExitCode;

use args::Args;
use failure::Failure;
use screen::Screen;
use settings::Settings;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = commands::hidden::enter(&words) {
        return code;
    }
    let settings = Settings::read();
    settings.start_log();
    let args = match Args::read(&words) {
        Ok(args) => args,
        Err(error) => return screen::usage(&error),
    };
    let screen = Screen::new(&settings, args.quiet, args.verbose);
    let code = commands::run(args.command, &settings, &screen).unwrap_or_else(|failure| {
        let Failure { status, text, hint } = failure;
        screen.error(&text, hint.as_deref());
        ExitCode::from(status)
    });
    speaker::finish();
    code
}
