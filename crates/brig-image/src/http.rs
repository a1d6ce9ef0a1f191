//! One HTTP/1.1 request at a time, over TCP, TLS or a unix socket, with a limit on everything.
//!
//! The runtime is private to each answer, so that the rest of the crate blocks like any other I/O. Names
//! are resolved by `hickory`: the C library of a static program would load the host's plug-ins.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Runtime;

/// For resolving, connecting and the TLS handshake, each: slow mobile links need 3 s.
const CONNECT: Duration = Duration::from_secs(10);
/// For the answer's head. A daemon that packs an image takes its time before the first byte.
const HEAD: Duration = Duration::from_secs(60);
/// Between two pieces of a body.
const IDLE: Duration = Duration::from_secs(30);
/// Most addresses tried for one name.
const ADDRESSES: usize = 6;
/// Largest head of an answer: signed redirects of cloud storage take 4 KiB.
const HEAD_BYTES: usize = 64 * 1024;
/// Where distributions keep the certificates they trust; the first that exists is used.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Alpine, NixOS
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",             // openSUSE
    "/etc/ssl/cert.pem",                  // Alpine without ca-certificates
];

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint<'a> {
    /// Plain TCP.
    Tcp(&'a str, u16),
    /// TLS, with the certificates that are trusted.
    Tls(&'a str, u16, &'a Trust),
    /// A unix socket.
    Unix(&'a Path),
}

/// The certificates that are trusted.
#[derive(Debug, Clone)]
pub(crate) struct Trust(Arc<rustls::ClientConfig>);

/// A request.
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// An answer's body, read by blocking.
pub(crate) struct Body {
    incoming: Incoming,
    chunk: Bytes,
    // Declared last: it drives the connection that `incoming` reads from.
    runtime: Runtime,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The private runtime could not be made.
    #[error("cannot prepare the connection: {0}")]
    Runtime(#[source] io::Error),
    /// The name has no address.
    #[error("the name {host:?} cannot be resolved: {why}")]
    Resolve {
        /// Which.
        host: String,
        /// Why.
        why: String,
    },
    /// No address answered.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// Where.
        to: String,
        /// Why.
        source: io::Error,
    },
    /// The certificates of this machine.
    #[error("cannot read certificates from {path:?}: {why}")]
    Bundle {
        /// Where they were looked for.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The handshake failed, or the certificate is not trusted.
    #[error("no TLS with {host}: {source}")]
    Tls {
        /// With whom.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// Malformed HTTP, or a connection that ended.
    #[error("no answer from {to}: {source}")]
    Http {
        /// From whom.
        to: String,
        /// Why.
        source: hyper::Error,
    },
    /// A request that cannot be sent.
    #[error("the request to {0} cannot be written")]
    Request(String),
    /// Nothing came in time.
    #[error("{0} does not answer in time")]
    Timeout(String),
}

impl HttpError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Resolve { .. } => Some("check the name and the network".to_owned()),
            Self::Connect { .. } | Self::Timeout(_) | Self::Http { .. } => {
                Some("check the network, then try again".to_owned())
            }
            Self::Bundle { .. } => Some("install your distribution's ca-certificates".to_owned()),
            Self::Tls { .. } => Some(
                "if the registry has a certificate of its own, add its authority to this \
                 machine's certificates"
                    .to_owned(),
            ),
            Self::Runtime(_) | Self::Request(_) => None,
        }
    }
}

impl Trust {
    /// Trusts what this machine trusts, and the certificates in `extra`.
    pub(crate) fn load(extra: Option<&Path>) -> Result<Self, HttpError> {
        let mut roots = rustls::RootCertStore::empty();
        let bundle = BUNDLES.iter().map(Path::new).find(|path| path.exists());
        for path in bundle.into_iter().chain(extra) {
            let fail = |why: String| HttpError::Bundle { path: path.to_owned(), why };
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| fail(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| fail(error.to_string()))?;
                // One that is malformed is of no use, and no reason to do without the others.
                let _ = roots.add(certificate);
            }
        }
        if roots.is_empty() {
            return Err(HttpError::Bundle { path: PathBuf::from(BUNDLES[0]), why: "there are none".to_owned() });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::Bundle { path: PathBuf::from(BUNDLES[0]), why: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// Sends a request and waits for the head of its answer.
pub(crate) fn send(to: Endpoint<'_>, request: Request<'_>) -> Result<Response, HttpError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(HttpError::Runtime)?;
    let answer = runtime.block_on(exchange(to, request))?;
    let (head, incoming) = answer.into_parts();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Body { incoming, chunk: Bytes::new(), runtime },
    })
}

