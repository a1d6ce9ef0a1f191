//! Pulls an image from a registry (OCI distribution specification 1.1).
//!
//! A client of our own, small, since the invariants ask for it: every answer is bounded (a manifest is
//! read up to its limit, not until the registry stops), a token with a line break in it is an error and no
//! panic, credentials leave only over TLS or to this machine itself, and what a killed pull got is kept.

mod auth;
mod blob;
mod credentials;
mod session;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::choice::{self, ChoiceError};
use crate::config::{Config, ConfigError};
use crate::digest::Digest;
use crate::http::{HttpError, Trust};
use crate::layer::Expected;
use crate::manifest::{Descriptor, ManifestError, Platform};
use crate::reference::RegistryReference;
use crate::store::{Import, Lease, Store, StoreError, Turn};

pub use auth::AuthError;
pub use credentials::CredentialError;
use session::Session;

/// Layers fetched at once: what Docker does; more gain nothing on one machine's network.
const PARALLEL: usize = 3;
/// Largest blob: a layer is at most this when unpacked, and packing seldom makes it larger.
const BLOB_BYTES: u64 = crate::layer::LAYER_BYTES + (1 << 30);

/// Where credentials and certificates come from.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Docker's own `config.json`; one that does not exist has no credentials.
    pub docker_config: Option<PathBuf>,
    /// Folders in which `docker-credential-…` programs are looked for (the caller's `PATH`).
    pub helper_path: Vec<PathBuf>,
    /// Certificates trusted besides the machine's own, in PEM.
    pub extra_certificates: Option<PathBuf>,
}

/// Talks to registries.
#[derive(Debug)]
pub struct Registry {
    settings: RegistrySettings,
    trust: OnceLock<Trust>,
}

/// How far a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which blob.
    pub blob: Digest,
    /// Bytes fetched, or found from an interrupted pull.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Told how far layers are, from several threads.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Sync);

/// Why an image was not pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The connection.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Who we are.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Credentials could not be had.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The registry does not have it.
    #[error("the registry has no {0}")]
    NotFound(String),
    /// It does not let us.
    #[error("the registry does not let you have {what} (status {status}){why}")]
    Denied {
        /// What was asked for.
        what: String,
        /// 401 or 403.
        status: u16,
        /// What it said, if anything.
        why: String,
    },
    /// Too many requests.
    #[error("the registry asks for fewer requests{0}")]
    TooMany(String),
    /// Any other status.
    #[error("the registry answered {status} for {what}{why}")]
    Status {
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// What it said, if anything.
        why: String,
    },
    /// A redirect that is not followed.
    #[error("the registry redirects to {0:?}, which is not followed")]
    Redirect(String),
    /// An answer that is too long.
    #[error("the registry's answer for {0} is too long")]
    TooLarge(String),
    /// The body broke off.
    #[error("{what} broke off: {source}")]
    Body {
        /// What was read.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Another content than asked for.
    #[error("{what} hashes to {found}, not to {wanted}")]
    Digest {
        /// What.
        what: &'static str,
        /// As asked for.
        wanted: Digest,
        /// As served.
        found: Digest,
    },
    /// Another number of layers than the configuration says.
    #[error("the manifest lists {listed} layers, the image's configuration {configured}")]
    LayerCount {
        /// In the manifest.
        listed: usize,
        /// In the configuration.
        configured: usize,
    },
    /// A manifest was refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An index led nowhere.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The store failed, or a layer was refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PullError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Http(error) => error.hint(),
            Self::Auth(error) => error.hint(),
            Self::Credentials(error) => error.hint(),
            Self::NotFound(_) => Some("check the name and the tag".to_owned()),
            Self::Denied { .. } => Some(
                "check the name (registries say this of images that do not exist, too), \
                 then docker login"
                    .to_owned(),
            ),
            Self::TooMany(_) => Some("wait a while, or docker login for a higher limit".to_owned()),
            Self::Status { .. } | Self::Body { .. } => {
                Some("try again; the pull continues where it stopped".to_owned())
            }
            Self::Manifest(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Digest { .. } | Self::LayerCount { .. } | Self::Choice(_) => {
                Some("the registry's copy is damaged or hostile: push it again".to_owned())
            }
            Self::Redirect(_) | Self::TooLarge(_) => Some("the registry is misconfigured or hostile".to_owned()),
        }
    }
}

impl Registry {
    /// A client; nothing is read or connected yet.
    #[must_use]
    pub fn new(settings: RegistrySettings) -> Self {
        Self { settings, trust: OnceLock::new() }
    }

    /// Pulls an image into the store. What the store has is not fetched again.
    ///
    /// # Errors
    /// See [`PullError`].
    pub fn pull(
        &self,
        store: &Store,
        reference: &RegistryReference,
        platform: &Platform,
        progress: OnProgress<'_>,
    ) -> Result<Lease, PullError> {
        let import = Import::begin(store)?;
        let session = Session::new(self, reference);
        let manifest = session.manifest()?;
        let (config, layers) = choice::follow(manifest, platform, &mut |blob: &Descriptor| session.document(blob))?;
        let parsed = Config::parse(&config)?;
        choice::check_platform(&parsed, platform)?;
        if layers.len() != parsed.layers.len() {
            return Err(PullError::LayerCount { listed: layers.len(), configured: parsed.layers.len() });
        }
        if let Some(large) = layers.iter().find(|layer| layer.size > BLOB_BYTES) {
            return Err(PullError::TooLarge(large.digest.to_string()));
        }
        let pairs: Vec<(&Descriptor, Digest)> = layers.iter().zip(parsed.layers).collect();
        fetch_all(&pairs, &|blob, diff| fetch_layer(&import, &session, (blob, diff), progress))?;
        Ok(import.finish(&config, &[(reference.to_string(), None)])?)
    }

    fn trust(&self) -> Result<&Trust, HttpError> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust);
        }
        let loaded = Trust::load(self.settings.extra_certificates.as_deref())?;
        Ok(self.trust.get_or_init(|| loaded))
    }
}

/// Runs `fetch` for each layer, a few at once; the first error stops the rest.
fn fetch_all(
    layers: &[(&Descriptor, Digest)],
    fetch: &(dyn Fn(&Descriptor, Digest) -> Result<(), PullError> + Sync),
) -> Result<(), PullError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL.min(layers.len()) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((blob, diff)) = layers.get(at) else {
                        break;
                    };
                    if let Err(error) = fetch(blob, *diff) {
                        stop.store(true, Ordering::Relaxed);
                        let mut slot = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        slot.get_or_insert(error);
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Fetches and unpacks one layer in one pass, unless the store has it or another brig brings it.
fn fetch_layer(
    import: &Import<'_>,
    session: &Session<'_>,
    (blob, diff): (&Descriptor, Digest),
    progress: OnProgress<'_>,
) -> Result<(), PullError> {
    let Turn::Ours(turn) = import.turn(diff)? else {
        progress(Progress { blob: blob.digest, done: blob.size, total: blob.size });
        return Ok(());
    };
    let mut reader = blob::Resumable::open(import, session, blob, progress)?;
    let expected = Expected { blob: Some(blob.digest), diff: Some(diff) };
    let staged = import.stage(expected, &mut reader);
    match (staged, reader.failure.take()) {
        (Ok(staged), _) => {
            staged.publish()?;
            reader.forget();
            turn.remove_quietly();
            Ok(())
        }
        // The network failed: what came is kept for the next time.
        (Err(_), Some(error)) => Err(error),
        (Err(error), None) => {
            reader.forget();
            Err(error.into())
        }
    }
}
