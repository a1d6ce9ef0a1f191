//! Reads an image out of an OCI layout in a folder (OCI image specification, image-layout.md).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};

use crate::archive::Wanted;
use crate::choice::{self, ChoiceError};
use crate::config::{Config, ConfigError};
use crate::digest::Digest;
use crate::layer::Expected;
use crate::manifest::{MANIFEST_BYTES, ManifestError};
use crate::store::{Import, Lease, Store, StoreError, Turn};

/// Why a layout's image was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file of the layout.
    #[error("{path:?} of the layout cannot be read: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without `oci-layout`.
    #[error("{0:?} is a folder, but not an OCI layout")]
    NotALayout(PathBuf),
    /// A list or configuration above the limits.
    #[error("{0:?} of the layout is too large")]
    TooLarge(String),
    /// A file whose content is not the one that its name says.
    #[error("{path:?} of the layout hashes to {found}")]
    Digest {
        /// Which.
        path: String,
        /// What is there.
        found: Digest,
    },
    /// Another number of layers than the configuration says.
    #[error("the layout lists {listed} layers, the image's configuration {configured}")]
    LayerCount {
        /// In the manifest.
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
    /// The store failed, or a layer was refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LayoutError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Choice(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::NotALayout(_) => Some("name a folder that has oci-layout and index.json, or an archive".to_owned()),
            _ => Some("write the layout again".to_owned()),
        }
    }
}

/// A layout's folder.
struct Layout {
    path: PathBuf,
    dir: OwnedFd,
}

/// Takes the image of a layout into the store.
pub(crate) fn import(store: &Store, path: &Path, wanted: &Wanted<'_>) -> Result<Lease, LayoutError> {
    let layout = Layout::open(path)?;
    let import = Import::begin(store)?;
    let index = layout.text("index.json")?;
    let chosen = choice::from_index(&index, wanted.tag, wanted.platform, &mut |blob| layout.verified(blob.digest))?;
    let config = Config::parse(&chosen.config)?;
    choice::check_platform(&config, wanted.platform)?;
    if chosen.layers.len() != config.layers.len() {
        return Err(LayoutError::LayerCount { listed: chosen.layers.len(), configured: config.layers.len() });
    }
    for (blob, diff) in chosen.layers.iter().zip(&config.layers) {
        let Turn::Ours(turn) = import.turn(*diff)? else {
            continue;
        };
        let mut file = layout.file(blob)?;
        let expected = Expected { blob: blob.rsplit('/').next().and_then(Digest::from_hex), diff: Some(*diff) };
        import.stage(expected, &mut file)?.publish()?;
        turn.remove_quietly();
    }
    Ok(import.finish(&chosen.config, wanted.names)?)
}

impl Layout {
    fn open(path: &Path) -> Result<Self, LayoutError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| LayoutError::Read { path: path.to_owned(), source: errno.into() })?;
        let layout = Self { path: path.to_owned(), dir };
        match layout.file("oci-layout") {
            Ok(_) => Ok(layout),
            Err(_) => Err(LayoutError::NotALayout(path.to_owned())),
        }
    }

    /// Opens a file of the layout; links that stay in the folder are followed.
    fn file(&self, name: &str) -> Result<File, LayoutError> {
        let fail = |source: io::Error| LayoutError::Read { path: self.path.join(name), source };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let file =
            rustix::fs::openat2(&self.dir, name, flags, Mode::empty(), resolve).map_err(|errno| fail(errno.into()))?;
        let stat = rustix::fs::fstat(&file).map_err(|errno| fail(errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(fail(io::ErrorKind::InvalidInput.into()));
        }
        Ok(File::from(file))
    }

    fn text(&self, name: &str) -> Result<Vec<u8>, LayoutError> {
        let mut bytes = Vec::new();
        self.file(name)?
            .take(MANIFEST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| LayoutError::Read { path: self.path.join(name), source })?;
        if bytes.len() as u64 > MANIFEST_BYTES {
            return Err(LayoutError::TooLarge(name.to_owned()));
        }
        Ok(bytes)
    }

    fn verified(&self, digest: Digest) -> Result<Vec<u8>, LayoutError> {
        let path = choice::blob_path(digest);
        let bytes = self.text(&path)?;
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(LayoutError::Digest { path, found });
        }
        Ok(bytes)
    }
}
