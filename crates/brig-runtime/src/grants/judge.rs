//! Judges one mount of a host file or folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use brig_engine::launch::Bind;
use brig_policy::floor::{self, Candidate, Cleared, Identity, Refused};
use brig_policy::mount::Access;
use brig_policy::protect::{self, Place};
use rustix::fs::{FileType, OFlags};

use super::arrange;
use super::open::{self, Facts};
use super::report::{Note, Report};
use super::scan::{self, Baseline, Scan};
use super::survey::{Survey, identity};
use super::tree::WalkError;

/// The most parts of one grant that are treated apart: each becomes a mount of the box, at some
/// ten microseconds.
pub const MAX_TREATED: usize = 4096;

/// A host file or folder that was judged and may appear in a box.
#[derive(Debug)]
pub struct Granted {
    bind: Bind,
    access: Access,
    folder: bool,
    report: Report,
    cleared: Cleared,
    pub(super) fd: OwnedFd,
    pub(super) baseline: Baseline,
    pub(super) submounts: BTreeMap<PathBuf, String>,
    pub(super) began: open::Moment,
}

/// A host file or folder that may not appear in a box.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Nothing lies there; brig never creates it.
    #[error("{spelt} does not exist ({})", .path.display())]
    Missing {
        /// As it was asked for.
        spelt: String,
        /// The absolute path.
        path: PathBuf,
    },
    /// The path cannot be resolved.
    #[error("{spelt} cannot be resolved")]
    Resolve {
        /// As it was asked for.
        spelt: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file cannot be opened.
    #[error("{} cannot be opened", .path.display())]
    Open {
        /// Its real path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something was renamed while it was judged.
    #[error("{} was replaced while it was judged", .path.display())]
    Changed {
        /// Its real path.
        path: PathBuf,
    },
    /// A path is not UTF-8.
    #[error("the path {} is not valid UTF-8", .path.display())]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// A socket, FIFO or device.
    #[error("{} is a {kind}, which is never granted", .path.display())]
    Special {
        /// Its real path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The floor.
    #[error(transparent)]
    Floor(#[from] Refused),
    /// Another name of a credential file.
    #[error("{} {why}", .path.display())]
    Linked {
        /// Its real path.
        path: PathBuf,
        /// Why that is refused.
        why: &'static str,
    },
    /// Written, it would be run by the host.
    #[error("{} may not be written: {} {why}", .path.display(), .name.display())]
    HostRun {
        /// Its real path.
        path: PathBuf,
        /// The part of the path that the host obeys.
        name: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// Only a folder can be staged.
    #[error("{} is a file, and only a folder can be staged", .path.display())]
    StagedFile {
        /// Its real path.
        path: PathBuf,
    },
    /// The folder cannot be searched for secrets.
    #[error("{} cannot be granted: {source}", .path.display())]
    Walk {
        /// Its real path.
        path: PathBuf,
        /// Why.
        source: WalkError,
    },
    /// Too many secrets, or other things to be covered.
    #[error("{} holds {count} files that must be masked or protected, more than {MAX_TREATED}", .path.display())]
    TooManyTreated {
        /// Its real path.
        path: PathBuf,
        /// How many.
        count: usize,
    },
}

impl GrantError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { spelt, .. } if spelt.starts_with('~') => {
                "write $HOME in place of ~: a ~ that is not at the start of a word is not \
                 expanded by shells, and brig expands none"
                    .into()
            }
            Self::Missing { path, .. } => {
                format!("look for a typing error, or make it: mkdir -p {}", quoted(path))
            }
            Self::Resolve { .. } | Self::Open { .. } => {
                "look at the permissions of it and of the folders above it".into()
            }
            Self::Changed { .. } => "try again when nothing moves files there".into(),
            Self::NotUtf8 { path } => {
                format!("rename it, or grant a folder without it: {}", quoted(path))
            }
            Self::Linked { path, .. } => {
                format!("remove this further name of it: rm {}", quoted(path))
            }
            Self::Special { .. } => "grant a file or a folder".into(),
            Self::Floor(refused) => return refused.hint(),
            Self::HostRun { path, .. } => {
                format!("grant it read-only: -v {0}:{0}:ro", quoted(path))
            }
            Self::StagedFile { path } => {
                let folder = path.parent().unwrap_or(path);
                format!("grant its folder: -v {0}:{0}:rw,staged", quoted(folder))
            }
            Self::Walk { source, .. } => return source.hint(),
            Self::TooManyTreated { .. } => "grant a smaller folder inside it".into(),
        })
    }
}

