//! Applies what a box wrote to the real folder, as far as it passes the filter.

mod overlay;
mod place;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use brig_engine::launch::Treat;
use brig_policy::protect::{self, Judgement, Look, PEEK_BYTES, Place, Rule};
use rustix::fs::FileType;

use super::super::judge::Granted;
use super::super::open::{self, Facts};
use super::super::quarantine::{Quarantine, QuarantineError};
use super::super::tree::{self, Entry};
use super::{Stage, StageError};
use overlay::Oddity;
pub(in super::super) use place::leads_out;

/// How many paths of each kind a result lists; the counts are always complete.
pub const MAX_LISTED: usize = 1000;

/// What became of a staged grant's writes.
#[derive(Debug, Default)]
pub struct Applied {
    /// Files, folders and links that were made or replaced.
    pub written: usize,
    /// Files, folders and links that were removed.
    pub removed: usize,
    /// The first [`MAX_LISTED`] of both, relative to the grant.
    pub paths: Vec<PathBuf>,
    /// What was not applied.
    pub withheld: Vec<Withheld>,
}

/// A write that was not applied.
#[derive(Debug)]
pub struct Withheld {
    /// Relative to the grant.
    pub path: PathBuf,
    /// Why.
    pub why: WithheldWhy,
    /// Where the box's version is kept: only files and folders are. An error means that it is
    /// still in the stage.
    pub kept: Result<Option<PathBuf>, QuarantineError>,
}

/// Why a write was not applied.
#[derive(Debug)]
pub enum WithheldWhy {
    /// The host would run or obey it.
    HostRun(&'static str),
    /// Its name says that it is a secret, and secrets were masked.
    Secret(&'static str),
    /// It was masked or read-only in the box, so no honest box wrote it.
    Protected,
    /// The host changed it as well while the box ran.
    HostChanged,
    /// It would be setuid or setgid.
    Setuid,
    /// A link that leads out of the grant.
    LeadsOut(PathBuf),
    /// A socket, FIFO or device.
    Special,
    /// A feature of overlayfs that brig does not use.
    Odd(&'static str),
    /// The system refused.
    Failed(io::Error),
}

/// Applies what the box wrote. Call it only after the box has ended.
///
/// # Errors
/// [`StageError`] when the writes themselves cannot be read or are beyond all limits; what concerns
/// a single file is in [`Applied::withheld`].
pub fn apply(stage: &Stage, granted: &Granted, quarantine: &mut Quarantine) -> Result<Applied, StageError> {
    let guarded = granted.bind().inside.iter();
    let guarded = guarded.filter(|inside| inside.treat != Treat::Hold).map(|inside| inside.path.clone()).collect();
    let mut work = Work {
        upper: stage.upper_fd.as_fd(),
        granted,
        quarantine,
        guarded,
        applied: Applied::default(),
        links: Vec::new(),
        entries: 0,
    };
    let own = tree::own_name(&granted.bind().source);
    let mut stack = vec![(PathBuf::new(), Place::Ordinary.below(own))];
    while let Some((path, place)) = stack.pop() {
        if path.components().count() > tree::MAX_DEPTH {
            return Err(StageError::TooDeep { path });
        }
        let entered = work.folder(&path, place)?;
        stack.extend(entered);
    }
    work.links();
    Ok(work.applied)
}

type Kept = Result<Option<PathBuf>, QuarantineError>;

struct Work<'a> {
    upper: BorrowedFd<'a>,
    granted: &'a Granted,
    quarantine: &'a mut Quarantine,
    /// What was masked or read-only in the box.
    guarded: BTreeSet<PathBuf>,
    applied: Applied,
    /// Links wait until all that they may lead to is there.
    links: Vec<PathBuf>,
    entries: usize,
}

/// What is to be done with an entry of the upper folder.
enum Verdict {
    Enter(Place),
    Write(Facts),
    Link,
    Remove,
    Withhold(WithheldWhy),
}

impl Work<'_> {
    fn real(&self) -> BorrowedFd<'_> {
        self.granted.fd.as_fd()
    }

