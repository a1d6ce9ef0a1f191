//! The image store: layers by the digest of their content, images by the digest of their configuration.
//!
//! ```text
//! layers/HEX/fs          one unpacked layer, a lower folder of an overlay
//! layers/HEX/facts.json  its size, and whether it hides everything below
//! images/HEX.json        an image's configuration, byte for byte; its time is its last use
//! refs/HEX.json          a name and the image it stands for
//! partial/HEX            the part of a blob that an interrupted pull got
//! tmp/RANDOM             what is being made or removed
//! locks/                 who lives (see `lock.rs`)
//! ```
//!
//! Everything is made in `tmp` and appears by a rename, so whoever is killed leaves nothing but a
//! folder in `tmp`, which the next call removes. A layer exists while an image names it; an image while
//! it is not removed; a [`Lease`] keeps it from being removed. The whole store may be deleted whenever no
//! box runs.

mod images;
mod import;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{Config, ConfigError};
use crate::digest::Digest;
use crate::layer::{LayerError, Limits, Owner};
use crate::lock::Lock;

pub use images::{Keep, Listed, Pruned};
pub(crate) use import::{Import, Staged, Turn};

/// How much room images take before the least recently used go: about twenty ordinary servers.
pub const STORE_BYTES: u64 = 20 << 30;
/// Largest record read back (a reference or a layer's facts): they are written by brig itself.
const RECORD_BYTES: u64 = 64 * 1024;
/// The lock that whoever adds layers shares, and whoever removes them needs alone.
const CONTENT_LOCK: &str = "content";

/// How a store is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose the unpacked files are; `None` for the caller.
    pub owner: Option<Owner>,
    /// Bytes before the least recently used images go.
    pub cap: u64,
    /// The limits of one layer.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self { owner: None, cap: STORE_BYTES, limits: Limits::default() }
    }
}

/// An image store in a folder of the caller's own.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    settings: Settings,
}

/// An image of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The digest of its configuration, which is its identity.
    pub id: Digest,
    /// What it says about running it.
    pub config: Config,
    /// Its unpacked layers, the topmost first, as overlayfs wants them.
    pub layers: Vec<PathBuf>,
}

/// An image that cannot be removed while this is held. It is let go by dropping it, or by dying.
#[derive(Debug)]
pub struct Lease {
    /// The image.
    pub image: Image,
    _lock: Lock,
}

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the store.
    #[error("cannot {act} {path:?}: {source}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The store belongs to somebody else, or others may write to it.
    #[error("the image store {0:?} is not a folder that only its owner, the caller, may write to")]
    NotOurs(PathBuf),
    /// A layer was refused.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An image was to be published without one of its layers.
    #[error("the image's layer {0} was not unpacked")]
    MissingLayer(Digest),
    /// An image whose layers are larger than the store may be.
    #[error("the image unpacks to {bytes} bytes, more than the whole store may hold ({cap})")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The store's.
        cap: u64,
    },
    /// No image of this name or digest.
    #[error("there is no image {0:?} in the store")]
    Unknown(String),
    /// The beginning of several digests.
    #[error("{0:?} is the beginning of several images' digests")]
    Several(String),
    /// An image that a running box uses.
    #[error("the image {0} is in use by a running box")]
    InUse(String),
}

impl StoreError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } => match source.raw_os_error() {
                Some(28 | 122) => Some("make room with brig prune, or on the disk".to_owned()),
                _ => None,
            },
            Self::NotOurs(path) => Some(format!(
                "move it away, or take it over: chown -R \"$(id -u)\" '{0}' && chmod 700 '{0}'",
                path.display()
            )),
            Self::Layer(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::MissingLayer(_) => Some("fetch the image again with brig pull".to_owned()),
            Self::TooLarge { .. } => Some("use a smaller image".to_owned()),
            Self::Unknown(_) => Some("brig image ls shows what there is".to_owned()),
            Self::Several(_) => Some("give more digits".to_owned()),
            Self::InUse(_) => Some("stop it first: brig ps shows what runs".to_owned()),
        }
    }
}

/// Where an image came from other than a registry; its name holds only while this is still so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// A file or folder of this machine.
    File(Stamp),
    /// A daemon, and what it calls the image.
    Daemon(String),
}

