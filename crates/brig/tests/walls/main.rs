//! Each wall of a box, proved from inside: what it refuses while it stands, and that the very same
//! attempt reaches its aim when that wall alone is left out (feature `breach`).
//!
//! The test program is also the probe: brig runs it in the box (`… -- walls probe NAME ARGS…`) and it
//! prints what it reached. Where something is read, a planted random token is the proof.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program with an output of its own"
)]

mod cases;
mod probe;
mod rules;
mod runner;
mod scene;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == "probe" => probe::run(rest),
        _ => runner::run(&words),
    }
}
