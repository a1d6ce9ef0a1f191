//! Brings the image that was named into the store, from wherever it is, and takes hold of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::{self, ArchiveError, Wanted};
use crate::daemon::{self, DaemonError};
use crate::layout::{self, LayoutError};
use crate::manifest::Platform;
use crate::reference::{Reference, RegistryReference};
use crate::registry::{OnProgress, PullError, Registry};
use crate::store::{Lease, Origin, Stamp, Store, StoreError};

/// When a registry is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// Every time.
    Always,
    /// When the image is nowhere on this machine.
    Missing,
    /// Never.
    Never,
}

/// Where images may come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Registries.
    pub registry: &'a Registry,
    /// Sockets of Docker and Podman, in the order in which they are asked; none that does not answer
    /// is an error.
    pub daemons: &'a [PathBuf],
}

/// The image that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Which.
    pub reference: &'a Reference,
    /// For what.
    pub platform: &'a Platform,
    /// Whether it may be fetched.
    pub fetch: Fetch,
}

/// Why an image was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum ObtainError {
    /// A path that leads nowhere.
    #[error("{path:?} cannot be opened: {source}")]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Neither file nor folder.
    #[error("{0:?} is neither an archive nor a folder")]
    NotAnImage(PathBuf),
    /// Nowhere on this machine, and not to be fetched.
    #[error("{0} is not on this machine, and --pull never was given")]
    Absent(String),
    /// From an archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// From a layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// From a daemon.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// From a registry.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ObtainError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path { .. } | Self::NotAnImage(_) => {
                Some("check the path; one of several images in it is oci:FOLDER:TAG or docker-archive:FILE:TAG; an image of a registry has no ./ before it".to_owned())
            }
            Self::Absent(name) => Some(format!("brig pull {name}")),
            Self::Archive(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Daemon(error) => error.hint(),
            Self::Pull(error) => error.hint(),
            Self::Store(error) => error.hint(),
        }
    }
}

/// Obtains an image. A file or folder is read again only after it changed; a name is looked up in the
/// store, then at the daemons, then at its registry.
///
/// # Errors
/// See [`ObtainError`].
pub fn obtain(
    store: &Store,
    wish: Wish<'_>,
    sources: Sources<'_>,
    progress: OnProgress<'_>,
) -> Result<Lease, ObtainError> {
    match wish.reference {
        Reference::Path { path, tag } => from_path(store, path, tag.as_deref(), wish.platform),
        Reference::Registry(reference) => {
            if wish.fetch == Fetch::Always {
                return Ok(sources.registry.pull(store, reference, wish.platform, progress)?);
            }
            if let Some(lease) = local(store, reference, wish.platform, sources.daemons)? {
                return Ok(lease);
            }
            if wish.fetch == Fetch::Never {
                return Err(ObtainError::Absent(reference.to_string()));
            }
            Ok(sources.registry.pull(store, reference, wish.platform, progress)?)
        }
    }
}

fn from_path(store: &Store, path: &Path, tag: Option<&str>, platform: &Platform) -> Result<Lease, ObtainError> {
    let fail = |source| ObtainError::Path { path: path.to_owned(), source };
    let real = fs::canonicalize(path).map_err(fail)?;
    let meta = fs::metadata(&real).map_err(fail)?;
    let is_dir = meta.is_dir();
    if !is_dir && !meta.is_file() {
        return Err(ObtainError::NotAnImage(real));
    }
    // A layout changes by its index; the blobs are named by their digests.
    let stamped = if is_dir { real.join("index.json") } else { real.clone() };
    let stamp = fs::metadata(&stamped).map(|meta| Origin::File(Stamp::of(&meta)));
    let stamp = stamp.map_err(|source| ObtainError::Path { path: stamped, source })?;
    let tag_shown = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    let name = format!("file:{}{tag_shown}", real.display());
    if let Some(record) = store.reference(&name)?
        && record.origin.as_ref() == Some(&stamp)
        && let Some(lease) = usable(store.lease(record.image)?, platform)
    {
        return Ok(lease);
    }
    let names = [(name, Some(stamp))];
    let wanted = Wanted { tag, platform, names: &names };
    if is_dir { Ok(layout::import(store, &real, &wanted)?) } else { Ok(archive::import_file(store, &real, &wanted)?) }
}

/// The image of a name as this machine has it: the daemon's own, while a daemon has one by that name
/// and the store's copy did not come from a registry; else the store's.
fn local(
    store: &Store,
    reference: &RegistryReference,
    platform: &Platform,
    daemons: &[PathBuf],
) -> Result<Option<Lease>, ObtainError> {
    let record = store.reference(&reference.to_string())?;
    let held = match &record {
        Some(record) => usable(store.lease(record.image)?, platform),
        None => None,
    };
    let known = record.and_then(|record| record.origin);
    if held.is_some() && !matches!(known, Some(Origin::Daemon(_))) {
        return Ok(held);
    }
    for socket in daemons {
        if !daemon::answers(socket).unwrap_or(false) {
            continue;
        }
        let Some(id) = daemon::identify(socket, reference)? else {
            continue;
        };
        if held.is_some() && known == Some(Origin::Daemon(id.clone())) {
            return Ok(held);
        }
        return Ok(Some(daemon::copy(store, socket, reference, &id, platform)?));
    }
    Ok(held)
}

fn usable(lease: Option<Lease>, platform: &Platform) -> Option<Lease> {
    lease.filter(|lease| lease.image.config.platform.serves(platform))
}