/// What is known of a file; a changed file differs in some of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    dev: u64,
    ino: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl Stamp {
    /// What is known of a file.
    pub(crate) fn of(meta: &fs::Metadata) -> Self {
        Self {
            dev: meta.dev(),
            ino: meta.ino(),
            size: meta.size(),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            ctime: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A name and the image it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefRecord {
    pub(crate) name: String,
    pub(crate) image: Digest,
    #[serde(default)]
    pub(crate) origin: Option<Origin>,
}

/// What is known of an unpacked layer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) opaque: bool,
}

impl Store {
    /// Opens the store in `root`, making its folders where they are missing, and removes what killed
    /// processes left behind.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] if others could write to it.
    pub fn open(root: &Path, settings: Settings) -> Result<Self, StoreError> {
        let store = Self { root: root.to_owned(), settings };
        for name in ["", "layers", "images", "refs", "partial", "tmp", "locks"] {
            let path = root.join(name);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(io_error("make", &path))?;
        }
        let meta = fs::symlink_metadata(root).map_err(io_error("look at", root))?;
        let ours = meta.uid() == rustix::process::geteuid().as_raw();
        if !meta.is_dir() || !ours || meta.mode() & 0o022 != 0 {
            return Err(StoreError::NotOurs(root.to_owned()));
        }
        store.sweep_tmp()?;
        Ok(store)
    }

    /// The image that a name stands for: a registry reference as [`crate::RegistryReference`] writes
    /// it.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Digest>, StoreError> {
        Ok(self.reference(name)?.map(|record| record.image))
    }

    /// Takes hold of an image, and notes its use. `None` if the store does not have all of it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn lease(&self, id: Digest) -> Result<Option<Lease>, StoreError> {
        let path = self.image_path(id);
        if !path.exists() {
            return Ok(None); // without making a lock for it
        }
        let lock = Lock::shared(&self.locks(), &image_lock(id)).map_err(io_error("lock", &self.locks()))?;
        let Some(image) = self.image(id)? else {
            return Ok(None);
        };
        if let Ok(file) = fs::File::open(&path) {
            let _ = file.set_modified(std::time::SystemTime::now());
        }
        Ok(Some(Lease { image, _lock: lock }))
    }

    /// Reads an image; `None` if the store does not have all of it.
    fn image(&self, id: Digest) -> Result<Option<Image>, StoreError> {
        let path = self.image_path(id);
        let Some(bytes) = read_small(&path, crate::config::CONFIG_BYTES)? else {
            return Ok(None);
        };
        if Digest::of(&bytes) != id {
            return Ok(None); // damaged: it will be fetched again
        }
        let config = Config::parse(&bytes)?;
        let mut layers = Vec::with_capacity(config.layers.len());
        for diff in config.layers.iter().rev() {
            let Some(facts) = self.facts(*diff)? else {
                return Ok(None);
            };
            layers.push(self.layer_path(*diff).join("fs"));
            if facts.opaque {
                // Overlayfs ignores the mark on a layer's root, so what it hides is left out here.
                break;
            }
        }
        Ok(Some(Image { id, config, layers }))
    }

    /// What is known of a layer; `None` if the store does not have it.
    fn facts(&self, diff: Digest) -> Result<Option<Facts>, StoreError> {
        let path = self.layer_path(diff).join("facts.json");
        let bytes = read_small(&path, RECORD_BYTES)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(crate) fn reference(&self, name: &str) -> Result<Option<RefRecord>, StoreError> {
        let bytes = read_small(&self.ref_path(name), RECORD_BYTES)?;
        let record: Option<RefRecord> = bytes.and_then(|b| serde_json::from_slice(&b).ok());
        Ok(record.filter(|record| record.name == name))
    }

    /// Gives an image a name.
    pub(crate) fn name(&self, record: &RefRecord) -> Result<(), StoreError> {
        let path = self.ref_path(&record.name);
        let text = serde_json::to_vec(record).map_err(io::Error::from).map_err(io_error("write", &path))?;
        self.write(&path, &text)
    }

    /// Writes a small file so that it is there as a whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let (folder, lock) = self.tmp_folder()?;
        let draft = folder.join("draft");
        let written = fs::File::create(&draft).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(&draft, path)
        });
        remove_all(&folder)?;
        lock.remove_quietly();
        written.map_err(io_error("write", path))
    }

    fn layer_path(&self, diff: Digest) -> PathBuf {
        self.root.join("layers").join(diff.hex())
    }

    fn image_path(&self, id: Digest) -> PathBuf {
        self.root.join("images").join(format!("{}.json", id.hex()))
    }

    fn ref_path(&self, name: &str) -> PathBuf {
        let name = Digest::of(name.as_bytes()).hex();
        self.root.join("refs").join(format!("{name}.json"))
    }

    fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Removes what killed processes left in `tmp`: whatever nobody alive holds the lock of.
    fn sweep_tmp(&self) -> Result<(), StoreError> {
        let tmp = self.tmp();
        for entry in fs::read_dir(&tmp).map_err(io_error("list", &tmp))?.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let held = Lock::try_exclusive(&self.locks(), &tmp_lock(&name)).map_err(io_error("lock", &entry.path()))?;
            if let Some(lock) = held {
                remove_all(&entry.path())?;
                lock.remove_quietly();
            }
        }
        Ok(())
    }
}

/// The lock that says an image is in use.
fn image_lock(id: Digest) -> String {
    format!("image-{}", id.hex())
}

/// The lock that says a folder of `tmp` is in use.
fn tmp_lock(name: &str) -> String {
    format!("tmp-{name}")
}

/// Removes a file or folder; one that is gone already is no error. Links are not followed.
fn remove_all(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Reads a file of at most `limit` bytes; `None` if there is none or it is larger.
fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    use std::io::Read as _;
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

pub(crate) fn io_error(act: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { act, path: path.clone(), source }
}
