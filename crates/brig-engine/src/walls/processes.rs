//! A limit on the number of processes and threads.

use std::io;

use brig_policy::limits::Limits;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::Wall;

pub(crate) const WALL: Wall = Wall { id: "processes", title: "process limit", keeps: "the laptop from a fork bomb" };

/// Where no cgroup can be had. Since Linux 5.14 the count is the user namespace's own, so the
/// caller's other processes neither count nor suffer.
pub(crate) fn raise_by_user(limits: &Limits) -> io::Result<()> {
    let count = Some(u64::from(limits.processes));
    setrlimit(Resource::Nproc, Rlimit { current: count, maximum: count })?;
    Ok(())
}
