//! Reads an image out of an archive, in one pass and without seeking, so that a pipe will do: what
//! `docker save` writes (in its old and its new form), and an OCI layout in a tar.
//!
//! What comes is not known before it came: the lists that say which layer is which may be the last
//! members. So each member that is a layer is unpacked at once into a folder of its own, which is
//! published only if the chosen image's configuration names the digest that its bytes turned out to have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

use crate::choice::{self, ChoiceError, Chosen, Labelled};
use crate::config::{Config, ConfigError};
use crate::digest::Digest;
use crate::json;
use crate::layer::{self, Entries, Expected, Kind, LayerError, Name, shown};
use crate::manifest::{MANIFEST_BYTES, ManifestError, Platform};
use crate::store::{Import, Lease, Origin, Staged, Store, StoreError};

/// Most members of an archive: three for each layer, and several images.
pub const MEMBERS: u64 = 20_000;
/// Most bytes of all lists and configurations together: they are kept in memory.
pub const LISTS_BYTES: u64 = 32 << 20;
/// Longest list of images in `manifest.json`.
pub const IMAGES: usize = 1024;

/// Why an archive's image was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The archive itself is broken.
    #[error("the archive is broken: {0}")]
    Outer(#[source] LayerError),
    /// One of its layers is.
    #[error("{member:?} of the archive: {source}")]
    Member {
        /// Which member.
        member: String,
        /// What is wrong with it.
        source: StoreError,
    },
    /// The file cannot be opened.
    #[error("{path:?} cannot be opened: {source}")]
    Open {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Neither kind of list is in it.
    #[error("this is not an image: it has neither manifest.json nor index.json")]
    NotAnImage,
    /// A member twice.
    #[error("the archive has {0:?} twice")]
    Duplicate(String),
    /// More than [`MEMBERS`].
    #[error("the archive has more than {MEMBERS} members")]
    Members,
    /// A list or configuration above the limits.
    #[error("{0:?} of the archive is too large")]
    TooLarge(String),
    /// `manifest.json` of another shape.
    #[error("manifest.json cannot be read: {0}")]
    List(#[source] serde_json::Error),
    /// A member that is named but missing.
    #[error("the archive lacks {0:?}, which its list names")]
    Lacks(String),
    /// A member whose content is not the one that is named.
    #[error("{member:?} of the archive hashes to {found}, not to {wanted}")]
    Digest {
        /// Which.
        member: String,
        /// What was named.
        wanted: Digest,
        /// What is there.
        found: Digest,
    },
    /// Another number of layers than the configuration says.
    #[error("the archive lists {listed} layers, the image's configuration {configured}")]
    LayerCount {
        /// In the list.
        listed: usize,
        /// In the configuration.
        configured: usize,
    },
    /// Which of several images is meant.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// A manifest was refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ArchiveError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Member { source, .. } | Self::Store(source) => source.hint(),
            Self::Choice(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
            Self::Open { .. } => Some("check the path".to_owned()),
            Self::NotAnImage => Some(
                "make one with docker save -o FILE.tar IMAGE; what docker export writes is a file \
                 system without its image"
                    .to_owned(),
            ),
            _ => Some("save the image again: docker save -o FILE.tar IMAGE".to_owned()),
        }
    }
}

/// An archive's image, and under which names it is kept.
pub(crate) struct Wanted<'a> {
    pub(crate) tag: Option<&'a str>,
    pub(crate) platform: &'a Platform,
    pub(crate) names: &'a [(String, Option<Origin>)],
}

/// Takes the image of an archive into the store.
pub(crate) fn import(store: &Store, source: &mut dyn Read, wanted: &Wanted<'_>) -> Result<Lease, ArchiveError> {
    let import = Import::begin(store)?;
    let mut members = Members::default();
    members.read(&import, source)?;
    let chosen = members.choose(wanted)?;
    let config = Config::parse(&chosen.config)?;
    if chosen.layers.len() != config.layers.len() {
        return Err(ArchiveError::LayerCount { listed: chosen.layers.len(), configured: config.layers.len() });
    }
    choice::check_platform(&config, wanted.platform)?;
    for (member, diff) in chosen.layers.iter().zip(&config.layers) {
        members.publish(&import, member, *diff)?;
    }
    drop(members); // what the image does not need goes before the lock does
    Ok(import.finish(&chosen.config, wanted.names)?)
}

