//! Where installed packages lie: one folder per content, made beside and moved into place whole.
//!
//! ```text
//! STORE/packages/trees/HASH        an installed tree, never changed again
//! STORE/packages/stamps/HASH       what its files looked like when they were hashed
//! STORE/packages/work/KEY          an installation under way; rubbish when nobody holds its claim
//! STORE/packages/claims/KEY        locked by the brig that installs
//! STATE/packages/HASH/             npm's own lock file, from which the same tree can be made again
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::tree::{self, TreeError};
use super::{PackageError, Places};
use crate::lockfile::{Key, Locked, TreeHash};

/// npm's files from which `npm ci` makes the same tree again.
pub(super) const NPM_FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} {path}: {source}")]
pub struct StoreError {
    act: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Turns a failed act on a path into an error.
pub(super) fn fail(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError { act, path: path.to_owned(), source }
}

/// The store of packages.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    state: PathBuf,
}

/// The right to install one key. It is given back when dropped, also by a brig that was killed.
#[derive(Debug)]
pub(super) struct Claim {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens the store, and makes it where it is missing.
    pub(super) fn open(places: &Places) -> Result<Self, StoreError> {
        let root = places.store.join("packages");
        for name in ["trees", "stamps", "work", "claims"] {
            make_folder(&root.join(name))?;
        }
        // Binds are made of real paths.
        let root = root.canonicalize().map_err(fail("look at", &root))?;
        Ok(Self { root, state: places.state.join("packages") })
    }

    /// Where a tree lies.
    pub(super) fn tree(&self, hash: &TreeHash) -> PathBuf {
        self.root.join("trees").join(hash.hex())
    }

    /// Whether a locked tree is there and whole. One that is there and is not whole is removed.
    pub(super) fn holds(&self, locked: &Locked) -> Result<bool, PackageError> {
        let tree = self.tree(&locked.tree);
        if !tree.is_dir() {
            return Ok(false);
        }
        let stamp = self.root.join("stamps").join(locked.tree.hex());
        let now = tree::stamp(&tree);
        let then = fs::read_to_string(&stamp).ok();
        if now.is_ok_and(|now| then.as_deref() == Some(now.hex())) {
            return Ok(true);
        }
        match tree::hash(&tree) {
            Ok(hash) if hash == locked.tree => {
                self.write_stamp(&locked.tree)?;
                Ok(true)
            }
            Ok(_) | Err(TreeError::Kind(_) | TreeError::TooLarge(_)) => {
                remove(&tree)?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A locked entry whose tree is there and whole.
    pub(super) fn whole<'a>(&self, locked: Option<&'a Locked>) -> Result<Option<&'a Locked>, PackageError> {
        match locked {
            Some(locked) if self.holds(locked)? => Ok(Some(locked)),
            _ => Ok(None),
        }
    }

    fn write_stamp(&self, hash: &TreeHash) -> Result<(), PackageError> {
        let path = self.root.join("stamps").join(hash.hex());
        let stamp = tree::stamp(&self.tree(hash))?;
        fs::write(&path, stamp.hex()).map_err(fail("write", &path))?;
        Ok(())
    }

    /// Waits for the right to install a key, clears what a killed brig left of it, and of others.
    pub(super) fn claim(&self, key: &Key) -> Result<Claim, StoreError> {
        let name = name(key);
        let lock = self.lock(&name)?;
        lock.lock().map_err(fail("lock", &self.root.join("claims").join(&name)))?;
        self.sweep(&name)?;
        let folder = self.root.join("work").join(&name);
        remove(&folder)?;
        for part in ["tree", "work"] {
            make_folder(&folder.join(part))?;
        }
        Ok(Claim { folder, _lock: lock })
    }

    fn lock(&self, name: &str) -> Result<File, StoreError> {
        let path = self.root.join("claims").join(name);
        File::options().create(true).truncate(false).write(true).open(&path).map_err(fail("open", &path))
    }

    /// Removes what installations left whose brig is gone. A living one holds its lock.
    fn sweep(&self, own: &str) -> Result<(), StoreError> {
        let work = self.root.join("work");
        for entry in fs::read_dir(&work).map_err(fail("read", &work))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == own {
                continue;
            }
            let lock = self.lock(&name)?;
            match lock.try_lock() {
                Ok(()) => remove(&entry.path())?,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => {
                    return Err(fail("lock", &entry.path())(source));
                }
            }
        }
        Ok(())
    }

    /// Moves an installed tree to its place.
    pub(super) fn keep(&self, claim: &Claim, locked: &Locked) -> Result<(), PackageError> {
        let saved = self.state.join(locked.tree.hex());
        for name in NPM_FILES {
            let from = claim.tree().join(name);
            // Links are not followed: the tree was written by others.
            if fs::symlink_metadata(&from).is_ok_and(|facts| facts.is_file()) {
                make_folder(&saved)?;
                fs::copy(&from, saved.join(name)).map_err(fail("copy", &from))?;
            }
        }
        let tree = self.tree(&locked.tree);
        if !self.holds(locked)? {
            fs::rename(claim.tree(), &tree).map_err(fail("move into place", &tree))?;
            self.write_stamp(&locked.tree)?;
        }
        Ok(())
    }

    /// npm's own lock files of an entry, if they are all there.
    pub(super) fn npm_files(&self, locked: &Locked) -> Option<[PathBuf; 2]> {
        let files = NPM_FILES.map(|name| self.state.join(locked.tree.hex()).join(name));
        files.iter().all(|file| file.is_file()).then_some(files)
    }
}

impl Claim {
    /// Where the package is installed.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Scratch of the package manager: caches, temporary files.
    pub(super) fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// Removes what is left of the installation.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        remove(&self.folder)
    }
}

/// A name for a key that is fit for a file.
fn name(key: &Key) -> String {
    let mut hasher = Sha256::new();
    for text in key.asked.iter().chain([&key.runtime, &format!("{:?} {}", key.ecosystem, key.scripts)]) {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    TreeHash::new(hasher.finalize().into()).hex().to_owned()
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fail("make", path))
}

/// Removes a tree, also one whose folders were made unwritable.
fn remove(path: &Path) -> Result<(), StoreError> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    if gone(fs::remove_dir_all(path)).is_ok() {
        return Ok(());
    }
    open_folders(path);
    gone(fs::remove_dir_all(path)).map_err(fail("remove", path))
}

fn open_folders(path: &Path) {
    if !fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir()) {
        return;
    }
    // What cannot be changed is reported by the removal that follows.
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        open_folders(&entry.path());
    }
}
