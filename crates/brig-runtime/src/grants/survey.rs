//! Finds out, once a run, what the floor's paths are on this machine.

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use brig_policy::floor::{Ground, Identity, Position, Reach};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::mountinfo::{self, MountLineError};
use super::{open, tree};

/// Who asks, as far as mounts are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The working folder, absolute.
    pub cwd: PathBuf,
    /// The caller's home, and the invoking user's under sudo. Absolute.
    pub homes: Vec<PathBuf>,
    /// brig's own folders: configuration, store, run folders, secrets. Absolute.
    pub own: Vec<PathBuf>,
}

/// What is known about this machine when a mount is judged.
#[derive(Debug)]
pub struct Survey {
    pub(super) ground: Ground,
    pub(super) cwd: PathBuf,
    /// Files of the floor that have further names, which may lie inside a grant.
    pub(super) linked: HashMap<Identity, &'static str>,
}

/// The floor of this machine could not be established.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A path of the caller is relative.
    #[error("{} is not an absolute path", .path.display())]
    Relative {
        /// The path.
        path: PathBuf,
    },
    /// The table of mounts could not be read.
    #[error("the table of mounts /proc/self/mountinfo cannot be read")]
    Mounts(#[source] std::io::Error),
    /// The table of mounts is larger than any real one.
    #[error("the table of mounts /proc/self/mountinfo is too long")]
    MountsTooLong,
    /// The table of mounts has a line of another form.
    #[error(transparent)]
    MountLine(#[from] MountLineError),
    /// A home could not be listed.
    #[error("the folder {} cannot be listed", .path.display())]
    Home {
        /// The home.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl SurveyError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Relative { .. } => "set HOME to an absolute path".into(),
            Self::Mounts(_) | Self::MountsTooLong | Self::MountLine(_) => {
                "mount /proc; `brig doctor` says what else is missing".into()
            }
            Self::Home { path, .. } => {
                format!("look at the permissions: ls -ld {}", path.display())
            }
        })
    }
}

/// Folders of a home whose files are looked through for further names (hard links): those with
/// few and precious files.
const KEY_FOLDERS: &[&str] = &[
    ".ssh",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".gnupg",
    ".config/gh",
    ".config/gcloud",
    ".config/op",
    ".local/share/keyrings",
];
/// The most entries of one such folder that are looked at.
const MAX_KEYS: usize = 4096;
/// The most entries of a home: real ones have some hundred.
const MAX_HOME: usize = 100_000;

impl Survey {
    /// Looks at the floor's paths.
    ///
    /// # Errors
    /// See [`SurveyError`]; a floor path that does not exist is none.
    pub fn take(caller: &Caller) -> Result<Self, SurveyError> {
        let given = caller.homes.iter().chain(&caller.own).chain([&caller.cwd]);
        if let Some(path) = given.into_iter().find(|path| !path.is_absolute()) {
            return Err(SurveyError::Relative { path: path.clone() });
        }
        let ground = Ground::new(resolved(&caller.homes), resolved(&caller.own), mounts()?);
        let mut survey = Self { ground, cwd: caller.cwd.clone(), linked: HashMap::new() };
        for home in survey.ground.homes().to_vec() {
            survey.hidden_entries(&home)?;
        }
        for stake in 0..survey.ground.stakes().len() {
            survey.identify(stake);
        }
        for home in survey.ground.homes().to_vec() {
            for folder in KEY_FOLDERS {
                survey.further_names(&home.join(folder));
            }
        }
        Ok(survey)
    }

    /// The floor of this machine.
    #[must_use]
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    fn hidden_entries(&mut self, home: &Path) -> Result<(), SurveyError> {
        let listed = open::real(home, OFlags::RDONLY | OFlags::DIRECTORY).and_then(|fd| tree::list(&fd, MAX_HOME));
        let entries = match listed {
            Ok(entries) => entries,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(errno) => {
                let (path, source) = (home.to_path_buf(), errno.into());
                return Err(SurveyError::Home { path, source });
            }
        };
        for entry in entries {
            if entry.name.as_encoded_bytes().starts_with(b".") {
                self.ground.hidden(home.join(entry.name));
            }
        }
        Ok(())
    }

    /// Notes which file a floor path names, and which folders lie above it.
    fn identify(&mut self, number: usize) {
        let Some(stake) = self.ground.stakes().get(number).cloned() else {
            return;
        };
        if stake.line.reach == Reach::Prefix {
            return;
        }
        // A floor path may be a link (~/.aws to elsewhere): what it leads to is floor as well.
        let led_to = std::fs::canonicalize(&stake.path).ok();
        for path in [Some(stake.path.clone()), led_to].into_iter().flatten() {
            let Ok(facts) = open::facts_of(&path) else {
                continue;
            };
            if facts.kind == FileType::Symlink {
                continue;
            }
            self.ground.mark(number, Position::There, identity(facts.id));
            if facts.kind == FileType::RegularFile && facts.links > 1 {
                self.linked.insert(identity(facts.id), stake.line.why);
            }
            for above in path.ancestors().skip(1) {
                if let Ok(facts) = open::facts_of(above) {
                    self.ground.mark(number, Position::Above, identity(facts.id));
                }
            }
        }
    }

    fn further_names(&mut self, folder: &Path) {
        let Ok(fd) = open::real(folder, OFlags::RDONLY | OFlags::DIRECTORY) else {
            return;
        };
        let mut looked = 0;
        let linked = &mut self.linked;
        // The limits of the walk and of this look are the same fact: the rest is not known.
        let _ = tree::walk::<(), tree::WalkError>(fd.as_fd(), (), |_, listing| {
            let Ok((fd, entries)) = listing else {
                return Ok(Vec::new());
            };
            let mut next = Vec::new();
            for entry in entries.into_iter().take(MAX_KEYS - looked) {
                looked += 1;
                match entry.kind {
                    FileType::Directory => next.push((entry.name, ())),
                    FileType::RegularFile => {
                        if let Ok(facts) = open::facts_at(fd.as_fd(), &entry.name)
                            && facts.links > 1
                        {
                            linked.insert(identity(facts.id), "is another name of a credential file");
                        }
                    }
                    _ => {}
                }
            }
            Ok(next)
        });
    }
}

pub(super) fn identity(id: brig_engine::launch::FileId) -> Identity {
    Identity { dev: id.dev, ino: id.ino }
}

/// Real paths; one that does not exist stays as it is.
fn resolved(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut real: Vec<PathBuf> = Vec::new();
    for path in paths {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if !real.contains(&path) {
            real.push(path);
        }
    }
    real
}

fn mounts() -> Result<Vec<brig_policy::floor::MountPoint>, SurveyError> {
    let file = std::fs::File::open("/proc/self/mountinfo").map_err(SurveyError::Mounts)?;
    let (table, whole) = open::read_start(file, mountinfo::MAX_BYTES).map_err(SurveyError::Mounts)?;
    if !whole {
        return Err(SurveyError::MountsTooLong);
    }
    Ok(mountinfo::parse(&table)?)
}
