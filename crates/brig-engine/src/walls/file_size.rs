//! No file grows past the limit.

use std::io;

use brig_policy::limits::Limits;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::Wall;

pub(crate) const WALL: Wall =
    Wall { id: "file-size", title: "file size limit", keeps: "the host's disk, through a writable grant" };

/// Sets the limit on what any process may make a file grow to.
pub(crate) fn raise(limits: &Limits) -> io::Result<()> {
    let size = Some(limits.file_size);
    setrlimit(Resource::Fsize, Rlimit { current: size, maximum: size })?;
    Ok(())
}