/// Judges a host file or folder, as it was spelt (relative to the caller's working folder).
///
/// # Errors
/// [`GrantError`]; nothing is granted in part.
pub fn judge(spelt: &str, access: Access, survey: &Survey) -> Result<Granted, GrantError> {
    let path = resolve(spelt, survey)?;
    let (fd, facts) = open_source(&path)?;
    let folder = kind_of(&path, &facts, access)?;
    let writable = access != Access::ReadOnly;
    let cleared = clear(&path, &facts, writable, survey)?;
    if writable {
        refuse_host_run(&path, folder)?;
    }
    let mut granted = Granted {
        bind: Bind { source: path, expect: facts.id, writable, inside: Vec::new(), owned: true },
        access,
        folder,
        report: Report::default(),
        cleared,
        fd,
        baseline: Baseline::default(),
        submounts: BTreeMap::new(),
        began: now(),
    };
    if facts.setuid() && !folder {
        granted.report.notes.push(Note::Setuid(PathBuf::new()));
    }
    if folder {
        granted.look_inside(survey)?;
    }
    if access == Access::ReadWrite && folder {
        granted.report.notes.push(Note::LiveIsWeaker);
    }
    Ok(granted)
}

impl Granted {
    /// The order for the engine. Of a staged grant this is the lower folder; see
    /// [`super::stage::Stage::what`].
    #[must_use]
    pub fn bind(&self) -> &Bind {
        &self.bind
    }

    /// What the box may do with it.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Whether it is a folder; else it is a regular file.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.folder
    }

    /// What was masked and protected.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The proof that it was compared with the floor.
    #[must_use]
    pub fn cleared(&self) -> &Cleared {
        &self.cleared
    }

    /// The judged file itself (`O_PATH`): as long as this is open, no other file can take its
    /// device and inode numbers.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn look_inside(&mut self, survey: &Survey) -> Result<(), GrantError> {
        let source = self.bind.source.clone();
        self.submounts = submounts(&source, survey);
        let scan = Scan {
            root: self.fd.as_fd(),
            path: &source,
            submounts: &self.submounts,
            linked: &survey.linked,
            writable: self.bind.writable,
        };
        let mut found = scan::scan(scan).map_err(|error| GrantError::Walk { path: source.clone(), source: error })?;
        let inside = arrange::arrange(&mut found.treated, self.bind.writable);
        if inside.len() > MAX_TREATED {
            let (path, count) = (source, inside.len());
            return Err(GrantError::TooManyTreated { path, count });
        }
        if let Some(part) = inside.iter().find(|part| part.path.to_str().is_none()) {
            let path = source.join(&part.path);
            return Err(GrantError::NotUtf8 { path });
        }
        self.bind.inside = inside;
        self.baseline = found.baseline;
        self.report.treated = found.treated;
        self.report.notes = found.notes;
        self.report.entries = found.entries;
        Ok(())
    }
}

/// The real path of what the user asks for.
fn resolve(spelt: &str, survey: &Survey) -> Result<PathBuf, GrantError> {
    let path = survey.cwd.join(spelt);
    let real = std::fs::canonicalize(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => GrantError::Missing { spelt: spelt.into(), path },
        _ => GrantError::Resolve { spelt: spelt.into(), source },
    })?;
    if real.to_str().is_none() {
        return Err(GrantError::NotUtf8 { path: real });
    }
    Ok(real)
}

