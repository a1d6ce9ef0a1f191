//! Turns what a program needs into mounts and links of the box.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use brig_engine::launch::{Bind, Entry, FileId, Inside, Mount, Treat, What};

use super::Found;

/// Files that may hold a registry's credentials inside a prefix, relative to it. They are covered.
const MASKED: [&str; 5] =
    ["etc/npmrc", "etc/pip.conf", "lib/node_modules/npm/.npmrc", "lib/node_modules/npm/npmrc", "pip.conf"];

/// What to put into the box.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// Links.
    pub skeleton: Vec<Entry>,
    /// Binds, parents before children.
    pub mounts: Vec<Mount>,
}

/// Why a piece cannot be placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It vanished, or it cannot be read.
    #[error("cannot look at {path}: {source}")]
    Look {
        /// Which.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// It is neither a file nor a folder: a socket, a pipe, a device, or a link put there meanwhile.
    #[error("{0} is neither a file nor a folder")]
    Kind(PathBuf),
    /// The order to the engine travels as text.
    #[error("{0:?} is not UTF-8")]
    NotText(PathBuf),
}

impl PlaceError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotText(_) => Some("rename it, or move the program".into()),
            Self::Look { .. } | Self::Kind(_) => None,
        }
    }
}

impl Found {
    /// The links and read-only binds that this program needs. What lies below `home` is the user's own, and
    /// is shown as the box's user's.
    ///
    /// # Errors
    /// When a piece changed since it was found.
    pub fn place(&self, home: &Path) -> Result<Placed, PlaceError> {
        let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let mut placed = Placed::default();
        for (path, to) in &self.links {
            utf8(path)?;
            utf8(to)?;
            placed.skeleton.push(Entry::Link { path: path.clone(), to: to.clone() });
        }
        for piece in &self.pieces {
            let bind = bind(&piece.path, piece.path.starts_with(&home), &MASKED)?;
            placed.mounts.push(Mount { target: piece.path.clone(), what: What::Bind(bind) });
        }
        Ok(placed)
    }
}

fn utf8(path: &Path) -> Result<(), PlaceError> {
    path.to_str().map(|_| ()).ok_or_else(|| PlaceError::NotText(path.to_owned()))
}

/// A read-only bind of a real path, with those of `masked` covered that exist.
pub(crate) fn bind(path: &Path, owned: bool, masked: &[&str]) -> Result<Bind, PlaceError> {
    utf8(path)?;
    let look = |source| PlaceError::Look { path: path.to_owned(), source };
    let facts = fs::symlink_metadata(path).map_err(look)?;
    if !facts.is_file() && !facts.is_dir() {
        return Err(PlaceError::Kind(path.to_owned()));
    }
    let plain = |name: &&&str| {
        let mut here = path.to_owned();
        // A link on the way is no part of this bind; what it leads to is judged where it lies.
        Path::new(**name).components().all(|part| {
            here.push(part);
            fs::symlink_metadata(&here).is_ok_and(|facts| !facts.is_symlink())
        })
    };
    let inside = masked.iter().filter(plain).map(|name| Inside { path: PathBuf::from(name), treat: Treat::Mask });
    Ok(Bind {
        source: path.to_owned(),
        expect: FileId { dev: facts.dev(), ino: facts.ino() },
        writable: false,
        inside: inside.collect(),
        owned,
    })
}
