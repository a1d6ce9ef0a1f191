//! Copies and removes files by descriptor, following no link.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::{open, quarantine, tree};

/// The most entries that are copied or removed at once.
const MAX_ENTRIES: usize = tree::MAX_ENTRIES;
/// How many bytes one call copies at most.
const CHUNK: usize = 16 * 1024 * 1024;

/// Copies the bytes of a file, leaving holes as holes: a small file may say that it is huge.
pub(super) fn bytes(from: &File, to: &File, size: u64) -> io::Result<()> {
    let mut at = 0;
    while at < size {
        let data = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno.into()),
        };
        let hole = rustix::fs::seek(from, SeekFrom::Hole(data))?.min(size);
        at = stretch(from, to, data, hole)?;
    }
    to.set_len(size)
}

/// Copies the bytes from one offset to another, and says how far it came.
fn stretch(from: &File, to: &File, start: u64, end: u64) -> io::Result<u64> {
    let (mut read, mut write) = (start, start);
    while read < end {
        let wanted = usize::try_from(end - read).unwrap_or(CHUNK).min(CHUNK);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut write), wanted) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                use std::io::{Read as _, Seek as _};
                let (mut source, mut target) = (from, to);
                source.seek(io::SeekFrom::Start(read))?;
                target.seek(io::SeekFrom::Start(read))?;
                io::copy(&mut source.take(end - read), &mut target)?;
                return Ok(end);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(end)
}

/// Copies regular files and folders, closed to others; anything else is left out.
pub(super) fn tree(folder: BorrowedFd<'_>, name: &OsStr, to: BorrowedFd<'_>, new: &OsStr) -> io::Result<()> {
    let mut stack = vec![(Path::new(name).to_path_buf(), Path::new(new).to_path_buf())];
    let mut left = MAX_ENTRIES;
    while let Some((from, target)) = stack.pop() {
        let fd = open::below(folder, &from, OFlags::PATH)?;
        let facts = open::facts(&fd)?;
        match facts.kind {
            FileType::Directory => {
                rustix::fs::mkdirat(to, &target, quarantine::private())?;
                open::set_mode(folder, &from, 0o700)?;
                let entries = tree::list(&open::folder(folder, &from)?, left)?;
                left -= entries.len();
                for entry in entries {
                    stack.push((from.join(&entry.name), target.join(&entry.name)));
                }
            }
            FileType::RegularFile => {
                if open::file(folder, &from).is_err() {
                    open::set_mode(folder, &from, 0o600)?;
                }
                let source = open::file(folder, &from)?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let made = rustix::fs::openat(to, &target, flags, Mode::RUSR | Mode::WUSR)?;
                bytes(&source, &File::from(made), facts.size)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes a file or a folder with all that it holds.
pub(super) fn remove(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    let mut stack = vec![(Path::new(name).to_path_buf(), false)];
    let mut left = MAX_ENTRIES;
    while let Some((path, emptied)) = stack.pop() {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => Some(open::folder(folder, parent)?),
            _ => None,
        };
        let parent = parent.as_ref().map_or(folder, |fd| fd.as_fd());
        let own = path.file_name().unwrap_or_default();
        if emptied {
            rustix::fs::unlinkat(parent, own, AtFlags::REMOVEDIR)?;
        } else if open::facts_at(parent, own)?.kind == FileType::Directory {
            open::set_mode(parent, Path::new(own), 0o700)?;
            let entries = tree::list(&open::folder(parent, Path::new(own))?, left)?;
            left -= entries.len();
            stack.push((path.clone(), true));
            for entry in entries {
                stack.push((path.join(entry.name), false));
            }
        } else {
            rustix::fs::unlinkat(parent, own, AtFlags::empty())?;
        }
    }
    Ok(())
}