/// Runs the reader on arbitrary bytes and checks that nothing appears beside the store.
#[doc(hidden)]
pub fn fuzz_archive(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let canary = folder.path().join("canary");
    let wrote = std::fs::write(&canary, b"untouched");
    let small = crate::store::Settings {
        limits: layer::Limits { bytes: 8 << 20, entries: 2000, ..layer::Limits::default() },
        ..crate::store::Settings::default()
    };
    let (Ok(()), Ok(store)) = (wrote, Store::open(&folder.path().join("store"), small)) else {
        return;
    };
    let wanted = Wanted { tag: None, platform: &Platform::host(), names: &[] };
    if let Err(error) = import(&store, &mut &bytes[..], &wanted) {
        let _ = (error.to_string(), error.hint());
    }
    // The bytes as one layer, too: an archive seldom gets that far.
    if let Ok(begun) = Import::begin(&store) {
        let _ = begun.stage(Expected::default(), &mut &bytes[..]);
    }
    let left: BTreeSet<_> =
        std::fs::read_dir(folder.path()).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["canary", "store"].map(Into::into).into());
    assert!(std::fs::read(&canary).is_ok_and(|text| text == b"untouched"));
    let left = std::fs::read_dir(folder.path().join("store/tmp"));
    assert_eq!(left.map_or(0, Iterator::count), 0, "tmp is left clean");
}

/// What was found in an archive.
#[derive(Default)]
struct Members<'a> {
    /// Lists, manifests, configurations.
    texts: BTreeMap<Vec<u8>, Vec<u8>>,
    texts_bytes: u64,
    /// Layers that were unpacked, or that the store has.
    layers: BTreeMap<Vec<u8>, Layer<'a>>,
    /// `docker save` links equal layers of several images.
    links: BTreeMap<Vec<u8>, Vec<u8>>,
}

enum Layer<'a> {
    Staged(Staged<'a>),
    /// The member's name says its digest, and the store has that layer.
    Present(Digest),
}

/// One image of `manifest.json`.
#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