    fn folder(&mut self, path: &Path, place: Place) -> Result<Vec<(PathBuf, Place)>, StageError> {
        let failed = |source: io::Error| StageError::Read { path: path.to_path_buf(), source };
        let fd = overlay::folder(self.upper, path).map_err(failed)?;
        let left = tree::MAX_ENTRIES - self.entries;
        let entries = match tree::list(&fd, left) {
            Ok(entries) => entries,
            Err(rustix::io::Errno::OVERFLOW) => return Err(StageError::TooMany),
            Err(errno) => return Err(failed(errno.into())),
        };
        self.entries += entries.len();
        let place = self.real_place(path, place, &entries);
        if overlay::is_opaque(&fd) {
            self.replace(path, place, &entries);
        }
        let mut enter = Vec::new();
        for entry in entries {
            let below = path.join(&entry.name);
            let verdict = self.verdict(&fd, &below, &entry, place);
            let replaces = matches!(verdict, Verdict::Write(_) | Verdict::Link);
            if replaces && place::is_folder(self.real(), &below) {
                self.remove(&below, place);
            }
            match verdict {
                Verdict::Enter(place) => match place::folder(self.real(), &below, &fd) {
                    Ok(made) => {
                        self.note(made, below.clone());
                        enter.push((below, place));
                    }
                    Err(error) => self.withhold(&fd, below, WithheldWhy::Failed(error)),
                },
                Verdict::Write(facts) => match place::file(self.real(), &below, &fd, &facts) {
                    Ok(()) => self.note(true, below),
                    Err(error) => self.withhold(&fd, below, WithheldWhy::Failed(error)),
                },
                Verdict::Link => self.links.push(below),
                Verdict::Remove => self.remove(&below, place),
                Verdict::Withhold(why) => self.withhold(&fd, below, why),
            }
        }
        Ok(enter)
    }

    /// A folder that, with what is written to it, would be a repository is treated as one.
    fn real_place(&self, path: &Path, place: Place, entries: &[Entry]) -> Place {
        let here =
            |name: &str| entries.iter().any(|entry| entry.name == name) || place::exists(self.real(), &path.join(name));
        let is_repository = protect::is_git_dir(here("HEAD"), here("objects"), here("refs"));
        if place == Place::Ordinary && is_repository { Place::GitDir } else { place }
    }

    fn verdict(&self, fd: &OwnedFd, path: &Path, entry: &Entry, place: Place) -> Verdict {
        if self.guarded.contains(path) {
            return Verdict::Withhold(WithheldWhy::Protected);
        }
        let facts = match open::facts_at(fd.as_fd(), &entry.name) {
            Ok(facts) => facts,
            Err(errno) => return Verdict::Withhold(WithheldWhy::Failed(errno.into())),
        };
        let oddity = overlay::oddity(fd, &entry.name, &facts);
        if let Some(Oddity::Unused(feature)) = oddity {
            return Verdict::Withhold(WithheldWhy::Odd(feature));
        }
        let removed = oddity == Some(Oddity::Whiteout);
        let name = entry.name.as_bytes();
        let below = place.below(name);
        let look = protect::look(place, self.parent(path), name);
        let is_folder = facts.kind == FileType::Directory;
        // Git's own folder is entered where the host already has one.
        let known = is_folder && below == Place::GitDir && place::is_folder(self.real(), path);
        if let Some(why) = self.filtered(fd, look, &entry.name, removed || is_folder)
            && !known
        {
            return Verdict::Withhold(why);
        }
        if !is_folder && place::changed_since(self.real(), path, self.granted.began) {
            return Verdict::Withhold(WithheldWhy::HostChanged);
        }
        match facts.kind {
            _ if removed => Verdict::Remove,
            FileType::Directory => Verdict::Enter(below),
            FileType::RegularFile if facts.setuid() => Verdict::Withhold(WithheldWhy::Setuid),
            FileType::RegularFile => Verdict::Write(facts),
            FileType::Symlink => Verdict::Link,
            _ => Verdict::Withhold(WithheldWhy::Special),
        }
    }

    /// Whether the tables keep an entry from being applied; without content the name decides.
    fn filtered(&self, fd: &OwnedFd, look: Look, name: &OsStr, no_content: bool) -> Option<WithheldWhy> {
        if let Some(rule) = look.host_run {
            return Some(WithheldWhy::HostRun(rule.why));
        }
        let rule = look.secret?;
        let secret = !rule.proof.needs_content() || (!no_content && proved(fd, name, rule));
        secret.then_some(WithheldWhy::Secret(rule.why))
    }

