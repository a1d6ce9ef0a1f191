//! Adding an image: its layers, each in a folder of `tmp` until it is whole and verified, then itself.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;

use super::{CONTENT_LOCK, Facts, Lease, Origin, RefRecord, Store, StoreError, io_error, tmp_lock};
use crate::config::Config;
use crate::digest::Digest;
use crate::layer::{self, Expected, Unpacked};
use crate::lock::Lock;

/// An image that is being added. While it lives no layer is removed from the store.
#[derive(Debug)]
pub(crate) struct Import<'a> {
    store: &'a Store,
    lock: Lock,
}

/// A layer that is unpacked and verified, and not in the store yet. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    store: &'a Store,
    folder: PathBuf,
    lock: Option<Lock>,
    /// What it turned out to be.
    pub(crate) layer: Unpacked,
}

/// Who unpacks a layer that several brigs may want at once.
pub(crate) enum Turn {
    /// The store has it.
    Present,
    /// The caller, while it keeps this.
    Ours(Lock),
}

impl<'a> Import<'a> {
    /// Begins to add an image.
    pub(crate) fn begin(store: &'a Store) -> Result<Self, StoreError> {
        let locks = store.locks();
        let lock = Lock::shared(&locks, CONTENT_LOCK).map_err(io_error("lock", &locks))?;
        Ok(Self { store, lock })
    }

    /// Whether the store has a layer.
    pub(crate) fn has(&self, diff: Digest) -> Result<bool, StoreError> {
        Ok(self.store.facts(diff)?.is_some())
    }

    /// Waits until nobody else unpacks this layer.
    pub(crate) fn turn(&self, diff: Digest) -> Result<Turn, StoreError> {
        if self.has(diff)? {
            return Ok(Turn::Present);
        }
        let lock = self.lock(&format!("layer-{}", diff.hex()))?;
        if self.has(diff)? {
            lock.remove_quietly();
            return Ok(Turn::Present);
        }
        Ok(Turn::Ours(lock))
    }

    /// Waits for a lock of the store.
    pub(crate) fn lock(&self, name: &str) -> Result<Lock, StoreError> {
        let locks = self.store.locks();
        Lock::exclusive(&locks, name).map_err(io_error("lock", &locks))
    }

    /// The folder of partial blobs.
    pub(crate) fn partial(&self) -> PathBuf {
        self.store.root.join("partial")
    }

    /// Unpacks and verifies a layer without showing it yet.
    pub(crate) fn stage(&self, expected: Expected, source: &mut dyn Read) -> Result<Staged<'a>, StoreError> {
        let store = self.store;
        let (folder, lock) = store.tmp_folder()?;
        let mut staged = Staged {
            store,
            folder,
            lock: Some(lock),
            layer: Unpacked { diff: Digest::of(b""), bytes: 0, dropped: 0, opaque: false },
        };
        let root = staged.folder.join("fs");
        fs::create_dir(&root).map_err(io_error("make", &root))?;
        let dir = fs::File::open(&root).map_err(io_error("open", &root))?;
        let into = (dir.as_fd(), store.settings.owner);
        staged.layer = layer::unpack(source, expected, into, &store.settings.limits)?;
        Ok(staged)
    }

    /// Publishes the image: from here on it is found and can be leased. Its layers are published
    /// already. Then the least recently used ones go, if the store has grown too large.
    pub(crate) fn finish(self, config: &[u8], names: &[(String, Option<Origin>)]) -> Result<Lease, StoreError> {
        let store = self.store;
        let id = Digest::of(config);
        let parsed = Config::parse(config)?;
        let mut bytes = 0_u64;
        for diff in &parsed.layers {
            let facts = store.facts(*diff)?.ok_or(StoreError::MissingLayer(*diff))?;
            bytes = bytes.saturating_add(facts.bytes);
        }
        let cap = store.settings.cap;
        if bytes > cap {
            return Err(StoreError::TooLarge { bytes, cap });
        }
        store.write(&store.image_path(id), config)?;
        let lease = store.lease(id)?.ok_or(StoreError::MissingLayer(id))?;
        for (name, origin) in names {
            store.name(&RefRecord { name: name.clone(), image: id, origin: origin.clone() })?;
        }
        drop(self.lock);
        store.evict()?;
        Ok(lease)
    }
}

impl Staged<'_> {
    /// Shows the layer in the store. If another brig was faster, its layer is taken: they are equal.
    pub(crate) fn publish(mut self) -> Result<(), StoreError> {
        let target = self.store.layer_path(self.layer.diff);
        let facts = Facts { bytes: self.layer.bytes, dropped: self.layer.dropped, opaque: self.layer.opaque };
        let path = self.folder.join("facts.json");
        let text = serde_json::to_vec(&facts).map_err(std::io::Error::from);
        text.and_then(|text| fs::write(&path, text)).map_err(io_error("write", &path))?;
        // A rename that survives a power cut must not be all that does.
        let dir = fs::File::open(&self.folder).map_err(io_error("open", &self.folder))?;
        rustix::fs::syncfs(&dir).map_err(|errno| io_error("sync", &path)(errno.into()))?;
        match fs::rename(&self.folder, &target) {
            Ok(()) => {
                if let Some(lock) = self.lock.take() {
                    lock.remove_quietly();
                }
                Ok(())
            }
            Err(_) if self.store.facts(self.layer.diff)?.is_some() => Ok(()),
            Err(error) => Err(io_error("publish", &target)(error)),
        }
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            // What cannot be removed now is swept by the next call.
            if super::remove_all(&self.folder).is_ok() {
                lock.remove_quietly();
            }
        }
    }
}

impl Store {
    /// A new folder in `tmp`, and the lock that says it is in use.
    pub(super) fn tmp_folder(&self) -> Result<(PathBuf, Lock), StoreError> {
        let mut random = [0_u8; 16];
        let tmp = self.tmp();
        getrandom::fill(&mut random).map_err(std::io::Error::other).map_err(io_error("name a folder in", &tmp))?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let lock = Lock::exclusive(&self.locks(), &tmp_lock(&name)).map_err(io_error("lock", &self.locks()))?;
        let folder = tmp.join(&name);
        fs::create_dir(&folder).map_err(io_error("make", &folder))?;
        Ok((folder, lock))
    }
}
