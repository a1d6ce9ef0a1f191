//! How a program of the host gets into a box whose root is empty.
//!
//! The machine's own software (`/usr` and friends) is shown read-only as it is, see [`machine`]. What lies
//! elsewhere — an interpreter of nvm, fnm, mise, asdf, volta, pyenv or uv, a virtual environment, a tree
//! under `/opt` or `/nix`, a binary in a build folder — is found as a shell would find it, followed through
//! links, shims and shebang lines to the real files, and only their own *prefix* is shown.
//!
//! Nothing is ever run to find out: shims are answered by reading the version files that they would read.
//! Never shown: a home folder, a folder that holds one, or what lies beside a prefix.

mod cover;
mod elf;
mod libraries;
pub mod machine;
mod place;
mod shebang;
mod shims;
mod venv;
mod walk;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cover::Cover;
use shebang::Interpreter;
use shims::Next;

pub(crate) use cover::is_narrow;
pub use elf::ElfError;
#[doc(hidden)]
pub use elf::fuzz_elf;
pub(crate) use place::bind;
pub use place::{PlaceError, Placed};
pub use shebang::ShebangError;
#[doc(hidden)]
pub use shebang::fuzz_shebang;
pub use shims::ShimError;
pub(crate) use walk::read_small;

/// Hops from a name to a binary: a shim, a script, its interpreter's shim, and as many again.
const MAX_HOPS: usize = 8;
/// `execve` finds no program: as `docker run` reports it.
const STATUS_NOT_FOUND: u8 = 127;
/// Found, but not executable: as `docker run` reports it.
const STATUS_NOT_EXECUTABLE: u8 = 126;

/// What the caller's own shell would use to find a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// `$PATH`, as it is.
    pub path: String,
    /// The home folder, absolute.
    pub home: PathBuf,
    /// The working folder, absolute.
    pub cwd: PathBuf,
    /// The environment. Only names of version managers and package registries are looked at.
    pub env: BTreeMap<String, String>,
}

impl Caller {
    /// A variable, unless it is unset or empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// A program that was found, and what of the host it needs beside the machine's own software.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What to execute: an absolute path, the same on the host and in the box.
    pub file: PathBuf,
    /// The file that this is in the end, free of links.
    pub real: PathBuf,
    /// Folders to be searched before the machine's own (`PATH`).
    pub path: Vec<PathBuf>,
    /// What has to be shown, free of links and of doubles, parents before children.
    pub pieces: Vec<Piece>,
    /// Links on the way that no piece holds: where, and what they say.
    pub links: BTreeMap<PathBuf, PathBuf>,
    /// Variables without which it would not find its own parts.
    pub env: BTreeMap<String, String>,
}

/// One file or folder of the host to be shown read-only at its own path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where, free of links.
    pub path: PathBuf,
    /// Why, for people.
    pub why: &'static str,
}

/// Why a program of the host cannot be boxed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// No such program.
    #[error("{name}: no such program in PATH")]
    NotFound {
        /// As it was spelt.
        name: String,
    },
    /// The path does not exist, or a folder on the way cannot be read.
    #[error("cannot look at {path}: {source}")]
    Look {
        /// Which path.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// There, but not an executable file.
    #[error("{0} is not an executable file")]
    NotExecutable(PathBuf),
    /// Neither a script nor a binary of this machine.
    #[error("{path} is neither a script with an interpreter nor a program for this machine: {why}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: ElfError,
    },
    /// A first line that cannot be followed.
    #[error("cannot follow the first line of {path}: {source}")]
    Shebang {
        /// Which script.
        path: PathBuf,
        /// What is wrong with it.
        source: ShebangError,
    },
    /// A version manager's shim that cannot be followed.
    #[error("{shim} is a shim of {manager}: {source}")]
    Shim {
        /// Which shim.
        shim: PathBuf,
        /// Whose.
        manager: &'static str,
        /// What is missing.
        source: ShimError,
    },
    /// A shared library that is nowhere.
    #[error("{file} needs the shared library {library}, which is in none of {}", list(.searched))]
    MissingLibrary {
        /// The program or library that needs it.
        file: PathBuf,
        /// What it asks for.
        library: String,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// What would have to be shown holds more than the program.
    #[error("{program} would need all of {folder} in the box, which holds more than the program")]
    TooWide {
        /// The program.
        program: PathBuf,
        /// What would be shown.
        folder: PathBuf,
    },
    /// Scripts that lead to scripts without end.
    #[error("{0} leads through more than {MAX_HOPS} shims and interpreters")]
    TooManyHops(PathBuf),
}

