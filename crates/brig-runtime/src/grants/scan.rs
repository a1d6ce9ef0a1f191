//! Finds what a granted folder holds that the box must not see or not write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use brig_engine::launch::{FileId, Treat};
use brig_policy::floor::Identity;
use brig_policy::protect::{self, Judgement, PEEK_BYTES, Place, Rule};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::report::{Note, Treated, Why};
use super::tree::{self, Entry, Folder, Listing, WalkError};
use super::{links, open};

/// What a scan looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) root: BorrowedFd<'a>,
    /// The root's real path.
    pub(super) path: &'a Path,
    /// Mounts below the root, relative to it, with their type.
    pub(super) submounts: &'a BTreeMap<PathBuf, String>,
    /// Floor files that have further names.
    pub(super) linked: &'a HashMap<Identity, &'static str>,
    pub(super) writable: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) treated: Vec<Treated>,
    pub(super) notes: Vec<Note>,
    pub(super) baseline: Baseline,
    pub(super) entries: usize,
}

/// What the host obeys and what already existed when the grant was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Baseline {
    /// Git's own folders.
    pub(super) git_dirs: BTreeSet<PathBuf>,
    /// Files and folders that the host runs.
    pub(super) host_run: BTreeMap<PathBuf, FileId>,
    /// Links with such a name, and what they said.
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
}

/// What is known of a folder when the walk enters it.
#[derive(Debug, Clone, Copy)]
struct State {
    place: Place,
    /// It lies in a read-only part.
    frozen: bool,
}

/// A link whose name says secret or host-run: what it leads to is treated so.
struct Lead {
    path: PathBuf,
    treat: Treat,
    rule: &'static Rule,
}

/// Scans a granted folder.
///
/// # Errors
/// [`WalkError`]: its limits, or a file that cannot be looked at for another reason than its
/// permissions.
pub(super) fn scan(scan: Scan<'_>) -> Result<Found, WalkError> {
    let mut work = Work { scan, found: Found::default(), leads: Vec::new() };
    let start = State { place: Place::Ordinary.below(tree::own_name(scan.path)), frozen: false };
    work.found.entries = tree::walk(scan.root, start, |folder, listing| work.folder(folder, listing))?;
    work.follow_leads()?;
    links::treat_further_names(scan, &mut work.found)?;
    Ok(work.found)
}

struct Work<'a> {
    scan: Scan<'a>,
    found: Found,
    leads: Vec<Lead>,
}

