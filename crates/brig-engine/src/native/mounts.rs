//! Mounts as objects: made or cloned first, given their attributes, attached last.
//!
//! Nothing here takes a path that could be swapped; places are descriptors (see `files`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, move_mount, open_tree,
};

use crate::sys::{MountChange, mount_setattr};

/// What every mount of a box has: set-user-id bits and device files mean nothing on it.
const INERT: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// Memory for a few small files of the skeleton, in bytes and in files: a root has under 200.
const SKELETON: &[(&str, &str)] = &[("size", "16m"), ("nr_inodes", "8k"), ("mode", "0755")];

/// Bytes of a memory folder for each file that it may hold. A file with content takes a page of 4096
/// bytes, so this leaves room for as many folders, links and empty files, which take none: without a
/// bound they would use up kernel memory that no size limits.
const BYTES_PER_FILE: u64 = 2048;
/// Files that even the smallest memory folder may hold.
const LEAST_FILES: u64 = 512;

/// A new tmpfs of `size` bytes. `size` 0 asks for one without limit, in test builds alone.
pub(super) fn memory(size: u64, mode: u32) -> io::Result<OwnedFd> {
    let files = if size == 0 { 0 } else { (size / BYTES_PER_FILE).max(LEAST_FILES) };
    let (size, files, mode) = (size.to_string(), files.to_string(), format!("{mode:o}"));
    new("tmpfs", &[("size", &size), ("nr_inodes", &files), ("mode", &mode)], INERT)
}

/// A new tmpfs for the skeleton of a root.
pub(super) fn skeleton() -> io::Result<OwnedFd> {
    new("tmpfs", SKELETON, INERT)
}

/// A new `/proc` of the current pid namespace, read-only.
pub(super) fn proc(full: bool) -> io::Result<OwnedFd> {
    let options: &[(&str, &str)] = if full { &[] } else { &[("subset", "pid")] };
    new("proc", options, INERT | MountAttrFlags::MOUNT_ATTR_NOEXEC | MountAttrFlags::MOUNT_ATTR_RDONLY)
}

/// A private copy of a mount and all below it, showing the same files.
pub(super) fn clone(of: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    let copy = open_tree(of, "", flags)?;
    let private = MountChange { propagation: libc::MS_PRIVATE, ..MountChange::default() };
    mount_setattr(copy.as_fd(), true, &private)?;
    Ok(copy)
}

/// Makes a copy inert, and read-only unless it is granted for writing.
pub(super) fn restrict(copy: BorrowedFd<'_>, writable: bool) -> io::Result<()> {
    let read_only = if writable { MountAttrFlags::empty() } else { MountAttrFlags::MOUNT_ATTR_RDONLY };
    let set = u64::from((INERT | read_only).bits());
    mount_setattr(copy, true, &MountChange { set, ..MountChange::default() })
}

/// Makes the copy of a device file usable, and nothing else of it: no set-id, nothing to run.
pub(super) fn restrict_device(copy: BorrowedFd<'_>) -> io::Result<()> {
    let set = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    mount_setattr(copy, false, &MountChange { set: u64::from(set.bits()), ..MountChange::default() })
}

/// Makes one mount read-only, not those below it.
pub(super) fn seal(mount: BorrowedFd<'_>) -> io::Result<()> {
    let set = u64::from(MountAttrFlags::MOUNT_ATTR_RDONLY.bits());
    mount_setattr(mount, false, &MountChange { set, ..MountChange::default() })
}

/// Shows a copy's owners through another mapping. `Ok(false)`: its file system cannot.
pub(super) fn map_owners(copy: BorrowedFd<'_>, mapping: BorrowedFd<'_>) -> io::Result<bool> {
    match mount_setattr(copy, true, &MountChange { idmap: Some(mapping), ..MountChange::default() }) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts a mount at a place, on top of what is there.
pub(super) fn attach(mount: BorrowedFd<'_>, at: BorrowedFd<'_>) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(mount, "", at, "", flags)?)
}

fn new(kind: &str, options: &[(&str, &str)], attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    let fs = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(&fs, *key, *value)?;
    }
    fsconfig_create(&fs)?;
    Ok(fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}
