//! A limit on the memory of all processes together.

use std::io;

use brig_policy::limits::{GIB, Limits};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::Wall;

pub(crate) const WALL: Wall = Wall { id: "memory", title: "memory limit", keeps: "the laptop's memory" };

/// Address space that a language runtime sets aside without using it: with less, a Node server stops
/// at 63 threads.
const LEAST_DATA: u64 = 4 * GIB;

/// Where no cgroup can be had: a limit on each process, which is weaker than one on all.
pub(crate) fn raise_per_process(limits: &Limits) -> io::Result<()> {
    let size = Some(limits.memory.max(LEAST_DATA));
    setrlimit(Resource::Data, Rlimit { current: size, maximum: size })?;
    Ok(())
}