impl Work<'_> {
    fn folder(&mut self, folder: &Folder<State>, listing: Listing) -> Result<Vec<(OsString, State)>, WalkError> {
        let (fd, entries) = match listing {
            Ok(listing) => listing,
            Err(errno) => return self.closed(folder, errno).map(|()| Vec::new()),
        };
        let mut state = folder.state;
        if tree::is_git_dir(&entries) {
            if state.place != Place::GitModules {
                state.place = Place::GitDir;
            }
            self.found.baseline.git_dirs.insert(folder.path.clone());
        } else if state.place == Place::GitDir {
            // Not a repository yet: as a whole read-only, or the box completes it.
            state.place = Place::Ordinary;
            if self.scan.writable && !state.frozen && !folder.path.as_os_str().is_empty() {
                let why = "would be a repository whose settings Git runs";
                self.protect(&fd, &folder.path, OsStr::new(""), why);
                state.frozen = true;
            }
        }
        let parent = if folder.path.as_os_str().is_empty() {
            tree::own_name(self.scan.path)
        } else {
            tree::own_name(&folder.path)
        };
        let mut next = Vec::new();
        for entry in entries {
            let at = At { fd: &fd, folder: &folder.path, parent, state };
            if let Some(state) = self.entry(at, &entry)? {
                next.push((entry.name, state));
            }
        }
        Ok(next)
    }

    /// Judges one entry; a folder that is to be entered gets its state.
    fn entry(&mut self, at: At<'_>, entry: &Entry) -> Result<Option<State>, WalkError> {
        if !self.scan.submounts.is_empty() {
            let path = at.folder.join(&entry.name);
            if let Some(kind) = self.scan.submounts.get(&path) {
                let why = Why::Submount(kind.clone());
                self.mask(path, why);
                return Ok(None);
            }
        }
        let special = match entry.kind {
            FileType::Socket => Some(Why::Socket),
            FileType::Fifo => Some(Why::Fifo),
            FileType::CharacterDevice | FileType::BlockDevice => Some(Why::Device),
            _ => None,
        };
        if let Some(why) = special {
            self.mask(at.folder.join(&entry.name), why);
            return Ok(None);
        }
        let name = entry.name.as_bytes();
        let look = protect::look(at.state.place, at.parent, name);
        if let Some(rule) = look.secret
            && self.holds(&at, entry, rule)?
        {
            let path = at.folder.join(&entry.name);
            if entry.kind == FileType::Symlink {
                self.lead(&at, &entry.name, Treat::Mask, rule);
            } else {
                self.note_host_run(&at, entry, look.host_run);
                self.mask(path, Why::Secret(rule.why));
                return Ok(None);
            }
        }
        let mut state = State { place: at.state.place.below(name), frozen: at.state.frozen };
        if let Some(rule) = look.host_run
            && self.scan.writable
            && !at.state.frozen
        {
            if entry.kind == FileType::Symlink {
                self.lead(&at, &entry.name, Treat::ReadOnly, rule);
            } else if !(entry.kind == FileType::Directory && state.place == Place::GitDir) {
                self.protect(at.fd, at.folder, &entry.name, rule.why);
                state.frozen = true;
            }
        }
        Ok((entry.kind == FileType::Directory).then_some(state))
    }

    /// Whether a rule's proof agrees. Of a link that is decided later, when it is followed.
    fn holds(&self, at: &At<'_>, entry: &Entry, rule: &Rule) -> Result<bool, WalkError> {
        if entry.kind == FileType::Symlink || !rule.proof.needs_content() {
            return Ok(true);
        }
        let path = at.folder.join(&entry.name);
        Ok(entry.kind == FileType::RegularFile && self.proved(&path, rule)?)
    }

    /// Judges a file by its bytes. One that may not be read cannot be told from a secret.
    fn proved(&self, path: &Path, rule: &Rule) -> Result<bool, WalkError> {
        let read = open::file(self.scan.root, path)
            .map_err(std::io::Error::from)
            .and_then(|file| open::read_start(file, PEEK_BYTES));
        match read {
            Ok((bytes, whole)) => Ok(rule.proof.judge(&bytes, whole) == Judgement::Secret),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(WalkError::Look { path: path.to_path_buf(), source }),
        }
    }

    /// A folder that could not be opened.
    fn closed(&mut self, folder: &Folder<State>, errno: Errno) -> Result<(), WalkError> {
        let path = folder.path.clone();
        match errno {
            Errno::XDEV => self.mask(path, Why::Submount("unknown".into())),
            Errno::ACCESS | Errno::PERM if !path.as_os_str().is_empty() => {
                self.mask(path, Why::Unreadable);
            }
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP if !path.as_os_str().is_empty() => {
                self.found.notes.push(Note::Vanished(path));
            }
            errno => {
                let source = errno.into();
                return Err(WalkError::Look { path, source });
            }
        }
        Ok(())
    }

    fn mask(&mut self, path: PathBuf, why: Why) {
        let treat = Treat::Mask;
        self.found.treated.push(Treated { path, treat, why });
    }

    /// Makes an entry read-only; an empty name is the folder itself.
    fn protect(&mut self, fd: &OwnedFd, folder: &Path, name: &OsStr, why: &'static str) {
        let path = joined(folder, name);
        self.remember(fd, &path, name);
        self.found.treated.push(Treated { path, treat: Treat::ReadOnly, why: Why::HostRun(why) });
    }

    /// Some masked files are run by the host as well; a sweep must know that they existed.
    fn note_host_run(&mut self, at: &At<'_>, entry: &Entry, rule: Option<&Rule>) {
        if rule.is_some() && self.scan.writable {
            self.remember(at.fd, &at.folder.join(&entry.name), &entry.name);
        }
    }

    fn remember(&mut self, fd: &OwnedFd, path: &Path, name: &OsStr) {
        let facts = if name.is_empty() { open::facts(fd) } else { open::facts_at(fd.as_fd(), name) };
        if let Ok(facts) = facts {
            self.found.baseline.host_run.insert(path.to_path_buf(), facts.id);
            if facts.setuid() && facts.kind == FileType::RegularFile {
                self.found.notes.push(Note::Setuid(path.to_path_buf()));
            }
        }
    }

    fn lead(&mut self, at: &At<'_>, name: &OsStr, treat: Treat, rule: &'static Rule) {
        let path = at.folder.join(name);
        if treat == Treat::ReadOnly {
            let said = rustix::fs::readlinkat(at.fd, name, Vec::new()).unwrap_or_default();
            let said = PathBuf::from(OsStr::from_bytes(said.to_bytes()));
            self.found.baseline.links.insert(path.clone(), said);
            self.found.notes.push(Note::ReplaceableLink(path.clone()));
        }
        self.leads.push(Lead { path, treat, rule });
    }

    /// Treats what the noted links lead to, when that lies inside the grant: only there does the
    /// box see it under its other name.
    fn follow_leads(&mut self) -> Result<(), WalkError> {
        for lead in std::mem::take(&mut self.leads) {
            let Ok(target) = std::fs::canonicalize(self.scan.path.join(&lead.path)) else {
                continue;
            };
            let Ok(inside) = target.strip_prefix(self.scan.path) else {
                continue;
            };
            let proof = lead.rule.proof;
            if inside.as_os_str().is_empty() || (proof.needs_content() && !self.proved(inside, lead.rule)?) {
                continue;
            }
            if lead.treat == Treat::ReadOnly
                && let Ok(fd) = open::below(self.scan.root, inside, OFlags::PATH)
            {
                self.remember(&fd, inside, OsStr::new(""));
            }
            self.found.treated.push(Treated {
                path: inside.to_path_buf(),
                treat: lead.treat,
                why: Why::LedToBy(lead.path, lead.rule.why),
            });
        }
        Ok(())
    }
}

/// Where an entry lies.
#[derive(Clone, Copy)]
struct At<'a> {
    fd: &'a OwnedFd,
    folder: &'a Path,
    /// The folder's own name.
    parent: &'a [u8],
    state: State,
}

fn joined(folder: &Path, name: &OsStr) -> PathBuf {
    if name.is_empty() { folder.to_path_buf() } else { folder.join(name) }
}
