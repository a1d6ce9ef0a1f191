//! Writes one layer's entries into its folder, and nowhere else.
//!
//! Every folder is opened with `openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)`; every entry is made in
//! a folder so opened, by the last part of its name alone. Deletion marks of OCI layers become those of
//! overlayfs as an unprivileged mount reads them (`userxattr`, kernel documentation `overlayfs.rst`):
//! a character device 0/0, or `user.overlay.whiteout` where device nodes cannot be made; and
//! `user.overlay.opaque`.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::entry::{Entries, Entry, Kind};
use super::name::{Name, NameError, shown};
use super::{LayerError, read_error};

/// Overlayfs' mark of a folder that hides what lies below it; unprivileged mounts read this name.
pub(crate) const OPAQUE: &str = "user.overlay.opaque";
/// Overlayfs' mark of a deleted name, where device nodes cannot be made (Linux 6.7 and later).
pub(crate) const WHITEOUT: &str = "user.overlay.whiteout";

/// The prefix of a deletion mark in a layer (OCI image specification, layer.md).
const MARK: &[u8] = b".wh.";
/// The mark of a folder that hides what lies below it.
const MARK_OPAQUE: &[u8] = b".wh..wh..opq";
/// Where devices and FIFOs are dropped instead of refused: a box has folders of its own there, and old
/// base images carry some.
const DROPPED_BELOW: &[&[u8]] = &[b"dev", b"run"];
/// How much of a file is copied at once.
const BUFFER: usize = 128 * 1024;