impl<'a> Members<'a> {
    fn read(&mut self, import: &Import<'a>, source: &mut dyn Read) -> Result<(), ArchiveError> {
        let mut decoded = layer::decode(source).map_err(LayerError::Read).map_err(ArchiveError::Outer)?;
        let mut entries = Entries::new(&mut *decoded.reader);
        while let Some(entry) = entries.next().map_err(ArchiveError::Outer)? {
            if entries.count() > MEMBERS {
                return Err(ArchiveError::Members);
            }
            let name = entry.name.as_bytes().to_vec();
            let known =
                self.texts.contains_key(&name) || self.layers.contains_key(&name) || self.links.contains_key(&name);
            match &entry.kind {
                Kind::Dir => {}
                _ if known => return Err(ArchiveError::Duplicate(entry.name.shown())),
                Kind::File => self.file(import, &name, entry.size, &mut entries)?,
                Kind::Symlink(target) => {
                    if let Some(target) = beside(&entry.name, target) {
                        self.links.insert(name, target);
                    }
                }
                Kind::HardLink(target) => {
                    if let Ok(target) = Name::parse_target(target) {
                        self.links.insert(name, target.as_bytes().to_vec());
                    }
                }
                Kind::Device | Kind::Fifo => {
                    return Err(ArchiveError::Outer(LayerError::Refused {
                        kind: "device node or FIFO",
                        path: entry.name.shown(),
                    }));
                }
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        import: &Import<'a>,
        name: &[u8],
        size: u64,
        data: &mut Entries<'_>,
    ) -> Result<(), ArchiveError> {
        let mut head = Vec::new();
        data.take(512).read_to_end(&mut head).map_err(|error| ArchiveError::Outer(LayerError::Read(error)))?;
        if !looks_like_layer(&head) {
            if !matches!(head.first(), Some(b'{' | b'[')) {
                return Ok(()); // VERSION and the like
            }
            self.texts_bytes += size;
            if size > MANIFEST_BYTES || self.texts_bytes > LISTS_BYTES {
                return Err(ArchiveError::TooLarge(shown(name)));
            }
            data.read_to_end(&mut head).map_err(|error| ArchiveError::Outer(LayerError::Read(error)))?;
            self.texts.insert(name.to_vec(), head);
            return Ok(());
        }
        let named = named_digest(name);
        if let Some(digest) = named
            && import.has(digest)?
        {
            self.layers.insert(name.to_vec(), Layer::Present(digest));
            return Ok(());
        }
        let expected = Expected { blob: named, diff: None };
        let staged = import
            .stage(expected, &mut io::Cursor::new(head).chain(data))
            .map_err(|source| ArchiveError::Member { member: shown(name), source })?;
        self.layers.insert(name.to_vec(), Layer::Staged(staged));
        Ok(())
    }

    fn choose(&self, wanted: &Wanted<'_>) -> Result<Chosen, ArchiveError> {
        if let Some(list) = self.texts.get(&b"manifest.json"[..]) {
            return self.choose_listed(list, wanted.tag);
        }
        let index = self.texts.get(&b"index.json"[..]);
        let index = index.ok_or(ArchiveError::NotAnImage)?;
        choice::from_index(index, wanted.tag, wanted.platform, &mut |blob| {
            self.text(&choice::blob_path(blob.digest), Some(blob.digest))
        })
    }

    /// The image of `manifest.json` that is meant.
    fn choose_listed(&self, list: &[u8], tag: Option<&str>) -> Result<Chosen, ArchiveError> {
        let list: Vec<Listed> = json::parse(list).map_err(ArchiveError::List)?;
        if list.len() > IMAGES {
            return Err(ArchiveError::TooLarge("manifest.json".to_owned()));
        }
        let labelled: Vec<Labelled<'_, Listed>> = list
            .iter()
            .map(|image| Labelled { names: image.tags.iter().flatten().map(String::as_str).collect(), item: image })
            .collect();
        let image = choice::by_tag(&labelled, tag)?;
        let config = self.text(&image.config, named_digest(image.config.as_bytes()))?;
        Ok(Chosen { config, layers: image.layers.clone() })
    }

    /// A member that is a text, verified where its name says what it must be.
    fn text(&self, member: &str, digest: Option<Digest>) -> Result<Vec<u8>, ArchiveError> {
        let lacks = || ArchiveError::Lacks(shown(member.as_bytes()));
        let name = Name::parse(member.as_bytes()).map_err(|_| lacks())?;
        let text = self.texts.get(name.as_bytes()).ok_or_else(lacks)?;
        let found = Digest::of(text);
        match digest {
            Some(wanted) if wanted != found => {
                Err(ArchiveError::Digest { member: shown(member.as_bytes()), wanted, found })
            }
            _ => Ok(text.clone()),
        }
    }

    fn publish(&mut self, import: &Import<'a>, member: &str, wanted: Digest) -> Result<(), ArchiveError> {
        if import.has(wanted)? {
            return Ok(()); // published a moment ago for another layer of equal content, or before
        }
        let lacks = || ArchiveError::Lacks(shown(member.as_bytes()));
        let name = Name::parse(member.as_bytes()).map_err(|_| lacks())?;
        let mut key = name.as_bytes().to_vec();
        if let Some(target) = self.links.get(&key) {
            key.clone_from(target);
        }
        let found = match self.layers.get(&key).ok_or_else(lacks)? {
            Layer::Staged(staged) => staged.layer.diff,
            Layer::Present(diff) => *diff,
        };
        if found != wanted {
            return Err(ArchiveError::Digest { member: shown(member.as_bytes()), wanted, found });
        }
        match self.layers.remove(&key) {
            Some(Layer::Staged(staged)) => Ok(staged.publish()?),
            _ => Ok(()),
        }
    }
}

/// Takes the image of an archive file.
pub(crate) fn import_file(store: &Store, path: &Path, wanted: &Wanted<'_>) -> Result<Lease, ArchiveError> {
    let mut file =
        std::fs::File::open(path).map_err(|source| ArchiveError::Open { path: path.display().to_string(), source })?;
    import(store, &mut file, wanted)
}

/// Packed in a way that only layers are, or a tar (which may be empty: zeros).
fn looks_like_layer(head: &[u8]) -> bool {
    let packed = layer::is_packed(head);
    let tar = head.len() == 512 && (head[257..].starts_with(b"ustar") || head.iter().all(|&byte| byte == 0));
    packed || tar
}

/// The digest that a member's name says: `blobs/sha256/HEX` or `HEX.json`.
fn named_digest(name: &[u8]) -> Option<Digest> {
    let name = std::str::from_utf8(name).ok()?;
    let hex = match name.strip_prefix("blobs/sha256/") {
        Some(hex) => hex,
        None => name.strip_suffix(".json")?,
    };
    Digest::from_hex(hex)
}

/// Where a link between members leads, if it stays in the archive.
fn beside(from: &Name, target: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = from.parent().split(|&c| c == b'/').collect();
    for part in target.split(|&c| c == b'/') {
        match part {
            b".." => {
                parts.pop()?;
            }
            b"" | b"." => {}
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}
