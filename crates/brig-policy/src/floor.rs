//! The floor: the paths of this machine that no run is granted, whatever it asks for.
//!
//! [`clear`] decides on facts that others gathered: the source's real path, the identity of the
//! file and of the folders above it, the table of mounts, the homes. It looks both ways: a source
//! is refused when it lies under a floor path *or contains one*. It compares in three ways, so
//! that another spelling, a bind mount or a hard link of `~/.ssh` is still `~/.ssh`: by path, by
//! place within the file system that a mount shows, and by device and inode. It does no I/O, and
//! what lies hidden deeper inside a granted folder is the business of [`crate::protect`].

mod ground;
mod home;
mod machine;

use std::fmt;
use std::path::{Path, PathBuf};

pub use crate::flags::Asset;
pub use ground::{Ground, Position, Stake};
pub use home::HOME;
pub use machine::MACHINE;

/// One line of the floor.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// An absolute path ([`MACHINE`]), or one relative to each home ([`HOME`]; empty is the home
    /// itself).
    pub path: &'static str,
    /// How far it reaches.
    pub reach: Reach,
    /// What a grant of it would give away.
    pub asset: Asset,
    /// Why, as a clause that follows the path.
    pub why: &'static str,
    /// The safe way to the same end, as a clause that can follow "instead,".
    pub instead: &'static str,
    /// What may be granted below it all the same.
    pub except: &'static [Exception],
}

/// A path below a floor line that may be granted all the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Exception {
    /// Absolute.
    pub path: &'static str,
    /// Whether also for writing.
    pub writable: bool,
    /// Why it is harmless.
    pub why: &'static str,
}

/// How far a floor line reaches. Whatever contains the path is refused in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The path and all that lies below it.
    Tree,
    /// The path as a whole; what lies below it is judged for itself.
    Whole,
    /// The path whose last component starts so, and all that lies below.
    Prefix,
    /// The path and all that lies below it, but only for writing.
    Written,
}

/// Which file a path names: device and inode, as `stat(2)` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// One line of the table of mounts (proc(5), `/proc/pid/mountinfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountPoint {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Which folder of the file system is shown there.
    pub root: PathBuf,
    /// The file system: major and minor number.
    pub device: (u32, u32),
    /// The file system's type.
    pub kind: String,
}

/// What is known of a source that a run asks for.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its real path: absolute, free of links.
    pub path: &'a Path,
    /// What lies there.
    pub itself: Identity,
    /// The folders above it, up to `/`.
    pub parents: &'a [Identity],
    /// Whether it is to be written.
    pub writable: bool,
}

/// The proof that a source was compared with the floor. Only [`clear`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    path: PathBuf,
    writable: bool,
}

/// A source that the floor does not grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: it would give away {asset}", self.fact())]
pub struct Refused {
    /// The source's real path.
    pub path: PathBuf,
    /// How it lies to the floor path.
    pub relation: Relation,
    /// The floor path.
    pub floor: PathBuf,
    /// What would be given away.
    pub asset: Asset,
    /// Why the floor path is one.
    pub why: &'static str,
    /// The safe way.
    pub instead: &'static str,
}

/// How a source lies to a floor path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same file or folder, by whatever name.
    Is,
    /// Below it.
    Under,
    /// Around it.
    Contains,
}

/// Compares a source with the floor.
///
/// # Errors
/// [`Refused`] names the floor path that is hit, the asset, and the safe way.
pub fn clear(source: &Candidate<'_>, ground: &Ground) -> Result<Cleared, Refused> {
    match ground.hit(source) {
        Some(hit) => Err(Refused {
            path: source.path.to_path_buf(),
            relation: hit.relation,
            floor: hit.floor,
            asset: hit.line.asset,
            why: hit.line.why,
            instead: hit.line.instead,
        }),
        None => Ok(Cleared { path: source.path.to_path_buf(), writable: source.writable }),
    }
}

/// The line for brig's own folders.
pub const OWN: Line = Line {
    path: "",
    reach: Reach::Tree,
    asset: Asset::BoxSecrets,
    why: "is brig's own folder",
    instead: "give the box a folder of its own",
    except: &[],
};

impl Cleared {
    /// The real path that was compared.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was cleared for writing.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.writable
    }
}

impl Refused {
    /// What is wrong with the source, without what it would give away.
    fn fact(&self) -> String {
        let (path, floor) = (self.path.display(), self.floor.display());
        if self.path == self.floor {
            format!("{path} {}", self.why)
        } else {
            format!("{path} {} {floor}, which {}", self.relation, self.why)
        }
    }

    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(format!("instead, {}", self.instead))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Is => "is",
            Self::Under => "lies in",
            Self::Contains => "contains",
        })
    }
}

#[cfg(test)]
mod tests;
