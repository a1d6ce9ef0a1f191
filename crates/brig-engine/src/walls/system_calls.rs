//! The seccomp allow-list.

use std::io;

use super::Wall;
use crate::{seccomp, sys};

pub(crate) const WALL: Wall = Wall {
    id: "system-calls",
    title: "listed system calls only",
    keeps: "io_uring, bpf, ptrace, new namespaces and the rest of the kernel that exploits start from",
};

/// Installs the list on this thread and all that it starts. Needs no_new_privs.
pub(crate) fn raise(unix_sockets: bool) -> io::Result<()> {
    sys::install_filter(&seccomp::compile(&seccomp::rules(unix_sockets)))
}
