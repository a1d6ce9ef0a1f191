//! What a host program's arguments say about the grants that it needs, and `--here`.
//!
//! A program of the host sees nothing of it but what is granted. An argument that names an
//! existing path outside the grants is a mistake that is better said at once, with the flag that
//! mends it, than found out by a server that starts and then sees nothing.

use std::path::{Component, Path, PathBuf};

use brig_policy::floor::{self, Candidate};
use brig_policy::mount::{Access, MountRequest, Source};

use super::judge::quoted;
use super::open;
use super::survey::{Survey, identity};

/// The most arguments that are looked at, and the most parts of one.
const MAX_ARGUMENTS: usize = 4096;
const MAX_PARTS: usize = 64;

/// What every box has of its own under these names, so that they are no paths of the host.
const OF_THE_BOX: &[&str] = &["/", "/tmp", "/proc", "/dev", "/usr", "/bin", "/sbin", "/lib", "/lib64"];

/// An argument that names an existing path which the box will not see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the argument {argument} names {}, which is not granted", .path.display())]
pub struct Ungranted {
    /// The argument, whole.
    pub argument: String,
    /// The path that it names, absolute.
    pub path: PathBuf,
    /// The flag that would grant it; or why nothing grants it.
    pub suggestion: Suggestion,
}

/// What to say about an ungranted path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// This flag grants it, read-only.
    Flag(String),
    /// The floor does not grant it; this is the safe way.
    Never(String),
}

impl Ungranted {
    /// What to type.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match &self.suggestion {
            Suggestion::Flag(flag) => {
                let writable = if flag == "--here" { "=rw" } else { ":rw" };
                format!("add {flag} (with {writable} behind it if it is to be written)")
            }
            Suggestion::Never(instead) => format!("it is never granted; {instead}"),
        })
    }
}

/// Finds the arguments that name an existing path which none of `shown` (paths of the host that
/// the box sees under the same name) contains. Looked at are words with a slash or a dot, what
/// follows `=`, `:` or `,`, and `file:` URLs; a plain word such as `build` is no path.
#[must_use]
pub fn ungranted_paths(arguments: &[String], shown: &[PathBuf], survey: &Survey) -> Vec<Ungranted> {
    let mut found: Vec<Ungranted> = Vec::new();
    for argument in arguments.iter().take(MAX_ARGUMENTS) {
        for candidate in candidates(argument) {
            let path = plain(&survey.cwd.join(candidate));
            if OF_THE_BOX.iter().any(|own| is_or_in(&path, own)) {
                continue;
            }
            let Ok(real) = std::fs::canonicalize(&path) else {
                continue;
            };
            let seen = |path: &Path| shown.iter().any(|shown| path.starts_with(shown));
            if (seen(&path) && seen(&real)) || found.iter().any(|other| other.path == path) {
                continue;
            }
            found.push(Ungranted { argument: argument.clone(), suggestion: suggestion(&path, &real, survey), path });
        }
    }
    found
}

/// `--here` was asked for in a folder that is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HereError {
    /// The working folder is a home.
    #[error("--here in {} would grant a whole home folder", .0.display())]
    Home(PathBuf),
    /// The working folder is `/`.
    #[error("--here in / would grant the whole machine")]
    Root,
    /// The working folder is no UTF-8.
    #[error("the working folder {} is not valid UTF-8", .0.display())]
    NotUtf8(PathBuf),
}

impl HereError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("change to the project's own folder first: cd PROJECT".into())
    }
}

/// What `--here` asks for: the working folder, under its own path. It is judged as any other.
///
/// # Errors
/// [`HereError`].
pub fn here(access: Access, survey: &Survey) -> Result<MountRequest, HereError> {
    let folder = std::fs::canonicalize(&survey.cwd).unwrap_or_else(|_| survey.cwd.clone());
    if folder == Path::new("/") {
        return Err(HereError::Root);
    }
    if survey.ground.homes().iter().any(|home| home.starts_with(&folder)) {
        return Err(HereError::Home(folder));
    }
    match folder.to_str() {
        Some(text) => Ok(MountRequest { source: Source::Host(text.into()), target: text.into(), access }),
        None => Err(HereError::NotUtf8(folder)),
    }
}

/// The parts of an argument that may be paths.
fn candidates(argument: &str) -> Vec<&str> {
    let word = if argument.starts_with('-') {
        // `--flag=VALUE`, `-C/path`
        match (argument.split_once('='), argument.find('/')) {
            (Some((_, value)), _) => value,
            (None, Some(slash)) => argument.get(slash..).unwrap_or_default(),
            (None, None) => return Vec::new(),
        }
    } else {
        argument
    };
    let word = word.strip_prefix("file://").unwrap_or(word);
    let mut parts = vec![word];
    parts.extend(word.split(['=', ':', ',']).filter(|part| part.starts_with('/') && *part != word).take(MAX_PARTS));
    parts.retain(|part| part.contains('/') || part.contains('.'));
    parts
}

/// The path without `.` and `..`, as the box would read it, links not considered.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A name of the box's own: `/` and `/tmp` as such, the others with what lies below.
fn is_or_in(path: &Path, own: &str) -> bool {
    match own {
        "/" | "/tmp" => path == Path::new(own),
        _ => path.starts_with(own),
    }
}

fn suggestion(path: &Path, real: &Path, survey: &Survey) -> Suggestion {
    let Ok(facts) = open::facts_of(real) else {
        return Suggestion::Never("it cannot be looked at".into());
    };
    let source = Candidate { path: real, itself: identity(facts.id), parents: &[], writable: false };
    match floor::clear(&source, &survey.ground) {
        Ok(_) if path == survey.cwd => Suggestion::Flag("--here".into()),
        Ok(_) => Suggestion::Flag(format!("-v {0}:{0}", quoted(path))),
        Err(refused) => Suggestion::Never(refused.hint().unwrap_or_default()),
    }
}
