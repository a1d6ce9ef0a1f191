//! What is treated apart inside a granted folder: names of secrets, which the box never sees, and
//! names of what the host would run later, which the box never writes.
//!
//! Pure tables and look-ups. Whoever walks a folder asks [`look`] about each entry, hands the
//! bytes of the few undecided files to [`Proof::judge`], and asks [`Place::below`] what kind of
//! folder comes next. Names are compared without regard to case, at every depth. What a project
//! runs as its ordinary source (a Makefile, a build script, `node_modules`) is not protected: it
//! is what a writable grant is for, and is reviewed as any change is.

mod content;
mod host_run;
mod index;
mod secrets;

use index::Index;
use std::sync::LazyLock;

pub use content::{Judgement, PEEK_BYTES, Proof, fuzz_content};
pub use host_run::HOST_RUN;
pub use secrets::SECRETS;

/// One line of a table of names.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which names it means.
    pub name: Name,
    /// What must be in the file for the rule to hold.
    pub proof: Proof,
    /// Why, as a clause that follows the name.
    pub why: &'static str,
}

/// Which names a rule means. All in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// This very name.
    Is(&'static str),
    /// Names that start so, but not those that end in one of these.
    Starts(&'static str, &'static [&'static str]),
    /// Names that end so; the text starts with a dot.
    Ends(&'static str),
    /// This very name in a folder of that name.
    In(&'static str, &'static str),
}

/// What kind of folder an entry lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Any folder.
    Ordinary,
    /// The top of a Git repository's own folder.
    GitDir,
    /// `modules` of such a folder, or anything below it that is not plain data: submodules may
    /// have slashes in their names.
    GitModules,
    /// Git's plain data: objects, refs, logs.
    GitData,
}

/// What the tables say about one entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// It holds a secret, if the rule's proof agrees.
    pub secret: Option<&'static Rule>,
    /// The host would run it later.
    pub host_run: Option<&'static Rule>,
}

/// The name of a Git repository's own folder, or of the file that names that folder.
pub const GIT: &[u8] = b".git";

/// Looks an entry up by its name, the name of the folder that it lies in, and that folder's kind.
#[must_use]
pub fn look(place: Place, parent: &[u8], name: &[u8]) -> Look {
    if name.len() > LONGEST_NAME {
        return Look::default();
    }
    match place {
        Place::Ordinary => {
            Look { secret: SECRET_INDEX.find(parent, name), host_run: HOST_RUN_INDEX.find(parent, name) }
        }
        Place::GitDir | Place::GitModules => Look {
            secret: secrets::git(name).or_else(|| SECRET_INDEX.find(parent, name)),
            host_run: host_run::git(name),
        },
        Place::GitData => Look::default(),
    }
}

/// Whether a folder with these entries is taken by Git for a repository of its own, whatever its
/// name is: a bare repository's settings run programs as well.
#[must_use]
pub fn is_git_dir(has_head: bool, has_objects: bool, has_refs: bool) -> bool {
    has_head && has_objects && has_refs
}

/// Whether a folder `name` in a folder `parent` holds whole checkouts, each a project of its own,
/// although what surrounds it is obeyed by the host: Claude Code keeps its worktrees so.
#[must_use]
pub fn holds_checkouts(parent: &[u8], name: &[u8]) -> bool {
    parent == b".claude" && name == b"worktrees"
}

impl Place {
    /// The kind of the folder `name` that lies in a folder of this kind.
    #[must_use]
    pub fn below(self, name: &[u8]) -> Self {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        match self {
            Self::Ordinary if is(GIT) => Self::GitDir,
            Self::Ordinary => Self::Ordinary,
            Self::GitDir if is(b"modules") => Self::GitModules,
            Self::GitModules if !(is(b"objects") || is(b"refs") || is(b"logs")) => Self::GitModules,
            Self::GitDir | Self::GitModules | Self::GitData => Self::GitData,
        }
    }
}

/// The longest name that Linux allows (`NAME_MAX`).
const LONGEST_NAME: usize = 255;

static SECRET_INDEX: LazyLock<Index> = LazyLock::new(|| Index::new(SECRETS));
static HOST_RUN_INDEX: LazyLock<Index> = LazyLock::new(|| Index::new(HOST_RUN));

#[cfg(test)]
mod tests;
