//! Every parser of foreign bytes, with the entry that feeds it and a few inputs to start from.
//!
//! An entry stands beside its parser and panics when a promise is broken. `cargo xtask fuzz` runs
//! them all; `cargo xtask tidy` refuses an entry that has no line here.
#![forbid(unsafe_code)]

pub mod mutate;
pub mod targets;
