//! Writes to the real folder: by descriptor, beneath the grant, through no link, and each file
//! whole or not at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::super::super::copy;
use super::super::super::open::{self, Facts, Moment};
use super::overlay;

pub(super) fn exists(root: BorrowedFd<'_>, path: &Path) -> bool {
    open::below(root, path, OFlags::PATH).is_ok()
}

pub(super) fn is_folder(root: BorrowedFd<'_>, path: &Path) -> bool {
    open::folder(root, path).is_ok()
}

/// Whether the host changed a file after the grant was judged. Folders do not count: their time
/// stamps move with every file in them.
pub(super) fn changed_since(root: BorrowedFd<'_>, path: &Path, moment: Moment) -> bool {
    open::below(root, path, OFlags::PATH)
        .and_then(open::facts)
        .is_ok_and(|facts| facts.kind != FileType::Directory && facts.changed > moment)
}

/// Makes a folder like the upper one, in place of a file if need be; false when it was there.
pub(super) fn folder(root: BorrowedFd<'_>, path: &Path, upper: &OwnedFd) -> io::Result<bool> {
    let name = name(path);
    let like = open::facts_at(upper.as_fd(), name)?;
    let parent = parent(root, path)?;
    let made = match open::facts_at(parent.as_fd(), name) {
        Ok(facts) if facts.kind == FileType::Directory => false,
        Ok(_) => {
            rustix::fs::unlinkat(&parent, name, AtFlags::empty())?;
            rustix::fs::mkdirat(&parent, name, Mode::RWXU)?;
            true
        }
        Err(Errno::NOENT) => {
            rustix::fs::mkdirat(&parent, name, Mode::RWXU)?;
            true
        }
        Err(errno) => return Err(errno.into()),
    };
    if made {
        let fd = open::folder(parent.as_fd(), Path::new(name))?;
        own(&fd, &open::facts(&parent)?)?;
        // The owner must be able to write what comes next.
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(like.mode & 0o777 | 0o700))?;
    }
    Ok(made)
}

/// Copies a file beside its place and renames it there.
pub(super) fn file(root: BorrowedFd<'_>, path: &Path, upper: &OwnedFd, facts: &Facts) -> io::Result<()> {
    let name = name(path);
    let source = overlay::file(upper.as_fd(), Path::new(name))?;
    let parent = parent(root, path)?;
    let old = open::facts_at(parent.as_fd(), name).ok();
    if old.is_some_and(|old| old.kind == FileType::Directory) {
        // What is protected in it was kept, and then this fails.
        rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR)?;
    }
    let (beside, fd) = temporary(&parent)?;
    let written = write(&source, &File::from(fd), facts, old, &parent);
    let placed = written.and_then(|()| rustix::fs::renameat(&parent, &beside, &parent, name).map_err(io::Error::from));
    if placed.is_err() {
        let _ = rustix::fs::unlinkat(&parent, &beside, AtFlags::empty());
    }
    placed
}

/// Makes a link like the upper one; the inner error is where it leads when that is outside.
pub(super) fn link(root: BorrowedFd<'_>, path: &Path, upper: BorrowedFd<'_>) -> io::Result<Result<(), PathBuf>> {
    let name = name(path);
    let above = path.parent().unwrap_or(Path::new(""));
    let from = overlay::folder(upper, above)?;
    let to = said(from.as_fd(), name)?;
    if leads_out_by_name(above, &to) {
        return Ok(Err(to));
    }
    let parent = parent(root, path)?;
    if open::facts_at(parent.as_fd(), name).is_ok_and(|old| old.kind == FileType::Directory) {
        rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR)?;
    }
    let beside = unused_name();
    rustix::fs::symlinkat(&to, &parent, &beside)?;
    if let Err(errno) = rustix::fs::renameat(&parent, &beside, &parent, name) {
        let _ = rustix::fs::unlinkat(&parent, &beside, AtFlags::empty());
        return Err(errno.into());
    }
    Ok(Ok(()))
}

/// Where a link of the real folder leads when the kernel finds that it leaves the grant.
pub(in super::super::super) fn leads_out(root: BorrowedFd<'_>, path: &Path) -> io::Result<Option<PathBuf>> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
        // It leads nowhere yet, or in a circle: harmless by itself.
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(_) => Ok(Some(said(parent(root, path)?.as_fd(), name(path))?)),
    }
}

/// Removes one name; false when nothing was there, or a folder that is not empty.
pub(super) fn unlink(root: BorrowedFd<'_>, path: &Path) -> io::Result<bool> {
    let parent = match parent(root, path) {
        Ok(parent) => parent,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
        Err(errno) => return Err(errno.into()),
    };
    let name = name(path);
    let facts = match open::facts_at(parent.as_fd(), name) {
        Ok(facts) => facts,
        Err(Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(errno.into()),
    };
    let flags = match facts.kind {
        FileType::Directory => AtFlags::REMOVEDIR,
        _ => AtFlags::empty(),
    };
    match rustix::fs::unlinkat(&parent, name, flags) {
        Ok(()) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether a link's text leads out: an absolute one does, since the box's paths are not the host's.
fn leads_out_by_name(above: &Path, to: &Path) -> bool {
    let mut depth = above.components().count();
    for component in to.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

fn said(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<PathBuf> {
    let to = rustix::fs::readlinkat(folder, name, Vec::new())?;
    Ok(PathBuf::from(OsStr::from_bytes(to.to_bytes())))
}

fn write(source: &File, file: &File, facts: &Facts, old: Option<Facts>, parent: &OwnedFd) -> io::Result<()> {
    copy::bytes(source, file, facts.size)?;
    own(file, &old.map_or_else(|| open::facts(parent), Ok)?)?;
    rustix::fs::fchmod(file, Mode::from_raw_mode(facts.mode & 0o777))?;
    let modified = Timespec { tv_sec: facts.modified.0, tv_nsec: facts.modified.1.into() };
    let times = Timestamps { last_access: modified, last_modification: modified };
    Ok(rustix::fs::futimens(file, &times)?)
}

/// As root, gives a file to whom the old one, or the folder, belongs.
fn own(fd: impl std::os::fd::AsFd, like: &Facts) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        let (uid, gid) = (Uid::from_raw(like.owner.0), Gid::from_raw(like.owner.1));
        rustix::fs::fchown(fd, Some(uid), Some(gid))?;
    }
    Ok(())
}

fn temporary(parent: &OwnedFd) -> Result<(String, OwnedFd), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = unused_name();
        match rustix::fs::openat(parent, &name, flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => {}
            other => return other.map(|fd| (name, fd)),
        }
    }
}

/// A name that no other brig uses at the same time.
fn unused_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(".brig-{}-{number}.tmp", std::process::id())
}

fn parent(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    open::folder(root, path.parent().unwrap_or(Path::new("")))
}

fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}
