//! Finding files by descriptor, in a tree that the box's owner does not control.
//!
//! Every look-up is one `openat2` that follows no link, so nothing can be swapped in between.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, mkdirat, openat2, statat};

use crate::launch::FileId;

const NOT_FOLLOWED: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);

/// The file or folder at a real path of the host.
pub(super) fn at_real_path(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    Ok(openat2(CWD, path, flags, Mode::empty(), NOT_FOLLOWED)?)
}

/// The file or folder below `root`, which may be a root of a box. An absolute path starts there.
pub(super) fn below(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = openat2(root, relative(path)?, flags, Mode::empty(), NOT_FOLLOWED | ResolveFlags::BENEATH)?;
    Ok(found)
}

/// Makes a new file below `root` and everything above it.
pub(super) fn new_file(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let path = relative(path)?;
    if let Some(parent) = path.parent() {
        folders(root, parent)?;
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let made = openat2(root, path, flags, Mode::from_raw_mode(0o644), NOT_FOLLOWED | ResolveFlags::BENEATH)?;
    Ok(made)
}

/// Makes a folder below `root` and everything above it; what exists stays.
pub(super) fn folders(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let mut at = rustix::io::fcntl_dupfd_cloexec(root, 3)?;
    for part in relative(path)?.components() {
        let Component::Normal(part) = part else { continue };
        match mkdirat(&at, part, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            // On a read-only file system a folder that exists is told by opening it.
            Err(rustix::io::Errno::ROFS) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        at = openat2(&at, part, flags, Mode::empty(), NOT_FOLLOWED | ResolveFlags::BENEATH)?;
    }
    Ok(at)
}

/// A place to mount at: exists afterwards as a folder or as a file, as the mount needs it.
pub(super) fn mount_point(root: BorrowedFd<'_>, path: &Path, folder: bool) -> io::Result<OwnedFd> {
    match below(root, path) {
        Ok(found) if is_folder(found.as_fd())? == folder => Ok(found),
        Ok(_) => Err(io::Error::from_raw_os_error(if folder { libc::ENOTDIR } else { libc::EISDIR })),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) if folder => folders(root, path),
        Err(_) => {
            drop(new_file(root, path)?);
            below(root, path)
        }
    }
}

/// Whether a descriptor is of a folder.
pub(super) fn is_folder(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let stat = statat(fd, "", AtFlags::EMPTY_PATH)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// Which file a descriptor is of.
pub(super) fn id(fd: BorrowedFd<'_>) -> io::Result<FileId> {
    let stat = statat(fd, "", AtFlags::EMPTY_PATH)?;
    Ok(FileId { dev: stat.st_dev, ino: stat.st_ino })
}

/// A path without its leading `/`; one with `..` is refused, for it could only be a mistake.
fn relative(path: &Path) -> io::Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(part) => clean.push(part),
            Component::ParentDir | Component::Prefix(_) => return Err(io::Error::from_raw_os_error(libc::EINVAL)),
        }
    }
    if clean.as_os_str().is_empty() {
        clean.push(".");
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> OwnedFd {
        at_real_path(&folder.canonicalize().unwrap()).unwrap()
    }

    #[test]
    fn links_are_not_followed_and_parents_not_left() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("out")).unwrap();
        let root = open(folder.path());
        assert!(below(root.as_fd(), Path::new("/in")).is_ok());
        assert_eq!(below(root.as_fd(), Path::new("out/passwd")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
        assert_eq!(below(root.as_fd(), Path::new("in/../..")).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert_eq!(folders(root.as_fd(), Path::new("out/x")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
    }

    #[test]
    fn mount_points_are_made_of_the_kind_that_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let root = open(folder.path());
        let file = mount_point(root.as_fd(), Path::new("/a/b/file"), false).unwrap();
        assert!(!is_folder(file.as_fd()).unwrap());
        assert!(mount_point(root.as_fd(), Path::new("/a/b/file"), true).is_err());
        assert!(is_folder(mount_point(root.as_fd(), Path::new("/a/b"), true).unwrap().as_fd()).unwrap());
    }
}
