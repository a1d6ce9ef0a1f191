//! What the kernel counts per user is limited for the box alone.

use std::io;

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "kernel-quotas",
    title: "own kernel quotas",
    keeps: "the caller's inotify watches and namespaces, which the kernel counts per user",
};

/// Per user namespace limits (namespaces(7), inotify(7)): enough for a file watcher, far below the
/// caller's own, and no further namespaces.
const QUOTAS: &[(&str, &str)] = &[
    ("/proc/sys/user/max_user_namespaces", "0"),
    ("/proc/sys/user/max_inotify_instances", "64"),
    ("/proc/sys/user/max_inotify_watches", "16384"),
];

/// Writes the limits of the user namespace that this process has just made, through the host's
/// `/proc`: the file's content depends on who opens it.
pub(crate) fn raise() -> io::Result<()> {
    for (file, value) in QUOTAS {
        std::fs::write(file, value)?;
    }
    Ok(())
}
