//! `brig.lock`: what was resolved once, so that it never moves by itself.
//!
//! One file per user, in brig's state folder: a cloned repository must not be able to say what its packages
//! resolve to. It is read whole and replaced whole, by rename, under a lock that lies beside it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The only version of the format so far.
const VERSION: u32 = 1;
/// Bytes of the file: a resolved package takes about 3 KiB, so this is some thousands of them.
const MAX_SIZE: u64 = 8 * 1024 * 1024;
/// Entries, and names in one entry: as above.
const MAX_ENTRIES: usize = 10_000;
/// The file's name in the state folder.
const NAME: &str = "brig.lock";
/// The file that is locked while the other is replaced.
const GUARD: &str = "brig.lock.guard";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    version: u32,
    /// Resolved packages, sorted.
    #[serde(default, rename = "package", skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Locked>,
}

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// npm, run by Node.
    Npm,
    /// The Python package index, run by Python.
    Pypi,
}

/// What installed a package; another one would lay its files out differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Installer {
    /// npm
    Npm,
    /// pip
    Pip,
    /// uv
    Uv,
}

/// What identifies an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Where the packages come from.
    pub ecosystem: Ecosystem,
    /// What was asked for, the main package first, in one spelling.
    pub asked: Vec<String>,
    /// What runs it: `node`, or the real path of a Python, whose version is part of every installed path.
    pub runtime: String,
    /// Whether its packages were allowed to run scripts while they were installed.
    pub scripts: bool,
}

/// One resolved package, its dependencies included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// What identifies it.
    pub key: Key,
    /// What installed it.
    pub installer: Installer,
    /// Everything that was installed, `name@version` or `name==version`, the main package first.
    pub resolved: Vec<String>,
    /// The hash of all installed files.
    pub tree: TreeHash,
}

/// A SHA-256 over a whole tree of files, spelt `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreeHash(String);

impl TreeHash {
    /// From the digits' bytes.
    pub fn new(digest: [u8; 32]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digits alone, fit for a file name.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TreeHash {
    type Error = LockFileError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let digits = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits { Ok(Self(hex.to_owned())) } else { Err(LockFileError::TreeHash) }
    }
}

impl From<TreeHash> for String {
    fn from(hash: TreeHash) -> Self {
        format!("sha256:{}", hash.0)
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockFileError {
    /// It cannot be read, locked or replaced.
    #[error("cannot {act} {path}: {source}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// It is not what brig writes.
    #[error("malformed: {0}")]
    Malformed(Box<toml::de::Error>),
    /// It cannot be written as text.
    #[error("cannot be written: {0}")]
    Unwritable(Box<toml::ser::Error>),
    /// Larger than any real one.
    #[error("larger than {MAX_SIZE} bytes or {MAX_ENTRIES} entries")]
    TooLarge,
    /// Written by another version of brig.
    #[error("of version {0}, but this brig knows version {VERSION} only")]
    Version(u32),
    /// A hash that is none.
    #[error("a tree's hash is not sha256: and 64 digits")]
    TreeHash,
}

impl LockFileError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed(_) | Self::TooLarge | Self::TreeHash => {
                Some(format!("move {NAME} away; packages are then resolved again, and may be newer than before"))
            }
            Self::Version(_) => Some("update brig".into()),
            Self::Io { .. } | Self::Unwritable(_) => None,
        }
    }
}

impl Default for LockFile {
    fn default() -> Self {
        Self { version: VERSION, packages: Vec::new() }
    }
}

impl LockFile {
    /// Reads the text of a whole file.
    ///
    /// # Errors
    /// Anything that brig did not write so.
    pub fn parse(text: &str) -> Result<Self, LockFileError> {
        let file: Self = toml::from_str(text).map_err(|error| LockFileError::Malformed(Box::new(error)))?;
        if file.version != VERSION {
            return Err(LockFileError::Version(file.version));
        }
        let most = file.packages.iter().map(|package| package.resolved.len()).max().unwrap_or(0);
        if file.packages.len() > MAX_ENTRIES || most > MAX_ENTRIES {
            return Err(LockFileError::TooLarge);
        }
        Ok(file)
    }