/// Whose the unpacked files are, where it is not the caller: when brig runs as root they belong to
/// the identity that boxes get, never to uid 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A layer's folder while it is written.
pub(crate) struct Writer<'a> {
    root: BorrowedFd<'a>,
    owner: Option<Owner>,
    /// The folder that was used last: layers list one folder's entries together.
    parent: Option<(Vec<u8>, OwnedFd)>,
    buffer: Vec<u8>,
    dropped: u64,
    opaque: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>, owner: Option<Owner>) -> Self {
        Self { root, owner, parent: None, buffer: Vec::new(), dropped: 0, opaque: false }
    }

    /// Gives the root the usual bits, for a layer that has no entry for it.
    pub(crate) fn prepare(&self) -> Result<(), LayerError> {
        settle(self.root, Mode::from_raw_mode(0o755), self.owner)
            .map_err(|errno| LayerError::Write { path: "/".to_owned(), source: errno.into() })
    }

    /// How many devices and FIFOs were dropped, and whether the root hides all below.
    pub(crate) fn finish(self) -> (u64, bool) {
        (self.dropped, self.opaque)
    }

    /// Writes one entry; a file's bytes are read from `data`.
    pub(crate) fn write(&mut self, entry: &Entry, data: &mut Entries<'_>) -> Result<(), LayerError> {
        let name = &entry.name;
        if let Some(mark) = Mark::of(entry, data)? {
            return self.mark(name, &mark);
        }
        match &entry.kind {
            Kind::Dir => self.dir(name, entry.mode),
            _ if name.is_root() => Err(refused("root that is not a folder", name)),
            Kind::File => self.file(entry, data),
            Kind::Symlink(target) => self.symlink(name, target),
            Kind::HardLink(target) => {
                let target = Name::parse_target(target)
                    .map_err(|source| LayerError::Name { entry: data.count() - 1, source })?;
                self.hard_link(name, &target)
            }
            Kind::Device | Kind::Fifo if DROPPED_BELOW.contains(&name.first()) => {
                self.dropped += 1;
                Ok(())
            }
            Kind::Device => Err(refused("device node", name)),
            Kind::Fifo => Err(refused("FIFO", name)),
        }
    }

    fn dir(&mut self, name: &Name, mode: u32) -> Result<(), LayerError> {
        let owner = self.owner;
        let mode = Mode::from_raw_mode((mode & 0o777) | 0o700);
        if name.is_root() {
            return settle(self.root, mode, owner).map_err(|errno| failed(name, errno));
        }
        let parent = self.parent(name)?;
        let leaf = name.leaf();
        let folder = make_dir(parent, leaf).map_err(|errno| match errno {
            Errno::EXIST | Errno::NOTDIR | Errno::LOOP => LayerError::Duplicate(name.shown()),
            errno => failed(name, errno),
        })?;
        settle(folder.as_fd(), mode, owner).map_err(|errno| failed(name, errno))?;
        self.parent = Some((name.as_bytes().to_vec(), folder));
        Ok(())
    }

    fn file(&mut self, entry: &Entry, data: &mut Entries<'_>) -> Result<(), LayerError> {
        let name = &entry.name;
        let owner = self.owner;
        let fail = |errno| failed(name, errno);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(BUFFER, 0);
        let parent = self.parent(name)?;
        let file = fresh(parent, name, || create(parent, name.leaf()))?;
        loop {
            let n = match data.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_error(error)),
            };
            let mut rest = &buffer[..n];
            while !rest.is_empty() {
                let written = rustix::io::write(&file, rest).map_err(fail)?;
                rest = &rest[written..];
            }
        }
        self.buffer = buffer;
        settle(file.as_fd(), file_mode(entry.mode), owner).map_err(fail)?;
        // Python, for one, compares a source's time with the one its compiled form was made from.
        let mtime = Timespec { tv_sec: entry.mtime, tv_nsec: 0 };
        let times = Timestamps { last_access: mtime, last_modification: mtime };
        rustix::fs::futimens(&file, &times).map_err(fail)
    }

    fn symlink(&mut self, name: &Name, target: &[u8]) -> Result<(), LayerError> {
        if target.is_empty() || target.contains(&0) {
            return Err(refused("symbolic link to nothing", name));
        }
        let owner = self.owner;
        let parent = self.parent(name)?;
        let target = OsStr::from_bytes(target);
        fresh(parent, name, || rustix::fs::symlinkat(target, parent, name.leaf()))?;
        own_link(parent, name.leaf(), owner).map_err(|errno| failed(name, errno))
    }

    fn hard_link(&mut self, name: &Name, target: &Name) -> Result<(), LayerError> {
        let missing = || LayerError::HardLink { path: name.shown(), target: target.shown() };
        if target.is_root() {
            return Err(missing());
        }
        let from = open_dir(self.root, OsStr::from_bytes(target.parent())).map_err(|_| missing())?;
        let stat = rustix::fs::statat(&from, target.leaf(), AtFlags::SYMLINK_NOFOLLOW).map_err(|_| missing())?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile | FileType::Symlink => {}
            _ => return Err(missing()),
        }
        let parent = self.parent(name)?;
        fresh(parent, name, || {
            // Without AT_SYMLINK_FOLLOW: a link to a link is a second name of the link itself.
            rustix::fs::linkat(&from, target.leaf(), parent, name.leaf(), AtFlags::empty())
        })
    }

    fn mark(&mut self, name: &Name, mark: &Mark) -> Result<(), LayerError> {
        let fail = |errno| failed(name, errno);
        let at_root = name.parent().is_empty();
        let parent = self.parent(name)?;
        match mark {
            Mark::Opaque => {
                set_opaque(parent, b"y").map_err(fail)?;
                self.opaque |= at_root;
                Ok(())
            }
            Mark::Deleted(leaf) => {
                match rustix::fs::statat(parent, leaf, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => whiteout(parent, leaf).map_err(fail),
                    // The mark is about the layers below; what this layer has itself stays.
                    Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                        let folder = open_dir(parent, leaf).map_err(fail)?;
                        set_opaque(folder.as_fd(), b"y").map_err(fail)
                    }
                    Ok(_) => Ok(()),
                    Err(errno) => Err(fail(errno)),
                }
            }
        }
    }

    /// The folder that `name` lies in, made where the layer omits it.
    fn parent(&mut self, name: &Name) -> Result<BorrowedFd<'_>, LayerError> {
        let path = name.parent();
        if path.is_empty() {
            return Ok(self.root);
        }
        let known = self.parent.as_ref().is_some_and(|(known, _)| known == path);
        if !known {
            let folder = match open_dir(self.root, OsStr::from_bytes(path)) {
                Ok(folder) => folder,
                Err(Errno::NOENT | Errno::NOTDIR) => self.make_dirs(name)?,
                Err(Errno::LOOP) => return Err(LayerError::ThroughLink(name.shown())),
                Err(errno) => return Err(failed(name, errno)),
            };
            self.parent = Some((path.to_vec(), folder));
        }
        match &self.parent {
            Some((_, folder)) => Ok(folder.as_fd()),
            None => Ok(self.root),
        }
    }

    fn make_dirs(&self, name: &Name) -> Result<OwnedFd, LayerError> {
        let mut folder: Option<OwnedFd> = None;
        for part in name.parent().split(|&c| c == b'/') {
            let within = folder.as_ref().map_or(self.root, AsFd::as_fd);
            let part = OsStr::from_bytes(part);
            let next = match open_dir(within, part) {
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    let made = make_dir(within, part);
                    if let Ok(made) = &made {
                        settle(made.as_fd(), Mode::from_raw_mode(0o755), self.owner)
                            .map_err(|errno| failed(name, errno))?;
                    }
                    made
                }
                opened => opened,
            };
            folder = Some(next.map_err(|errno| match errno {
                Errno::LOOP => LayerError::ThroughLink(name.shown()),
                Errno::EXIST | Errno::NOTDIR => LayerError::BelowFile(name.shown()),
                errno => failed(name, errno),
            })?);
        }
        folder.ok_or_else(|| failed(name, Errno::NOENT))
    }
}

