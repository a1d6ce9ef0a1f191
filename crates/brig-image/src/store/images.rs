//! What the store holds: listing, removing, and keeping it below its cap.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::{CONTENT_LOCK, RefRecord, Store, StoreError, image_lock, io_error, read_small, remove_all};
use crate::config::{CONFIG_BYTES, Config};
use crate::digest::Digest;
use crate::lock::Lock;

/// Fewest digits that name an image without its whole digest: as many as are never a word.
const FEWEST_DIGITS: usize = 6;

/// One image, as `brig image ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its identity.
    pub id: Digest,
    /// Its names, sorted; empty if all were given to newer images.
    pub names: Vec<String>,
    /// Bytes of its unpacked layers, those it shares included.
    pub bytes: u64,
    /// When it was last run or pulled.
    pub last_used: SystemTime,
    /// Whether a box runs from it.
    pub in_use: bool,
}

/// What [`Store::prune`] spares. What is in use is always spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Images that have a name.
    Named,
    /// Nothing.
    Nothing,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Images.
    pub images: u64,
    /// Bytes of layers and partial blobs.
    pub bytes: u64,
    /// Whether layers stay for now because another brig is adding an image. The next call that
    /// removes or adds an image removes them.
    pub deferred: bool,
}

impl Store {
    /// All images, the most recently used first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut names: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        for record in self.references()? {
            names.entry(record.image).or_default().push(record.name);
        }
        let mut list = Vec::new();
        for (id, config) in self.configs()? {
            let meta = fs::metadata(self.image_path(id));
            let Ok(last_used) = meta.and_then(|meta| meta.modified()) else {
                continue; // removed meanwhile
            };
            let mut bytes = 0;
            for diff in &config.layers {
                bytes += self.facts(*diff)?.map_or(0, |facts| facts.bytes);
            }
            let free = Lock::try_exclusive(&self.locks(), &image_lock(id)).map_err(io_error("lock", &self.locks()))?;
            let mut names = names.remove(&id).unwrap_or_default();
            names.sort();
            list.push(Listed { id, names, bytes, last_used, in_use: free.is_none() });
        }
        list.sort_by_key(|image| std::cmp::Reverse(image.last_used));
        Ok(list)
    }

    /// Removes a name, and with its last name the image; or an image by its digest or the first digits
    /// of it, with all its names.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a box runs from it, [`StoreError::Unknown`], [`StoreError::Several`].
    pub fn remove(&self, what: &str) -> Result<Pruned, StoreError> {
        if let Some(record) = self.reference(what)? {
            let others =
                self.references()?.iter().any(|other| other.image == record.image && other.name != record.name);
            if others {
                remove_all(&self.ref_path(what))?;
                return Ok(Pruned::default());
            }
            return self.remove_image(record.image, what);
        }
        let digits = what.strip_prefix("sha256:").unwrap_or(what);
        let mut found = Vec::new();
        if digits.len() >= FEWEST_DIGITS {
            let ids = self.configs()?.into_keys();
            found.extend(ids.filter(|id| id.hex().starts_with(digits)));
        }
        match found[..] {
            [] => Err(StoreError::Unknown(what.to_owned())),
            [id] => self.remove_image(id, what),
            _ => Err(StoreError::Several(what.to_owned())),
        }
    }

    /// Removes images that are not in use, layers that no image names, and partial blobs.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn prune(&self, keep: Keep) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        for image in self.list()? {
            let spared = image.in_use || (keep == Keep::Named && !image.names.is_empty());
            if !spared && self.unpublish(image.id)? {
                pruned.images += 1;
            }
        }
        pruned.bytes += self.remove_partial()?;
        self.collect(&mut pruned)?;
        Ok(pruned)
    }

    /// Removes the least recently used images until the store is below its cap.
    pub(super) fn evict(&self) -> Result<(), StoreError> {
        let cap = self.settings.cap;
        let mut pruned = Pruned::default();
        let mut held = self.held(None)?;
        if held <= cap {
            return Ok(());
        }
        for image in self.list()?.into_iter().rev() {
            if held <= cap {
                break;
            }
            if !image.in_use && self.unpublish(image.id)? {
                held = self.held(None)?;
            }
        }
        self.collect(&mut pruned)
    }

    /// Bytes of all layers that images name, each once; also gathers which these are.
    fn held(&self, mut named: Option<&mut BTreeSet<Digest>>) -> Result<u64, StoreError> {
        let mut seen = BTreeSet::new();
        for config in self.configs()?.into_values() {
            seen.extend(config.layers);
        }
        let mut bytes = 0_u64;
        for diff in &seen {
            bytes += self.facts(*diff)?.map_or(0, |facts| facts.bytes);
        }
        if let Some(named) = named.as_mut() {
            named.append(&mut seen);
        }
        Ok(bytes)
    }

    fn remove_image(&self, id: Digest, what: &str) -> Result<Pruned, StoreError> {
        if !self.unpublish(id)? {
            return Err(StoreError::InUse(what.to_owned()));
        }
        let mut pruned = Pruned { images: 1, ..Pruned::default() };
        self.collect(&mut pruned)?;
        Ok(pruned)
    }

    /// Takes an image and its names out of the store; false if it is in use. Layers stay.
    fn unpublish(&self, id: Digest) -> Result<bool, StoreError> {
        let lock = Lock::try_exclusive(&self.locks(), &image_lock(id)).map_err(io_error("lock", &self.locks()))?;
        let Some(lock) = lock else {
            return Ok(false);
        };
        for record in self.references()? {
            if record.image == id {
                remove_all(&self.ref_path(&record.name))?;
            }
        }
        remove_all(&self.image_path(id))?;
        lock.remove_quietly();
        Ok(true)
    }

    /// Removes layers that no image names, unless somebody is adding one.
    fn collect(&self, pruned: &mut Pruned) -> Result<(), StoreError> {
        let lock = Lock::try_exclusive(&self.locks(), CONTENT_LOCK).map_err(io_error("lock", &self.locks()))?;
        let Some(_lock) = lock else {
            pruned.deferred = true;
            return Ok(());
        };
        let mut named = BTreeSet::new();
        self.held(Some(&mut named))?;
        for (hex, path) in list_folder(&self.root.join("layers"))? {
            let diff = Digest::from_hex(&hex);
            if diff.is_some_and(|diff| named.contains(&diff)) {
                continue;
            }
            if let Some(facts) = diff.map(|diff| self.facts(diff)).transpose()?.flatten() {
                pruned.bytes += facts.bytes;
            }
            // It vanishes at once; removing what is inside may take longer and may be interrupted.
            let (folder, lock) = self.tmp_folder()?;
            fs::rename(&path, folder.join("gone")).map_err(io_error("remove", &path))?;
            remove_all(&folder)?;
            lock.remove_quietly();
        }
        Ok(())
    }

    /// Removes the parts of blobs that nobody is fetching.
    fn remove_partial(&self) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for (hex, path) in list_folder(&self.root.join("partial"))? {
            let lock =
                Lock::try_exclusive(&self.locks(), &format!("partial-{hex}")).map_err(io_error("lock", &path))?;
            if let Some(lock) = lock {
                bytes += fs::metadata(&path).map_or(0, |meta| meta.len());
                remove_all(&path)?;
                lock.remove_quietly();
            }
        }
        Ok(bytes)
    }

    pub(super) fn references(&self) -> Result<Vec<RefRecord>, StoreError> {
        let mut records = Vec::new();
        for (_, path) in list_folder(&self.root.join("refs"))? {
            let bytes = read_small(&path, super::RECORD_BYTES)?;
            records.extend(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()));
        }
        Ok(records)
    }

    fn configs(&self) -> Result<BTreeMap<Digest, Config>, StoreError> {
        let mut configs = BTreeMap::new();
        for (name, path) in list_folder(&self.root.join("images"))? {
            let id = name.strip_suffix(".json").and_then(Digest::from_hex);
            let bytes = read_small(&path, CONFIG_BYTES)?;
            let config = bytes.and_then(|bytes| Config::parse(&bytes).ok());
            if let (Some(id), Some(config)) = (id, config) {
                configs.insert(id, config);
            }
        }
        Ok(configs)
    }
}

fn list_folder(path: &Path) -> Result<Vec<(String, std::path::PathBuf)>, StoreError> {
    let entries = fs::read_dir(path).map_err(io_error("list", path))?;
    Ok(entries.flatten().filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect())
}