fn list(folders: &[PathBuf]) -> String {
    let names: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    names.join(", ")
}

impl ProgramError {
    /// The status with which `docker run` would end: 127 not found, 126 not executable.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NotFound { .. } | Self::Look { .. } | Self::Shim { .. } => STATUS_NOT_FOUND,
            _ => STATUS_NOT_EXECUTABLE,
        }
    }

    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { name } => Some(format!(
                "give its path (brig run -- /path/to/{name} …); a program that only an interactive shell finds is not in the PATH that brig was started with"
            )),
            Self::NotExecutable(path) => {
                Some(format!("chmod +x {0}, or name its interpreter: brig run -- python3 {0}", path.display()))
            }
            Self::Shim { source, .. } => source.hint(),
            Self::MissingLibrary { library, .. } => {
                Some(format!("install the package that holds {library}, or link the program with a run path to it"))
            }
            Self::TooWide { program, .. } => {
                Some(format!("move {} into a folder of its own, for example under /opt", program.display()))
            }
            Self::Look { .. } | Self::Format { .. } | Self::Shebang { .. } | Self::TooManyHops(_) => None,
        }
    }
}

/// Finds a program as the caller's shell would, and all that it needs to start.
///
/// # Errors
/// When it is not there, is not a program, or cannot be shown without showing other things.
pub fn resolve(name: &str, caller: &Caller) -> Result<Found, ProgramError> {
    let mut search = Search { caller, found: Found::default(), hops: 0 };
    let file = search.by_name(name, None)?;
    let mut found = search.found;
    found.real = walk::walk(&file).map_err(|source| ProgramError::Look { path: file.clone(), source })?.real;
    found.file = file;
    cover::simplify(&mut found);
    Ok(found)
}

impl Found {
    /// This program, with all that another one needs beside it.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.path.extend(other.path.iter().cloned());
        both.pieces.extend(other.pieces.iter().cloned());
        both.links.extend(other.links.clone());
        both.env.extend(other.env.clone());
        cover::simplify(&mut both);
        both
    }
}

struct Search<'a> {
    caller: &'a Caller,
    found: Found,
    hops: usize,
}

