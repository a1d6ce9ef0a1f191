//! Looks through a live writable grant for what the host would run and what was not there before,
//! and moves it out of the way.

use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use brig_engine::launch::{FileId, Treat};
use brig_policy::protect::{self, Place};
use rustix::fs::FileType;

use super::judge::Granted;
use super::open;
use super::quarantine::{Quarantine, QuarantineError};
use super::tree::{self, Entry, Folder, Listing, WalkError};

/// How many changed paths are listed; the count is always complete.
pub const MAX_LISTED: usize = 1000;

/// What changed in a grant since it was judged.
#[derive(Debug, Default)]
pub struct Changes {
    /// New files and folders that the host would run, and what became of them.
    pub quarantined: Vec<Quarantined>,
    /// Such files that were there before and are other files now. The host may have replaced them
    /// (editors do), which took the box's protection away: to be looked at.
    pub replaced: Vec<PathBuf>,
    /// Such files that are gone.
    pub gone: Vec<PathBuf>,
    /// New or changed setuid and setgid files.
    pub setuid: Vec<PathBuf>,
    /// New links that lead out of the grant, and where.
    pub links_out: Vec<(PathBuf, PathBuf)>,
    /// Folders that could not be looked into.
    pub closed: Vec<PathBuf>,
    /// How many files changed.
    pub changed: usize,
    /// The first [`MAX_LISTED`] of them.
    pub paths: Vec<PathBuf>,
}

/// A new file that the host would run.
#[derive(Debug)]
pub struct Quarantined {
    /// Relative to the grant.
    pub path: PathBuf,
    /// Why it is not left there.
    pub why: &'static str,
    /// Where it is kept; a link is not kept. An error means that it is still there.
    pub kept: Result<Option<PathBuf>, QuarantineError>,
}

/// Looks through a writable grant. Call it after the box has ended, or while it runs for a shorter
/// gap; what was judged as already there is left alone.
///
/// # Errors
/// [`WalkError`] when the grant has grown beyond the limits of a walk: what came to light until
/// then was moved all the same.
pub fn sweep(granted: &Granted, quarantine: &mut Quarantine) -> Result<Changes, WalkError> {
    let mut work = Sweep { granted, quarantine, changes: Changes::default() };
    let start = Place::Ordinary.below(tree::own_name(&granted.bind().source));
    tree::walk(granted.fd.as_fd(), start, |folder, listing| Ok::<_, WalkError>(work.folder(folder, listing)))?;
    for path in granted.baseline.host_run.keys() {
        let there = open::below(granted.fd.as_fd(), path, rustix::fs::OFlags::PATH);
        if matches!(there, Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR)) {
            work.changes.gone.push(path.clone());
        }
    }
    Ok(work.changes)
}

/// A sweep on its way.
pub(super) struct Sweep<'a> {
    pub(super) granted: &'a Granted,
    pub(super) quarantine: &'a mut Quarantine,
    pub(super) changes: Changes,
}

impl Sweep<'_> {
    fn folder(&mut self, folder: &Folder<Place>, listing: Listing) -> Vec<(OsString, Place)> {
        let Ok((fd, entries)) = listing else {
            if !self.covered(&folder.path) {
                self.changes.closed.push(folder.path.clone());
            }
            return Vec::new();
        };
        let mut place = folder.state;
        if place == Place::Ordinary && tree::is_git_dir(&entries) {
            place = Place::GitDir;
        }
        let mut next = Vec::new();
        for entry in entries {
            if let Some(below) = self.entry(&fd, &folder.path, place, &entry) {
                next.push((entry.name, below));
            }
        }
        next
    }

    /// Judges one entry; a folder that is to be entered gets its place.
    pub(super) fn entry(&mut self, fd: &OwnedFd, folder: &Path, place: Place, entry: &Entry) -> Option<Place> {
        let path = folder.join(&entry.name);
        if self.granted.submounts.contains_key(&path) || self.covered(&path) {
            self.compare(&path, fd, entry);
            return None;
        }
        let parent = if folder.as_os_str().is_empty() {
            tree::own_name(&self.granted.bind().source)
        } else {
            tree::own_name(folder)
        };
        let name = entry.name.as_bytes();
        if let Some(rule) = protect::look(place, parent, name).host_run
            && !self.existed(&path, fd, entry)
        {
            let kept = self.quarantine.take(fd.as_fd(), &entry.name);
            let why = rule.why;
            self.changes.quarantined.push(Quarantined { path, why, kept });
            return None;
        }
        if entry.kind == FileType::Directory {
            return (!self.frozen(&path)).then(|| place.below(name));
        }
        self.note(fd, entry, path);
        None
    }

    /// Whether something that the host runs was there when the grant was judged.
    fn existed(&mut self, path: &Path, fd: &OwnedFd, entry: &Entry) -> bool {
        let baseline = &self.granted.baseline;
        if entry.kind == FileType::Symlink {
            let said = rustix::fs::readlinkat(fd, &entry.name, Vec::new()).unwrap_or_default();
            let before = baseline.links.get(path);
            return before.is_some_and(|before| before.as_os_str().as_bytes() == said.to_bytes());
        }
        if baseline.git_dirs.contains(path) && entry.kind == FileType::Directory {
            return true;
        }
        self.compare(path, fd, entry)
    }

    /// Whether a path was there, noting when another file is there now.
    fn compare(&mut self, path: &Path, fd: &OwnedFd, entry: &Entry) -> bool {
        let Some(before) = self.granted.baseline.host_run.get(path) else {
            return false;
        };
        let now: Option<FileId> = open::facts_at(fd.as_fd(), &entry.name).ok().map(|facts| facts.id);
        if now != Some(*before) {
            self.changes.replaced.push(path.to_path_buf());
        }
        true
    }

    /// Whether a path is masked or read-only in the box.
    pub(super) fn guarded(&self, path: &Path) -> bool {
        self.covered(path) || self.treated(path, Treat::ReadOnly)
    }

    /// Whether the box did not see a path at all.
    fn covered(&self, path: &Path) -> bool {
        self.treated(path, Treat::Mask)
    }

    /// Whether the box could not write below a path.
    fn frozen(&self, path: &Path) -> bool {
        self.treated(path, Treat::ReadOnly) && !self.changes.replaced.iter().any(|other| other == path)
    }

    fn treated(&self, path: &Path, treat: Treat) -> bool {
        let inside = &self.granted.bind().inside;
        let found = inside.binary_search_by(|inside| inside.path.as_path().cmp(path));
        found.is_ok_and(|at| inside.get(at).is_some_and(|inside| inside.treat == treat))
    }

    /// Notes a file that changed since the grant was judged.
    fn note(&mut self, fd: &OwnedFd, entry: &Entry, path: PathBuf) {
        let Ok(facts) = open::facts_at(fd.as_fd(), &entry.name) else {
            return;
        };
        if facts.changed <= self.granted.began {
            return;
        }
        if entry.kind == FileType::RegularFile && facts.setuid() {
            self.changes.setuid.push(path.clone());
        }
        if entry.kind == FileType::Symlink
            && let Ok(Some(to)) = super::stage::leads_out(self.granted.fd.as_fd(), &path)
        {
            self.changes.links_out.push((path.clone(), to));
        }
        self.changes.changed += 1;
        if self.changes.paths.len() < MAX_LISTED {
            self.changes.paths.push(path);
        }
    }
}
