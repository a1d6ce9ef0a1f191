//! The simulator as a program of its own, for tests with real clients.
//!
//! `sim [WORDS]` is what `brig __sim [WORDS]` is: see `brig_sim::enter`.
#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;

use brig_sim::{Facts, enter};

#[expect(clippy::disallowed_methods, reason = "a program of its own, without a settings module")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let facts = Facts { env: std::env::vars_os().collect(), words: Vec::new() };
    match enter(&words, io::stdin().lock(), io::stdout(), &facts) {
        Ok(status) => ExitCode::from(status),
        Err(why) => {
            let hint = why.hint().unwrap_or_default();
            // Nobody may be left to read it.
            let _unread = writeln!(io::stderr(), "sim: {why}\n{hint}");
            ExitCode::FAILURE
        }
    }
}