/// A deletion mark.
enum Mark {
    /// The folder it lies in hides what lies below.
    Opaque,
    /// This name is deleted.
    Deleted(std::ffi::OsString),
}

impl Mark {
    /// What an entry deletes; `None` for an ordinary one.
    fn of(entry: &Entry, data: &Entries<'_>) -> Result<Option<Self>, LayerError> {
        let path = entry.name.as_bytes();
        if !path.split(|&c| c == b'/').any(|part| part.starts_with(MARK)) {
            return Ok(None);
        }
        let leaf = entry.name.leaf().as_bytes();
        let below = entry.name.parent();
        let mark = match leaf.strip_prefix(MARK) {
            Some(_) if leaf == MARK_OPAQUE => Some(Self::Opaque),
            Some(b"" | b"." | b"..") | None => None,
            // `.wh..wh.*` is bookkeeping of AUFS: nothing that current builders write.
            Some(deleted) if deleted.starts_with(MARK) => None,
            Some(deleted) => Some(Self::Deleted(OsStr::from_bytes(deleted).to_owned())),
        };
        let clean = entry.kind == Kind::File
            && entry.size == 0
            && !below.split(|&c| c == b'/').any(|part| part.starts_with(MARK));
        match mark {
            Some(mark) if clean => Ok(Some(mark)),
            _ => Err(LayerError::Name { entry: data.count() - 1, source: NameError::Whiteout(shown(path)) }),
        }
    }
}

/// Makes an entry that must not exist yet. A deletion mark of the same layer gives way: it is about
/// the layers below, which the new entry hides anyhow.
fn fresh<T>(parent: BorrowedFd<'_>, name: &Name, make: impl Fn() -> Result<T, Errno>) -> Result<T, LayerError> {
    match make() {
        Err(Errno::EXIST) if clear_whiteout(parent, name.leaf()) => make(),
        made => made,
    }
    .map_err(|errno| match errno {
        Errno::EXIST => LayerError::Duplicate(name.shown()),
        errno => failed(name, errno),
    })
}

/// Makes a folder, or opens the one that is there. One that was marked deleted before hides what
/// lies below.
fn make_dir(parent: BorrowedFd<'_>, leaf: &OsStr) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(parent, leaf, Mode::from_raw_mode(0o700)) {
        Err(Errno::EXIST) if clear_whiteout(parent, leaf) => {
            rustix::fs::mkdirat(parent, leaf, Mode::from_raw_mode(0o700))?;
            let folder = open_dir(parent, leaf)?;
            set_opaque(folder.as_fd(), b"y")?;
            Ok(folder)
        }
        Ok(()) | Err(Errno::EXIST) => open_dir(parent, leaf),
        Err(errno) => Err(errno),
    }
}

/// Opens a folder below `within` without following a link; an empty path is `within` itself.
fn open_dir(within: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { OsStr::new(".") } else { path };
    rustix::fs::openat2(within, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty(), BENEATH)
}

const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

fn create(parent: BorrowedFd<'_>, leaf: &OsStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat2(
        parent,
        leaf,
        OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o600),
        BENEATH,
    )
}

/// Without setuid, setgid and sticky bits; readable, and executable if anybody could execute it.
fn file_mode(mode: u32) -> Mode {
    let run = if mode & 0o111 == 0 { 0 } else { 0o100 };
    Mode::from_raw_mode((mode & 0o777) | 0o400 | run)
}

