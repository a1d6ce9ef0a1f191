//! Open files of each process, below what the caller has.

use std::io;

use brig_policy::limits::Limits;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::Wall;

pub(crate) const WALL: Wall = Wall { id: "open-files", title: "open files limit", keeps: "the caller's kernel quota" };

/// Sets the limit: what was asked for, but below the caller's own soft limit, since descriptors on
/// their way through a socket are counted per user and the box could use up the caller's.
pub(crate) fn raise(limits: &Limits, callers: u64) -> io::Result<()> {
    let below = callers - callers / 8;
    let count = Some(u64::from(limits.open_files).min(below));
    setrlimit(Resource::Nofile, Rlimit { current: count, maximum: count })?;
    Ok(())
}
