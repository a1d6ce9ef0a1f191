//! The hash of an installed tree, and a cheap way to see that it is still the one that was hashed.
//!
//! The hash covers every byte, mode and link; it is what `brig.lock` holds. It costs a full read, so at a start
//! only the *stamp* is taken: the same walk over sizes, inode numbers and times, the change time among them,
//! which no program can set back. A stamp that differs (a restored backup, a copied home) leads to the full
//! hash, not to an error. The stamp is no wall against the store's owner, who can write the lock as well; the
//! box sees the tree read-only in any case.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::lockfile::TreeHash;

/// Files, folders and links: the largest servers install some ten thousand.
const MAX_ENTRIES: u64 = 300_000;
/// Nested folders: `node_modules` in `node_modules` reaches about thirty.
const MAX_DEPTH: usize = 128;
/// Bytes of all files: machine-learning wheels reach 3 GiB.
const MAX_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// setuid and setgid: no package needs them, and a store must not keep them.
const SPECIAL_BITS: u32 = 0o6000;

/// Why a tree cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which part.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// A socket, a pipe, a device, or a file with setuid or setgid.
    #[error("{0} is neither a plain file nor a folder nor a link")]
    Kind(PathBuf),
    /// Larger than any real package.
    #[error("{0} passes the limit on files, depth or size")]
    TooLarge(PathBuf),
}

/// How much of each file goes in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Content,
    Facts,
}

/// The hash over all content.
pub(super) fn hash(root: &Path) -> Result<TreeHash, TreeError> {
    walk(root, Depth::Content)
}

/// The hash over all facts.
pub(super) fn stamp(root: &Path) -> Result<TreeHash, TreeError> {
    walk(root, Depth::Facts)
}

fn walk(root: &Path, depth: Depth) -> Result<TreeHash, TreeError> {
    let mut walk = Walk { hasher: Sha256::new(), depth, entries: 0, bytes: 0 };
    walk.folder(root, root, 0)?;
    Ok(TreeHash::new(walk.hasher.finalize().into()))
}

struct Walk {
    hasher: Sha256,
    depth: Depth,
    entries: u64,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, root: &Path, folder: &Path, level: usize) -> Result<(), TreeError> {
        let fail = |source| TreeError::Read { path: folder.to_owned(), source };
        if level > MAX_DEPTH {
            return Err(TreeError::TooLarge(folder.to_owned()));
        }
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(TreeError::TooLarge(folder.to_owned()));
            }
            let entry = entry.map_err(fail)?;
            entries.insert(entry.file_name(), entry.metadata().map_err(fail)?);
        }
        for (name, facts) in entries {
            let path = folder.join(&name);
            let relative = path.strip_prefix(root).unwrap_or(&path).as_os_str().as_bytes();
            self.text(relative);
            self.hasher.update((facts.mode() & 0o170_777).to_le_bytes());
            if self.depth == Depth::Facts {
                self.facts(&facts);
            }
            self.entry(root, &path, &facts, level)?;
        }
        Ok(())
    }

    fn entry(&mut self, root: &Path, path: &Path, facts: &Metadata, level: usize) -> Result<(), TreeError> {
        let fail = |source| TreeError::Read { path: path.to_owned(), source };
        if facts.is_symlink() {
            let to = fs::read_link(path).map_err(fail)?;
            self.text(to.as_os_str().as_bytes());
        } else if facts.is_dir() {
            self.folder(root, path, level + 1)?;
        } else if facts.is_file() && facts.mode() & SPECIAL_BITS == 0 {
            self.bytes = self.bytes.saturating_add(facts.len());
            if self.bytes > MAX_BYTES {
                return Err(TreeError::TooLarge(path.to_owned()));
            }
            if self.depth == Depth::Content {
                self.content(path, facts.len()).map_err(fail)?;
            }
        } else {
            return Err(TreeError::Kind(path.to_owned()));
        }
        Ok(())
    }

    fn content(&mut self, path: &Path, length: u64) -> io::Result<()> {
        self.hasher.update(length.to_le_bytes());
        let mut file = File::open(path)?.take(length);
        let mut chunk = vec![0; CHUNK];
        let mut seen = 0_u64;
        loop {
            let count = file.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            seen += count as u64;
            self.hasher.update(&chunk[..count]);
        }
        // A file that shrinks while it is read would let what follows be read as its content.
        if seen == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn facts(&mut self, facts: &Metadata) {
        let numbers = [facts.dev(), facts.ino(), facts.size()].map(u64::to_le_bytes);
        // A folder's size and times are its own; reading it changes neither.
        let times = [facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec()].map(i64::to_le_bytes);
        numbers.iter().chain(&times).for_each(|number| self.hasher.update(number));
    }

    /// With its length, so that no two lists of texts read the same.
    fn text(&mut self, bytes: &[u8]) {
        self.hasher.update((bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("a/b")).unwrap();
        fs::write(tree.path().join("a/b/file"), "content").unwrap();
        fs::write(tree.path().join("a/other"), "").unwrap();
        symlink("b/file", tree.path().join("a/link")).unwrap();
        tree
    }

    #[test]
    fn equal_trees_have_equal_hashes_wherever_they_lie() {
        let (one, two) = (tree(), tree());
        assert_eq!(hash(one.path()).unwrap(), hash(two.path()).unwrap());
        assert_ne!(stamp(one.path()).unwrap(), stamp(two.path()).unwrap());
        assert_eq!(stamp(one.path()).unwrap(), stamp(one.path()).unwrap());
    }

    #[test]
    fn every_change_changes_both() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 6] = [
            ("content", |root| fs::write(root.join("a/b/file"), "c0ntent").unwrap()),
            ("mode", |root| fs::set_permissions(root.join("a/other"), fs::Permissions::from_mode(0o755)).unwrap()),
            ("link", |root| {
                fs::remove_file(root.join("a/link")).unwrap();
                symlink("b/fil3", root.join("a/link")).unwrap();
            }),
            ("new file", |root| fs::write(root.join("a/b/new"), "").unwrap()),
            ("new folder", |root| fs::create_dir(root.join("new")).unwrap()),
            ("move", |root| fs::rename(root.join("a/b"), root.join("a/c")).unwrap()),
        ];
        for (what, change) in changes {
            let tree = tree();
            let before = (hash(tree.path()).unwrap(), stamp(tree.path()).unwrap());
            change(tree.path());
            assert_ne!(hash(tree.path()).unwrap(), before.0, "{what}");
            assert_ne!(stamp(tree.path()).unwrap(), before.1, "{what}");
        }
    }

    #[test]
    fn set_back_times_do_not_hide_a_change() {
        let tree = tree();
        let file = tree.path().join("a/b/file");
        let before = stamp(tree.path()).unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "c0ntent").unwrap();
        File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        assert_ne!(stamp(tree.path()).unwrap(), before);
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let odd = tree();
        let _socket = std::os::unix::net::UnixListener::bind(odd.path().join("socket")).unwrap();
        assert!(matches!(hash(odd.path()), Err(TreeError::Kind(_))));
        let odd = tree();
        fs::set_permissions(odd.path().join("a/other"), fs::Permissions::from_mode(0o4755)).unwrap();
        assert!(matches!(hash(odd.path()), Err(TreeError::Kind(_))));
    }
}
