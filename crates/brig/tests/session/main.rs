//! Whole sessions of the real binary: what the client sees, how they end, and that nothing is left.
//!
//! Run by root, every test runs as root and as an ordinary user; run by a user, as that user.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod boxed;
mod ending;
mod faces;
mod killed;
mod misbehaving;
mod pressure;
mod protocol;
mod refusals;
