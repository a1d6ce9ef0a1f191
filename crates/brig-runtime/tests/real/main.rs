//! Real programs and real packages, in boxes that `bwrap` builds from what this crate decides.
//!
//! These tests prove the decisions, not the walls: the engine's own tests do that. They need `bwrap`, and those
//! of packages need the registries that this machine is configured for; what is missing is said and skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod bwrap;
mod packages;
mod programs;