    fn parent<'b>(&'b self, path: &'b Path) -> &'b [u8] {
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => tree::own_name(parent),
            _ => tree::own_name(&self.granted.bind().source),
        }
    }

    /// An opaque folder replaces the real one: what it does not hold itself was removed.
    fn replace(&mut self, path: &Path, place: Place, entries: &[Entry]) {
        let Ok(fd) = open::folder(self.real(), path) else {
            return;
        };
        let Ok(existing) = tree::list(&fd, tree::MAX_ENTRIES) else {
            return;
        };
        let kept: BTreeSet<&OsString> = entries.iter().map(|entry| &entry.name).collect();
        for entry in existing {
            if !kept.contains(&entry.name) {
                self.remove(&path.join(entry.name), place);
            }
        }
    }

    /// Removes what the box removed, except what it could not see or not write.
    fn remove(&mut self, path: &Path, place: Place) {
        let mut stack = vec![(path.to_path_buf(), place, false)];
        while let Some((path, place, emptied)) = stack.pop() {
            let name = path.file_name().unwrap_or_default().as_bytes();
            let look = protect::look(place, self.parent(&path), name);
            let by_name = look.secret.is_some_and(|rule| !rule.proof.needs_content());
            let why = if self.guarded.contains(&path) || look.host_run.is_some() || by_name {
                Some(WithheldWhy::Protected)
            } else if !emptied && place::changed_since(self.real(), &path, self.granted.began) {
                Some(WithheldWhy::HostChanged)
            } else {
                None
            };
            if let Some(why) = why {
                self.list(path, why, Ok(None));
                continue;
            }
            if !emptied && place::is_folder(self.real(), &path) {
                let listed = open::folder(self.real(), &path).and_then(|fd| tree::list(&fd, tree::MAX_ENTRIES));
                let below = place.below(name);
                match listed {
                    Ok(entries) => {
                        stack.push((path.clone(), place, true));
                        for entry in entries {
                            stack.push((path.join(entry.name), below, false));
                        }
                    }
                    Err(errno) => self.list(path, WithheldWhy::Failed(errno.into()), Ok(None)),
                }
                continue;
            }
            match place::unlink(self.real(), &path) {
                Ok(true) => {
                    self.applied.removed += 1;
                    self.remember(path);
                }
                // Not there, or a folder in which something protected stays.
                Ok(false) => {}
                Err(error) => self.list(path, WithheldWhy::Failed(error), Ok(None)),
            }
        }
    }

    /// Makes the links, then looks again at each when all of them exist.
    fn links(&mut self) {
        let links = std::mem::take(&mut self.links);
        let mut made = Vec::new();
        for path in links {
            match place::link(self.real(), &path, self.upper) {
                Ok(Ok(())) => made.push(path),
                Ok(Err(to)) => self.list(path, WithheldWhy::LeadsOut(to), Ok(None)),
                Err(error) => self.list(path, WithheldWhy::Failed(error), Ok(None)),
            }
        }
        for path in made {
            match leads_out(self.real(), &path) {
                Ok(None) => self.note(true, path),
                Ok(Some(to)) => {
                    let _ = place::unlink(self.real(), &path);
                    self.list(path, WithheldWhy::LeadsOut(to), Ok(None));
                }
                Err(error) => self.list(path, WithheldWhy::Failed(error), Ok(None)),
            }
        }
    }

    fn note(&mut self, written: bool, path: PathBuf) {
        if written {
            self.applied.written += 1;
            self.remember(path);
        }
    }

    fn remember(&mut self, path: PathBuf) {
        if self.applied.paths.len() < MAX_LISTED {
            self.applied.paths.push(path);
        }
    }

    /// Keeps the box's version out of reach, and lists it.
    fn withhold(&mut self, fd: &OwnedFd, path: PathBuf, why: WithheldWhy) {
        let name = path.file_name().unwrap_or_default();
        let kept = self.quarantine.take(fd.as_fd(), name);
        self.list(path, why, kept);
    }

    fn list(&mut self, path: PathBuf, why: WithheldWhy, kept: Kept) {
        self.applied.withheld.push(Withheld { path, why, kept });
    }
}

/// Whether the bytes that the box wrote are what the rule is about.
fn proved(fd: &OwnedFd, name: &OsStr, rule: &Rule) -> bool {
    overlay::file(fd.as_fd(), Path::new(name))
        .and_then(|file| open::read_start(file, PEEK_BYTES))
        .is_ok_and(|(bytes, whole)| rule.proof.judge(&bytes, whole) == Judgement::Secret)
}

impl fmt::Display for WithheldWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostRun(why) | Self::Secret(why) => f.write_str(why),
            Self::Protected => f.write_str("was closed to the box"),
            Self::HostChanged => f.write_str("was changed by the host as well while the box ran"),
            Self::Setuid => f.write_str("would run with another user's rights"),
            Self::LeadsOut(to) => write!(f, "is a link that leads out of the grant, to {}", to.display()),
            Self::Special => f.write_str("is a socket, FIFO or device"),
            Self::Odd(feature) => write!(f, "uses {feature} of overlayfs, which brig does not"),
            Self::Failed(error) => write!(f, "could not be applied: {error}"),
        }
    }
}
