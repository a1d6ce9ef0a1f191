//! Copies an image that only Docker or Podman has, over the daemon's unix socket (Docker Engine API 1.41,
//! which Podman speaks too). Two requests are made, both `GET`: nothing at the daemon changes.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::archive::{self, ArchiveError, Wanted};
use crate::http::{self, Endpoint, HttpError, Request, Response};
use crate::layer::shown;
use crate::manifest::Platform;
use crate::reference::RegistryReference;
use crate::store::{Lease, Origin, Store};

/// Longest description of an image: one with hundreds of layers and labels stays below 256 KiB.
const DESCRIPTION_BYTES: u64 = 4 << 20;

/// Why a daemon's image was not copied.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The connection.
    #[error("the daemon at {socket:?}: {source}")]
    Http {
        /// Where.
        socket: PathBuf,
        /// Why.
        source: HttpError,
    },
    /// Any status but 200 and 404.
    #[error("the daemon at {socket:?} answered {status}")]
    Status {
        /// Where.
        socket: PathBuf,
        /// The status.
        status: u16,
    },
    /// An answer that is too long, broken off, or no description of an image.
    #[error("the daemon at {socket:?} described the image in an unknown way: {why}")]
    Description {
        /// Where.
        socket: PathBuf,
        /// Why.
        why: String,
    },
    /// The archive it sent.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl DaemonError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Archive(error) => error.hint(),
            Self::Http { source, .. } => source.hint(),
            _ => Some("check the daemon with docker version".to_owned()),
        }
    }
}

/// What the daemon at `socket` calls an image; `None` if it has none of that name.
pub(crate) fn identify(socket: &Path, reference: &RegistryReference) -> Result<Option<String>, DaemonError> {
    #[derive(Deserialize)]
    struct Described {
        #[serde(rename = "Id")]
        id: String,
    }
    let response = get(socket, reference, "json")?;
    match response.status {
        200 => {}
        404 => return Ok(None),
        status => {
            return Err(DaemonError::Status { socket: socket.to_owned(), status });
        }
    }
    let fail = |why: String| DaemonError::Description { socket: socket.to_owned(), why };
    let body = response.body.read_all(DESCRIPTION_BYTES);
    let body = body.map_err(|error| fail(error.to_string()))?;
    let body = body.ok_or_else(|| fail("it is too long".to_owned()))?;
    let described: Described = crate::json::parse(&body).map_err(|error| fail(error.to_string()))?;
    Ok(Some(shown(described.id.as_bytes())))
}

/// Copies an image that [`identify`] found.
pub(crate) fn copy(
    store: &Store,
    socket: &Path,
    reference: &RegistryReference,
    id: &str,
    platform: &Platform,
) -> Result<Lease, DaemonError> {
    let mut response = get(socket, reference, "get")?;
    if response.status != 200 {
        return Err(DaemonError::Status { socket: socket.to_owned(), status: response.status });
    }
    let names = [(reference.to_string(), Some(Origin::Daemon(id.to_owned())))];
    let wanted = Wanted { tag: None, platform, names: &names };
    Ok(archive::import(store, &mut response.body, &wanted)?)
}

/// Whether anything listens at a socket; asked first, so that a machine without Docker loses no time.
pub(crate) fn answers(socket: &Path) -> io::Result<bool> {
    match std::os::unix::net::UnixStream::connect(socket) {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::PermissionDenied => Ok(false),
            _ => Err(error),
        },
    }
}

fn get(socket: &Path, reference: &RegistryReference, what: &str) -> Result<Response, DaemonError> {
    // A reference has only characters that need no escaping in a path.
    let target = format!("/v1.41/images/{reference}/{what}");
    let request = Request { method: "GET", target: &target, headers: Vec::new(), body: Vec::new() };
    http::send(Endpoint::Unix(socket), request)
        .map_err(|source| DaemonError::Http { socket: socket.to_owned(), source })
}
