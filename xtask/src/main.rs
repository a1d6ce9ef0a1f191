//! Checks, tests, benchmarks and docs of the project.
#![forbid(unsafe_code)]

fn main() {}