fn settle(fd: BorrowedFd<'_>, mode: Mode, owner: Option<Owner>) -> Result<(), Errno> {
    if let Some(owner) = owner {
        rustix::fs::fchown(fd, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
    }
    rustix::fs::fchmod(fd, mode)
}

fn own_link(parent: BorrowedFd<'_>, leaf: &OsStr, owner: Option<Owner>) -> Result<(), Errno> {
    let Some(owner) = owner else { return Ok(()) };
    rustix::fs::chownat(
        parent,
        leaf,
        Some(Uid::from_raw(owner.uid)),
        Some(Gid::from_raw(owner.gid)),
        AtFlags::SYMLINK_NOFOLLOW,
    )
}

fn set_opaque(folder: BorrowedFd<'_>, value: &[u8]) -> Result<(), Errno> {
    rustix::fs::fsetxattr(folder, OPAQUE, value, XattrFlags::empty())
}

/// Marks a name as deleted.
fn whiteout(parent: BorrowedFd<'_>, leaf: &OsStr) -> Result<(), Errno> {
    let node = FileType::CharacterDevice;
    match rustix::fs::mknodat(parent, leaf, node, Mode::empty(), 0) {
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::INVAL) => whiteout_attribute(parent, leaf),
        made => made,
    }
}

/// The form without a device node: an empty file with an attribute, in a folder that says `x`.
fn whiteout_attribute(parent: BorrowedFd<'_>, leaf: &OsStr) -> Result<(), Errno> {
    let file = create(parent, leaf)?;
    rustix::fs::fsetxattr(&file, WHITEOUT, b"y", XattrFlags::empty())?;
    match rustix::fs::fsetxattr(parent, OPAQUE, b"x", XattrFlags::CREATE) {
        Err(Errno::EXIST) => Ok(()), // it says `y`: then nothing shows through anyhow
        done => done,
    }
}

/// Removes a deletion mark; false if there is something else.
fn clear_whiteout(parent: BorrowedFd<'_>, leaf: &OsStr) -> bool {
    is_whiteout(parent, leaf) && rustix::fs::unlinkat(parent, leaf, AtFlags::empty()).is_ok()
}

/// Whether a name is marked as deleted, in either form.
pub(crate) fn is_whiteout(parent: BorrowedFd<'_>, leaf: &OsStr) -> bool {
    let Ok(stat) = rustix::fs::statat(parent, leaf, AtFlags::SYMLINK_NOFOLLOW) else {
        return false;
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => stat.st_rdev == 0,
        FileType::RegularFile if stat.st_size == 0 => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            rustix::fs::openat(parent, leaf, flags, Mode::empty())
                .and_then(|file| rustix::fs::fgetxattr(&file, WHITEOUT, &mut [0_u8; 8]))
                .is_ok()
        }
        _ => false,
    }
}

/// Whether a folder hides what lies below it.
pub(crate) fn is_opaque(folder: BorrowedFd<'_>) -> bool {
    let mut value = [0_u8; 8];
    rustix::fs::fgetxattr(folder, OPAQUE, &mut value[..]).is_ok_and(|n| value[..n] == *b"y")
}

fn refused(kind: &'static str, name: &Name) -> LayerError {
    LayerError::Refused { kind, path: name.shown() }
}

fn failed(name: &Name, errno: Errno) -> LayerError {
    LayerError::Write { path: name.shown(), source: errno.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where device nodes cannot be made, the mark is an attribute; it is understood all the same.
    #[test]
    fn marks_without_device_nodes() {
        let folder = tempfile::tempdir().unwrap();
        let dir = std::fs::File::open(folder.path()).unwrap();
        let (dir, gone, here) = (dir.as_fd(), OsStr::new("gone"), OsStr::new("here"));
        std::fs::write(folder.path().join(here), b"").unwrap();
        whiteout_attribute(dir, gone).unwrap();
        assert!(is_whiteout(dir, gone) && !is_whiteout(dir, here));
        assert!(!is_opaque(dir), "the folder says x, not y");
        assert!(clear_whiteout(dir, gone) && !clear_whiteout(dir, here));
        assert!(!folder.path().join(gone).exists() && folder.path().join(here).exists());
        // A folder that hides all below keeps saying so.
        set_opaque(dir, b"y").unwrap();
        whiteout_attribute(dir, gone).unwrap();
        assert!(is_opaque(dir));
    }
}
