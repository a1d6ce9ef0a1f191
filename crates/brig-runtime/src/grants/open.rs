//! Opening files of a granted folder without ever following a link out of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use brig_engine::launch::FileId;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

/// How often a look-up is tried again when the host renames something meanwhile (openat2(2) says
/// EAGAIN then). Renames in a loop would be an attack.
const TRIES: usize = 64;

/// What statx(2) says of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) id: FileId,
    pub(super) kind: FileType,
    pub(super) mode: u32,
    pub(super) links: u32,
    pub(super) owner: (u32, u32),
    pub(super) changed: Moment,
    pub(super) modified: Moment,
    pub(super) device: (u32, u32),
    pub(super) size: u64,
}

/// Seconds and nanoseconds.
pub(super) type Moment = (i64, u32);

impl Facts {
    pub(super) fn setuid(&self) -> bool {
        self.mode & 0o6000 != 0
    }

    /// overlayfs' sign that a name was removed: a character device 0/0.
    pub(super) fn whiteout(&self) -> bool {
        self.kind == FileType::CharacterDevice && self.device == (0, 0)
    }
}

/// Opens a path of this machine that is free of links.
pub(super) fn real(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    again(|| {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat2(rustix::fs::CWD, path, flags, Mode::empty(), resolve)
    })
}

/// Opens a path below a folder: no link is followed, no mount entered, nothing above reached.
pub(super) fn below(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    again(|| {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
    })
}

/// Opens a folder below a folder, for listing.
pub(super) fn folder(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    below(root, path, OFlags::RDONLY | OFlags::DIRECTORY)
}

/// Opens a regular file below a folder, for reading; a FIFO that took its place does not block.
pub(super) fn file(root: BorrowedFd<'_>, path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    below(root, path, flags).map(File::from)
}

/// What an entry of a folder is; a link is not followed.
pub(super) fn facts_at(folder: BorrowedFd<'_>, name: &OsStr) -> Result<Facts, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    statx(folder, name, flags)
}

/// What an open descriptor is.
pub(super) fn facts(fd: impl AsFd) -> Result<Facts, Errno> {
    statx(fd.as_fd(), OsStr::new(""), AtFlags::EMPTY_PATH)
}

/// What a path of this machine is; a link at its end is not followed.
pub(super) fn facts_of(path: &Path) -> Result<Facts, Errno> {
    facts_at(rustix::fs::CWD, path.as_os_str())
}

/// The path of an open descriptor, as the kernel sees it now.
pub(super) fn path_of(fd: impl AsFd) -> io::Result<PathBuf> {
    std::fs::read_link(by_descriptor(fd))
}

/// The path under which a descriptor's own file can be named to calls that want a path. It leads
/// to that very file, whatever happened to its name.
pub(super) fn by_descriptor(fd: impl AsFd) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Sets the permission bits of an entry, which is neither followed nor replaced meanwhile.
pub(super) fn set_mode(folder: BorrowedFd<'_>, name: &Path, mode: u32) -> io::Result<()> {
    let fd = below(folder, name, OFlags::PATH)?;
    if facts(&fd)?.kind == FileType::Symlink {
        return Err(Errno::LOOP.into());
    }
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(by_descriptor(&fd), std::fs::Permissions::from_mode(mode))
}

/// Reads at most `limit` bytes; the second value says whether that was all.
pub(super) fn read_start(mut file: File, limit: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let wanted = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    (&mut file).take(wanted).read_to_end(&mut bytes)?;
    let whole = bytes.len() <= limit;
    bytes.truncate(limit);
    Ok((bytes, whole))
}

fn statx(folder: BorrowedFd<'_>, name: &OsStr, flags: AtFlags) -> Result<Facts, Errno> {
    let stat = rustix::fs::statx(folder, name, flags, StatxFlags::BASIC_STATS)?;
    Ok(Facts {
        id: FileId { dev: rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor), ino: stat.stx_ino },
        kind: FileType::from_raw_mode(u32::from(stat.stx_mode)),
        mode: u32::from(stat.stx_mode) & 0o7777,
        links: stat.stx_nlink,
        owner: (stat.stx_uid, stat.stx_gid),
        changed: (stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
        modified: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        device: (stat.stx_rdev_major, stat.stx_rdev_minor),
        size: stat.stx_size,
    })
}

fn again<T>(mut attempt: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    for _ in 1..TRIES {
        match attempt() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    attempt()
}