    /// Reads the file of a state folder; none yet is an empty one.
    ///
    /// # Errors
    /// When it cannot be read or is not what brig writes.
    pub fn load(state: &Path) -> Result<Self, LockFileError> {
        let path = state.join(NAME);
        let fail = |source| LockFileError::Io { act: "read", path: path.clone(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(fail(error)),
        };
        let mut text = String::new();
        file.take(MAX_SIZE + 1).read_to_string(&mut text).map_err(fail)?;
        if text.len() as u64 > MAX_SIZE {
            return Err(LockFileError::TooLarge);
        }
        Self::parse(&text)
    }

    /// The entry of a key.
    pub fn find(&self, key: &Key) -> Option<&Locked> {
        self.packages.iter().find(|package| package.key == *key)
    }

    /// An entry for the same request under another runtime, whose version is kept when the runtime moves.
    pub fn find_elsewhere(&self, key: &Key) -> Option<&Locked> {
        self.packages.iter().find(|package| {
            package.key.ecosystem == key.ecosystem && package.key.asked == key.asked && package.key != *key
        })
    }

    /// Puts an entry in, in the place of the one with the same key.
    fn put(&mut self, locked: Locked) {
        self.packages.retain(|package| package.key != locked.key);
        self.packages.push(locked);
        self.packages.sort();
    }

    fn save(&self, state: &Path) -> Result<(), LockFileError> {
        let text = toml::to_string(self).map_err(|error| LockFileError::Unwritable(Box::new(error)))?;
        let path = state.join(NAME);
        let fresh = state.join(format!("{NAME}.new"));
        let write = || {
            let mut file = open_private(&fresh, true)?;
            file.write_all(b"# Written by brig. What packages resolved to; `brig pull` moves an entry.\n")?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|source| LockFileError::Io { act: "replace", path: path.clone(), source })
    }
}

/// Records an entry: reads the file anew, under the lock, so that two brigs never lose one another's.
///
/// # Errors
/// When the file cannot be read, locked or replaced.
pub fn record(state: &Path, locked: Locked) -> Result<(), LockFileError> {
    let path = state.join(GUARD);
    let fail = |source| LockFileError::Io { act: "lock", path: path.clone(), source };
    fs::create_dir_all(state).map_err(fail)?;
    let guard = open_private(&path, false).map_err(fail)?;
    guard.lock().map_err(fail)?;
    let mut file = LockFile::load(state)?;
    file.put(locked);
    file.save(state)
}

fn open_private(path: &Path, empty: bool) -> io::Result<File> {
    File::options().create(true).write(true).truncate(empty).mode(0o600).open(path)
}

/// Fuzz entry: no text panics, and what is read is written and read again as the same.
#[doc(hidden)]
#[allow(clippy::missing_panics_doc, reason = "a fuzz entry reports by panicking")]
pub fn fuzz_lockfile(data: &[u8]) {
    let Some(file) = std::str::from_utf8(data).ok().and_then(|text| LockFile::parse(text).ok()) else {
        return;
    };
    let again = toml::to_string(&file).ok().and_then(|text| LockFile::parse(&text).ok());
    assert_eq!(again.as_ref(), Some(&file));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(name: &str, runtime: &str, digit: u8) -> Locked {
        let asked = vec![name.to_owned()];
        let key = Key { ecosystem: Ecosystem::Npm, asked, runtime: runtime.into(), scripts: false };
        Locked {
            key,
            installer: Installer::Npm,
            resolved: vec![format!("{name}@1.0.{digit}")],
            tree: TreeHash::new([digit; 32]),
        }
    }

    #[test]
    fn entries_are_kept_and_replaced_by_key() {
        let state = tempfile::tempdir().unwrap();
        for entry in [locked("b", "node", 1), locked("a", "node", 2), locked("b", "node", 3)] {
            record(state.path(), entry).unwrap();
        }
        let file = LockFile::load(state.path()).unwrap();
        assert_eq!(file.packages, [locked("a", "node", 2), locked("b", "node", 3)]);
        assert_eq!(file.find(&locked("b", "node", 0).key), Some(&locked("b", "node", 3)));
        assert_eq!(file.find(&locked("b", "other", 0).key), None);
        assert_eq!(file.find_elsewhere(&locked("b", "other", 0).key), Some(&locked("b", "node", 3)));
        fuzz_lockfile(&fs::read(state.path().join(NAME)).unwrap());
    }

    #[test]
    fn two_writers_lose_nothing() {
        let state = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for name in 0..8 {
                let state = state.path();
                scope.spawn(move || record(state, locked(&format!("p{name}"), "node", name)).unwrap());
            }
        });
        assert_eq!(LockFile::load(state.path()).unwrap().packages.len(), 8);
    }

    #[test]
    fn what_brig_did_not_write_is_an_error() {
        let good = toml::to_string(&LockFile { version: VERSION, packages: vec![locked("a", "node", 1)] }).unwrap();
        assert!(LockFile::parse(&good).is_ok());
        for (from, to) in [
            ("version = 1", "version = 2"),
            ("version = 1", "versions = 1"),
            ("sha256:", "md5:"),
            ("sha256:01", "sha256:0"),
            ("sha256:01", "sha256:../"),
            ("scripts = false", "scripts = 0"),
            ("scripts = false", "scripts = false\nmore = 1"),
            ("\"npm\"", "\"gem\""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(LockFile::parse(&bad).is_err(), "{bad}");
        }
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(NAME), "x".repeat(9 * 1024 * 1024)).unwrap();
        assert!(matches!(LockFile::load(state.path()), Err(LockFileError::TooLarge)));
    }
}
