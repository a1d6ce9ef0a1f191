//! Grants of host files and folders: what a run asks for is judged on what it *is*.
//!
//! [`judge`] resolves the spelling once, opens the result without following links, compares it
//! with the floor, and walks it for secrets, for what the host runs later, for sockets, FIFOs,
//! devices and other mounts. The open descriptor is kept, so the file that was judged cannot
//! change its identity. Nothing is ever created, and nothing of the host is changed except by
//! [`stage::apply`] and [`sweep::sweep`], which clean up after a box that could write.

pub mod arguments;
mod arrange;
mod copy;
mod judge;
mod links;
mod mountinfo;
mod open;
pub mod quarantine;
mod report;
mod scan;
pub mod stage;
mod survey;
pub mod sweep;
mod tree;
pub mod watch;

pub use judge::{GrantError, Granted, MAX_TREATED, judge};
pub use mountinfo::{MountLineError, fuzz_mountinfo};
pub use report::{Note, Report, Treated, Why};
pub use survey::{Caller, Survey, SurveyError};
pub use tree::{MAX_DEPTH, MAX_ENTRIES, MAX_TIME, WalkError};
