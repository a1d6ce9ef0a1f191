//! User, mount, pid, network, ipc, uts and cgroup namespaces of its own.

use rustix::thread::UnshareFlags;

use super::Wall;

pub(crate) const WALL: Wall =
    Wall { id: "namespaces", title: "own namespaces", keeps: "other processes, their memory, names and mounts" };

/// All of them at once; the user namespace comes first in the kernel, and owns the others.
pub(crate) fn all() -> UnshareFlags {
    UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP
}
