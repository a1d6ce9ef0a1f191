//! Checks, tests, benchmarks and docs of the project: `cargo xtask help`.
//!
//! One file or folder per subcommand. Nothing here ships; it never depends on the crates that it
//! checks, so it builds while they are broken.
#![forbid(unsafe_code)]

mod artifact;
mod bench;
mod cache;
mod ci;
mod cli;
mod deny;
mod docs;
mod fuzz;
mod process;
mod release;
mod screen;
mod settings;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen::note(&format!("error: {failure:#}"));
            ExitCode::FAILURE
        }
    }
}