impl Search<'_> {
    /// A name is looked up in `PATH` (from behind `after`, where a shim gives way to the system's own), a
    /// path is taken as it is. Returns the path to execute.
    fn by_name(&mut self, name: &str, after: Option<&Path>) -> Result<PathBuf, ProgramError> {
        if name.contains('/') {
            return self.by_path(&walk::tidy(&self.caller.cwd.join(name)));
        }
        let mut folders: Vec<&Path> = self.caller.path.split(':').map(Path::new).collect();
        if let Some(after) = after {
            folders.retain(|folder| *folder != after);
        }
        let mut refused = None;
        // A relative folder in PATH would let the working folder choose the program.
        for folder in folders.into_iter().filter(|folder| folder.is_absolute()) {
            let candidate = walk::tidy(&folder.join(name));
            match executable(&candidate) {
                Some(true) => return self.by_path(&candidate),
                Some(false) => refused = refused.or(Some(candidate)),
                None => {}
            }
        }
        Err(match refused {
            Some(path) => ProgramError::NotExecutable(path),
            None => ProgramError::NotFound { name: name.to_owned() },
        })
    }

    /// Takes in the program at an absolute path, and what it needs.
    fn by_path(&mut self, path: &Path) -> Result<PathBuf, ProgramError> {
        self.hops += 1;
        if self.hops > MAX_HOPS {
            return Err(ProgramError::TooManyHops(path.to_owned()));
        }
        let look = |source| ProgramError::Look { path: path.to_owned(), source };
        let walked = walk::walk(path).map_err(look)?;
        if executable(&walked.real) != Some(true) {
            return Err(ProgramError::NotExecutable(path.to_owned()));
        }
        let head = walk::read_head(&walked.real).map_err(look)?;
        if let Some(shim) = shims::recognise(path, &walked.real, &head) {
            let fail = |source| ProgramError::Shim { shim: path.to_owned(), manager: shim.manager(), source };
            return match shims::follow(&shim, path, self.caller).map_err(fail)? {
                Next::File(file) => self.by_path(&file),
                Next::Elsewhere(name) => self.by_name(&name, path.parent()),
            };
        }
        self.found.links.extend(walked.links);
        self.found.path.extend(path.parent().map(Path::to_owned));
        self.take_environment(path)?;
        let covered = self.cover(&walked.real)?;
        self.follow_content(&walked.real, &head, covered)?;
        Ok(path.to_owned())
    }

    /// A virtual environment around the program as it was called: its own parts and its base interpreter.
    fn take_environment(&mut self, path: &Path) -> Result<(), ProgramError> {
        let Some(environment) = venv::around(path) else {
            return Ok(());
        };
        for part in environment.parts {
            let walked = walk::walk(&part).map_err(|source| ProgramError::Look { path: part.clone(), source })?;
            self.found.links.extend(walked.links);
            self.add(walked.real, "virtual environment", path)?;
        }
        // With copied interpreters no link leads to the base.
        if let Some(base) = environment.base.filter(|base| executable(base) == Some(true)) {
            let walked = walk::walk(&base).map_err(|source| ProgramError::Look { path: base.clone(), source })?;
            self.found.links.extend(walked.links);
            self.cover(&walked.real)?;
        }
        Ok(())
    }

    /// Adds the prefix of a real file; true when the machine's own software holds it.
    fn cover(&mut self, real: &Path) -> Result<bool, ProgramError> {
        match cover::cover(real, &self.caller.home) {
            Cover::Machine => return Ok(true),
            Cover::Folders { folders, why } => {
                for folder in folders {
                    self.add(folder, why, real)?;
                }
            }
            Cover::Alone => {}
        }
        self.add(real.to_owned(), "program", real)?;
        Ok(false)
    }

    fn add(&mut self, path: PathBuf, why: &'static str, program: &Path) -> Result<(), ProgramError> {
        if !is_narrow(&path, &self.caller.home) {
            return Err(ProgramError::TooWide { program: program.to_owned(), folder: path });
        }
        if !cover::is_machine(&path) {
            self.found.pieces.push(Piece { path, why });
        }
        Ok(())
    }

    /// A script leads to its interpreter, a binary to its loader and libraries.
    fn follow_content(&mut self, real: &Path, head: &[u8], machine: bool) -> Result<(), ProgramError> {
        let fail = |source| ProgramError::Shebang { path: real.to_owned(), source };
        if let Some(interpreter) = shebang::parse(head).map_err(fail)? {
            let file = match &interpreter {
                Interpreter::Path(path) => self.by_path(&walk::tidy(path))?,
                Interpreter::Name(name) => self.by_name(name, None)?,
            };
            self.take_user_site(real, &file);
            return Ok(());
        }
        // What the machine ships finds its libraries among the machine's own.
        if machine {
            return Ok(());
        }
        for library in libraries::of(real)? {
            let walked = walk::walk(&library).map_err(|source| ProgramError::Look { path: library.clone(), source })?;
            self.found.links.extend(walked.links);
            self.add(walked.real, "shared library", real)?;
        }
        Ok(())
    }

    /// `pip install --user` puts a script into `X/bin` and its modules into `X/lib/pythonA.B`, where Python
    /// finds them by the home folder, which the box does not have.
    fn take_user_site(&mut self, script: &Path, interpreter: &Path) {
        let python = interpreter.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"));
        let Some(base) = script.parent().filter(|bin| bin.ends_with("bin")).and_then(Path::parent) else {
            return;
        };
        if !python || !base.starts_with(&self.caller.home) || venv::around(script).is_some() {
            return;
        }
        for site in cover::user_sites(base) {
            self.found.pieces.push(Piece { path: site, why: "modules of the user's own Python" });
            self.found.env.insert("PYTHONUSERBASE".into(), base.to_string_lossy().into_owned());
        }
    }
}

/// Whether a path is a file that someone may execute; `None` when it is not a file.
fn executable(path: &Path) -> Option<bool> {
    let facts = path.metadata().ok()?;
    facts.is_file().then(|| facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