async fn exchange(to: Endpoint<'_>, request: Request<'_>) -> Result<hyper::Response<Incoming>, HttpError> {
    match to {
        Endpoint::Unix(path) => {
            let shown = path.display().to_string();
            let stream = timed(&shown, CONNECT, UnixStream::connect(path)).await?;
            let stream = stream.map_err(|source| HttpError::Connect { to: shown.clone(), source })?;
            talk(stream, &shown, "localhost", request).await
        }
        Endpoint::Tcp(host, port) => {
            let stream = connect(host, port).await?;
            talk(stream, host, &authority(host, port, 80), request).await
        }
        Endpoint::Tls(host, port, trust) => {
            let stream = connect(host, port).await?;
            let fail = |source| HttpError::Tls { host: host.to_owned(), source };
            let name = ServerName::try_from(host.to_owned()).map_err(|error| fail(io::Error::other(error)))?;
            let handshake = tokio_rustls::TlsConnector::from(Arc::clone(&trust.0)).connect(name, stream);
            let stream = timed(host, CONNECT, handshake).await?.map_err(fail)?;
            talk(stream, host, &authority(host, port, 443), request).await
        }
    }
}

async fn talk<S>(stream: S, to: &str, host: &str, request: Request<'_>) -> Result<hyper::Response<Incoming>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let fail = |source| HttpError::Http { to: to.to_owned(), source };
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await.map_err(fail)?;
    tokio::spawn(connection);
    let mut builder = hyper::Request::builder()
        .method(request.method)
        .uri(request.target)
        .header("host", host)
        .header("user-agent", concat!("brig/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let request = builder.body(Full::new(Bytes::from(request.body))).map_err(|_| HttpError::Request(to.to_owned()))?;
    timed(to, HEAD, sender.send_request(request)).await?.map_err(fail)
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, HttpError> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in resolve(host).await? {
        match tokio::time::timeout(CONNECT, TcpStream::connect(SocketAddr::new(address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(HttpError::Connect { to: format!("{host}:{port}"), source: last })
}

async fn resolve(host: &str) -> Result<Vec<IpAddr>, HttpError> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    if host == "localhost" {
        // RFC 6761, 6.3: never asked of a server.
        return Ok(vec![std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()]);
    }
    let fail = |why: String| HttpError::Resolve { host: host.to_owned(), why };
    let resolver = hickory_resolver::TokioResolver::builder_tokio()
        .and_then(hickory_resolver::ResolverBuilder::build)
        .map_err(|error| fail(error.to_string()))?;
    // With a dot at its end, a name is not tried below the machine's own search domains.
    let answer =
        timed(host, CONNECT, resolver.lookup_ip(format!("{host}."))).await?.map_err(|error| fail(error.to_string()))?;
    Ok(answer.iter().take(ADDRESSES).collect())
}

async fn timed<T>(to: &str, limit: Duration, what: impl Future<Output = T>) -> Result<T, HttpError> {
    tokio::time::timeout(limit, what).await.map_err(|_| HttpError::Timeout(to.to_owned()))
}

fn authority(host: &str, port: u16, default: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == default { host } else { format!("{host}:{port}") }
}

impl Body {
    /// Reads all of it; `None` if it is longer than `limit`.
    pub(crate) fn read_all(self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.take(limit + 1).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let Self { runtime, incoming, .. } = self;
            let frame = runtime
                .block_on(async { tokio::time::timeout(IDLE, incoming.frame()).await })
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            match frame {
                None => return Ok(0),
                Some(Err(error)) => return Err(io::Error::other(error)),
                Some(Ok(frame)) => self.chunk = frame.into_data().unwrap_or_default(),
            }
        }
        let n = self.chunk.len().min(buf.len());
        buf[..n].copy_from_slice(&self.chunk.split_to(n));
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Answers one request over TLS with a certificate for `localhost`; returns it in PEM.
    fn tls_server() -> (u16, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = rustls::ServerConnection::new(Arc::new(config.clone())).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                if stream.read(&mut [0; 1024]).is_ok() {
                    let _ = stream.write_all(answer);
                }
            }
        });
        (port, made.cert.pem())
    }

    fn get(host: &str, port: u16, trust: &Trust) -> Result<Vec<u8>, HttpError> {
        let request = Request { method: "GET", target: "/", headers: Vec::new(), body: Vec::new() };
        let response = send(Endpoint::Tls(host, port, trust), request)?;
        Ok(response.body.read_all(100).unwrap().unwrap())
    }

    #[test]
    fn tls_only_with_whom_is_trusted() {
        let (port, pem) = tls_server();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("extra.pem");
        std::fs::write(&path, pem).unwrap();
        let trusting = Trust::load(Some(&path)).unwrap();
        assert_eq!(get("localhost", port, &trusting).unwrap(), b"hello");
        // Another name than the certificate's.
        let error = get("127.0.0.1", port, &trusting).unwrap_err();
        assert!(matches!(error, HttpError::Tls { .. }), "{error}");
        // An authority that this machine does not know.
        let (_, other) = tls_server();
        std::fs::write(&path, other).unwrap();
        let strange = Trust::load(Some(&path)).unwrap();
        let error = get("localhost", port, &strange).unwrap_err();
        assert!(matches!(error, HttpError::Tls { .. }), "{error}");
        assert!(error.hint().is_some());
    }
}
