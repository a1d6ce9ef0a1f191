//! Shims: small programs in `PATH` that version managers put in the place of the real ones.
//!
//! Each is answered by reading the files that its manager would read, never by running it. A version named
//! by a project's file picks among what the user has installed; it can name nothing else.

mod asdf;
mod environments;
mod mise;
mod volta;

use std::path::{Path, PathBuf};

use super::Caller;
use environments::FAMILIES;

/// A recognised shim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shim {
    /// pyenv and what was made after it: an index into the families.
    Environments(usize),
    /// asdf, with the plugins that offer this name.
    Asdf(Vec<String>),
    /// mise: a link to mise itself.
    Mise,
    /// volta: a link to its shim.
    Volta,
    /// A link to a launcher that builds a sandbox of its own.
    Launcher(&'static str),
}

/// Where a shim leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// To this file.
    File(PathBuf),
    /// To the machine's own program of this name, further on in `PATH`.
    Elsewhere(String),
}

/// Why a shim cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShimError {
    /// Nothing says which version to take.
    #[error("no version is set for {tool}")]
    NoVersion {
        /// The tool.
        tool: String,
        /// What the user types to set one.
        set: String,
    },
    /// The version that is set is not installed, or lacks the program.
    #[error("{version}, set by {by}, has no {program}")]
    NotInstalled {
        /// The program.
        program: String,
        /// The version.
        version: String,
        /// Which file or variable set it.
        by: String,
    },
    /// A version that is no plain name, such as a path.
    #[error("the version {0:?} is not a plain name")]
    OddVersion(String),
    /// A launcher that cannot run in a box.
    #[error("it starts programs in a sandbox of its own, which cannot be built inside a box")]
    Launcher,
}

impl ShimError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoVersion { set, .. } => Some(format!("set one: {set}")),
            Self::NotInstalled { version, by, .. } => {
                Some(format!("install {version}, or name an installed version in {by}"))
            }
            Self::OddVersion(_) => Some("name a version, or give the program's own path to brig".into()),
            Self::Launcher => {
                Some("install the program in another way, for example from the distribution or its maker".into())
            }
        }
    }
}

impl Shim {
    /// Whose it is.
    pub(super) fn manager(&self) -> &'static str {
        match self {
            Self::Environments(index) => FAMILIES[*index].manager,
            Self::Asdf(_) => "asdf",
            Self::Mise => "mise",
            Self::Volta => "volta",
            Self::Launcher(name) => name,
        }
    }
}

/// Links whose target, a launcher, decides by the link's own name what to run.
const LAUNCHERS: [(&str, Shim); 5] = [
    ("mise", Shim::Mise),
    ("volta-shim", Shim::Volta),
    ("snap", Shim::Launcher("snap")),
    ("snapctl", Shim::Launcher("snap")),
    ("flatpak", Shim::Launcher("flatpak")),
];

/// Tells a shim from a program by its place, target and first lines.
pub(super) fn recognise(path: &Path, real: &Path, head: &[u8]) -> Option<Shim> {
    let (name, target) = (path.file_name()?, real.file_name()?);
    let launcher = LAUNCHERS.iter().find(|(launcher, _)| name != target && target == *launcher);
    if let Some((_, shim)) = launcher {
        return Some(shim.clone());
    }
    if !real.parent()?.ends_with("shims") || !head.starts_with(b"#!") {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    let family = FAMILIES.iter().position(|family| text.contains(&format!("/{}\" exec ", family.manager)));
    if let Some(index) = family {
        return Some(Shim::Environments(index));
    }
    let plugins = asdf::plugins(&text);
    (!plugins.is_empty()).then_some(Shim::Asdf(plugins))
}

/// Finds what a shim would run.
pub(super) fn follow(shim: &Shim, path: &Path, caller: &Caller) -> Result<Next, ShimError> {
    let program = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match shim {
        Shim::Environments(index) => environments::follow(&FAMILIES[*index], path, &program, caller),
        Shim::Asdf(plugins) => asdf::follow(plugins, path, &program, caller),
        Shim::Mise => mise::follow(path, &program, caller),
        Shim::Volta => volta::follow(path, &program, caller),
        Shim::Launcher(_) => Err(ShimError::Launcher),
    }
}

/// A version as it may stand in a file of a cloned repository: one name, so that joined to a folder it stays
/// in it.
fn plain(version: &str) -> Result<&str, ShimError> {
    let ok = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-@:".contains(&byte);
    if version.is_empty() || version.starts_with('.') || !version.bytes().all(ok) {
        return Err(ShimError::OddVersion(version.chars().take(80).collect()));
    }
    Ok(version)
}

/// Of folder names, the newest version that equals `wanted` or begins with `wanted.`; an empty `wanted` takes
/// any. Only names of numbers and dots are versions here.
fn newest(folder: &Path, wanted: &str) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().take(1024);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let fits = |name: &String| wanted.is_empty() || name == wanted || name.starts_with(&format!("{wanted}."));
    let number = |name: &str| name.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>();
    names.filter(fits).filter_map(|name| Some((number(&name)?, name))).max().map(|(_, name)| name)
}
