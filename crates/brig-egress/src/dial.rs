//! Connects to what was allowed, and to nothing else.
//!
//! One lookup, on the host, of the very name that was decided; the box takes no part in it. No proxy
//! variable is read and no redirect is followed.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::decide::Allowed;
use crate::endpoint::Endpoint;

/// How long one address may take to answer: registries answer within 1 s; a dead route must not hold the
/// package manager longer than its own patience (npm: 10 s between tries).
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How many addresses of a name are tried: more is a broken or hostile zone.
const MAX_ADDRESSES: usize = 8;

/// Looks a name up: `(name, port)` to addresses. [`system_resolve`] is the ordinary one.
pub type Resolve = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// Why nothing was reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host's resolver has no answer.
    #[error("cannot resolve {place}: {source}")]
    Resolve {
        /// What was to be reached.
        place: Endpoint,
        /// What the resolver said.
        source: io::Error,
    },
    /// The name has no address.
    #[error("{0} has no address")]
    NoAddress(Endpoint),
    /// No address answered.
    #[error("cannot connect to {place}: {source}")]
    Connect {
        /// What was to be reached.
        place: Endpoint,
        /// What the last address said.
        source: io::Error,
    },
}

/// The host's own resolver, with its split DNS and `/etc/hosts`.
///
/// # Errors
/// What the resolver reports.
pub fn system_resolve(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((name, port).to_socket_addrs()?.take(MAX_ADDRESSES).collect())
}

/// Connects to an allowed place, trying its addresses in turn.
///
/// # Errors
/// No lookup, no address, or none that answers in time.
pub fn dial(allowed: &Allowed, resolve: Resolve) -> Result<TcpStream, DialError> {
    let place = allowed.place();
    let addresses = match (place.host.address(), place.host.name()) {
        (Some(address), _) => vec![SocketAddr::new(address, place.port)],
        (None, Some(name)) => {
            resolve(name, place.port).map_err(|source| DialError::Resolve { place: place.clone(), source })?
        }
        (None, None) => Vec::new(),
    };
    let mut last = None;
    for address in addresses.iter().take(MAX_ADDRESSES) {
        match TcpStream::connect_timeout(address, CONNECT_TIME) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(source) => DialError::Connect { place: place.clone(), source },
        None => DialError::NoAddress(place.clone()),
    })
}