/// Opens the real path, in which no link may have appeared meanwhile, and asks the kernel back
/// under which path it knows the opened file.
fn open_source(path: &Path) -> Result<(OwnedFd, Facts), GrantError> {
    let failed = |source: std::io::Error| GrantError::Open { path: path.to_path_buf(), source };
    let changed = || GrantError::Changed { path: path.to_path_buf() };
    let fd = match open::real(path, OFlags::PATH) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOENT) => return Err(changed()),
        Err(errno) => return Err(failed(errno.into())),
    };
    let facts = open::facts(&fd).map_err(|errno| failed(errno.into()))?;
    if facts.kind == FileType::Symlink || open::path_of(&fd).map_err(failed)? != path {
        return Err(changed());
    }
    Ok((fd, facts))
}

/// Whether the source is a folder; anything but a file or folder is refused.
fn kind_of(path: &Path, facts: &Facts, access: Access) -> Result<bool, GrantError> {
    let path = path.to_path_buf();
    let kind = match facts.kind {
        FileType::Directory => return Ok(true),
        FileType::RegularFile if access == Access::Staged => {
            return Err(GrantError::StagedFile { path });
        }
        FileType::RegularFile => return Ok(false),
        FileType::Socket => "socket",
        FileType::Fifo => "FIFO",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        _ => "file of an unknown type",
    };
    Err(GrantError::Special { path, kind })
}

fn clear(path: &Path, facts: &Facts, writable: bool, survey: &Survey) -> Result<Cleared, GrantError> {
    let parents: Vec<Identity> = path
        .ancestors()
        .skip(1)
        .map(|folder| {
            open::facts_of(folder)
                .map(|facts| identity(facts.id))
                .map_err(|errno| GrantError::Open { path: folder.to_path_buf(), source: errno.into() })
        })
        .collect::<Result<_, _>>()?;
    let source = Candidate { path, itself: identity(facts.id), parents: &parents, writable };
    let cleared = floor::clear(&source, &survey.ground)?;
    if let Some(why) = survey.linked.get(&source.itself)
        && facts.kind == FileType::RegularFile
    {
        let path = path.to_path_buf();
        return Err(GrantError::Linked { path, why });
    }
    Ok(cleared)
}

/// A source that is, or lies in, what the host runs is not written, even when it was named. A
/// repository's own folder is the exception, whose parts are protected one by one, and so is a
/// checkout that a client keeps among its settings.
fn refuse_host_run(path: &Path, folder: bool) -> Result<(), GrantError> {
    let mut place = Place::Ordinary;
    let mut parent: &OsStr = OsStr::new("");
    let mut name = PathBuf::new();
    let mut refused = None;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let component = component.as_os_str();
        name.push(component);
        let rule = protect::look(place, parent.as_bytes(), component.as_bytes()).host_run;
        place = place.below(component.as_bytes());
        let is_folder = folder || components.peek().is_some();
        if let Some(rule) = rule
            && refused.is_none()
            && !(is_folder && place == Place::GitDir)
        {
            refused = Some((name.clone(), rule.why));
        }
        if components.peek().is_some() && protect::holds_checkouts(parent.as_bytes(), component.as_bytes()) {
            refused = None;
        }
        parent = component;
    }
    match refused {
        Some((name, why)) => Err(GrantError::HostRun { path: path.to_path_buf(), name, why }),
        None => Ok(()),
    }
}

/// The mounts below a folder, relative to it. Those on top of a part of another mount are covered
/// with it.
fn submounts(source: &Path, survey: &Survey) -> BTreeMap<PathBuf, String> {
    let below = survey.ground.mounts().iter().filter_map(|mount| {
        let path = mount.point.strip_prefix(source).ok()?;
        let itself = path.as_os_str().is_empty();
        (!itself).then(|| (path.to_path_buf(), mount.kind.clone()))
    });
    below.collect()
}

/// The clock by which the kernel stamps files. A stamp is never ahead of it, and at most one tick
/// (10 ms) behind: what the host changes within a tick from now counts as before, and no box has
/// started by then.
fn now() -> open::Moment {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    (now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// A path as a word for a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
