//! What a box may be asked for, and what is refused.
//!
//! This crate holds words and decisions: the request that a run makes, the limits it gets, the
//! paths that are never granted. It does no I/O, reads no clock and no environment, and never
//! logs a value; whoever holds facts about this machine passes them in.
#![forbid(unsafe_code)]

pub mod flags;
pub mod floor;
pub mod limits;
pub mod mount;
pub mod protect;
pub mod request;
