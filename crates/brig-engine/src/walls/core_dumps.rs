//! No core dumps, not even through a handler of the host.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "core-dumps",
    title: "no core dumps",
    keeps: "memory on the host's disk, and the host's crash handler, which runs as root",
};

/// A core size of 1, soft and hard: 0 would still start a `|handler` (core(5)), 1 makes the kernel
/// give up before it does. The system call list keeps the box from setting it to 0.
pub(crate) fn raise() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) })?;
    Ok(())
}
