//! Watches a live writable grant while the box runs, to make the gap short in which a new file
//! that the host would run lies there.
//!
//! It is no wall: the kernel tells after the fact (inotify(7)), a folder beyond the limit is not
//! watched, and a repository put together piece by piece under another name is found only by the
//! [sweep](super::sweep) at exit. Nothing runs by itself: poll [`Watch::descriptor`], then
//! [`Watch::drain`].

use std::collections::HashMap;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use brig_policy::protect::Place;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::judge::Granted;
use super::open;
use super::quarantine::Quarantine;
use super::sweep::{Changes, Sweep};
use super::tree::{self, Entry};

/// The most folders that are watched: watches are counted per user (`max_user_watches`), and an
/// editor wants some as well.
pub const MAX_WATCHES: usize = 8192;
/// The most events that one call handles, so that a box that makes files in a loop does not keep
/// brig from its other work.
pub const MAX_EVENTS: usize = 4096;
/// Room for some hundred events.
const BUFFER: usize = 16 * 1024;

/// A grant that is watched.
#[derive(Debug)]
pub struct Watch {
    inotify: OwnedFd,
    folders: HashMap<i32, (PathBuf, Place)>,
    blind: usize,
}

/// What happened in a watched grant.
#[derive(Debug, Default)]
pub struct Seen {
    /// What was found and moved away.
    pub changes: Changes,
    /// Masked or read-only parts that the host replaced: in the box they are uncovered now.
    pub uncovered: Vec<PathBuf>,
    /// Some events were lost, or there were too many: only a sweep tells.
    pub missed: bool,
}

/// A grant could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// No watch can be had.
    #[error("no file watch can be made")]
    Start(#[source] std::io::Error),
    /// The events cannot be read.
    #[error("the file watch cannot be read")]
    Read(#[source] std::io::Error),
}

impl WatchError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("raise fs.inotify.max_user_instances, or use rw,staged, which needs no watch".into())
    }
}

impl Watch {
    /// Watches a grant from now on; what appeared since it was judged is handled at once.
    ///
    /// # Errors
    /// [`WatchError::Start`].
    pub fn start(granted: &Granted, quarantine: &mut Quarantine) -> Result<(Self, Seen), WatchError> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let inotify = inotify::init(flags).map_err(|errno| WatchError::Start(errno.into()))?;
        let mut watch = Self { inotify, folders: HashMap::new(), blind: 0 };
        let mut sweep = sweep(granted, quarantine);
        let own = tree::own_name(&granted.bind().source);
        let missed = watch.enter(PathBuf::new(), Place::Ordinary.below(own), &mut sweep);
        let seen = Seen { changes: sweep.changes, uncovered: Vec::new(), missed };
        Ok((watch, seen))
    }

    /// Becomes readable when something happened.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// How many folders are not watched.
    #[must_use]
    pub fn blind(&self) -> usize {
        self.blind
    }

    /// Handles what happened, at most [`MAX_EVENTS`] at a time. Never blocks.
    ///
    /// # Errors
    /// [`WatchError::Read`].
    pub fn drain(&mut self, granted: &Granted, quarantine: &mut Quarantine) -> Result<Seen, WatchError> {
        let mut missed = false;
        let mut happened = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        while happened.len() < MAX_EVENTS {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(WatchError::Read(errno.into())),
            };
            missed |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            if event.events().contains(ReadFlags::IGNORED) {
                self.folders.remove(&event.wd());
            } else if let Some(name) = event.file_name() {
                let name = OsStr::from_bytes(name.to_bytes()).to_os_string();
                happened.push((event.wd(), name));
            }
        }
        // What remains in the buffer would be lost with it.
        missed |= !reader.is_buffer_empty();
        let mut sweep = sweep(granted, quarantine);
        let mut uncovered = Vec::new();
        for (watch, name) in happened {
            let Some((folder, place)) = self.folders.get(&watch).cloned() else {
                continue;
            };
            let path = folder.join(&name);
            if sweep.guarded(&path) {
                uncovered.push(path);
                continue;
            }
            missed |= self.appeared(&folder, place, &name, &mut sweep);
        }
        Ok(Seen { changes: sweep.changes, uncovered, missed })
    }

    /// Judges an entry that appeared, and watches it when it is a folder.
    fn appeared(&mut self, folder: &Path, place: Place, name: &OsStr, sweep: &mut Sweep<'_>) -> bool {
        let Ok(fd) = open::folder(sweep.granted.fd.as_fd(), folder) else {
            return false;
        };
        let Ok(facts) = open::facts_at(fd.as_fd(), name) else {
            return false;
        };
        let entry = Entry { name: name.to_os_string(), kind: facts.kind };
        match sweep.entry(&fd, folder, place, &entry) {
            Some(below) => self.enter(folder.join(name), below, sweep),
            None => false,
        }
    }

    /// Watches a folder and all below it, judging what is there already; true when it is too much.
    fn enter(&mut self, path: PathBuf, place: Place, sweep: &mut Sweep<'_>) -> bool {
        let mut stack = vec![(path, place)];
        let mut left = tree::MAX_ENTRIES;
        while let Some((path, mut place)) = stack.pop() {
            let Ok(fd) = open::folder(sweep.granted.fd.as_fd(), &path) else {
                continue;
            };
            let Ok(()) = self.add(&fd, &path, place) else {
                self.blind += 1;
                continue;
            };
            let Ok(entries) = tree::list(&fd, left) else {
                return true;
            };
            left -= entries.len();
            if place == Place::Ordinary && tree::is_git_dir(&entries) {
                place = Place::GitDir;
                let _ = self.add(&fd, &path, place);
            }
            for entry in entries {
                if let Some(below) = sweep.entry(&fd, &path, place, &entry) {
                    stack.push((path.join(entry.name), below));
                }
            }
        }
        false
    }

    /// Watches one folder. One that is watched already keeps its watch and gets its new path.
    fn add(&mut self, fd: &OwnedFd, path: &Path, place: Place) -> Result<(), Errno> {
        if self.folders.len() >= MAX_WATCHES {
            return Err(Errno::NOSPC);
        }
        let flags = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        let watch = inotify::add_watch(&self.inotify, open::by_descriptor(fd), flags)?;
        self.folders.insert(watch, (path.to_path_buf(), place));
        Ok(())
    }
}

fn sweep<'a>(granted: &'a Granted, quarantine: &'a mut Quarantine) -> Sweep<'a> {
    Sweep { granted, quarantine, changes: Changes::default() }
}
