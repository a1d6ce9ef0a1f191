//! Requests about one repository: authorised when the registry asks for it, redirected within limits.

use std::sync::{Mutex, PoisonError};

use hyper::Uri;
use hyper::header::HeaderMap;

use super::{PullError, Registry, auth, credentials};
use crate::digest::Digest;
use crate::http::{self, Endpoint, Request, Response};
use crate::layer::shown;
use crate::manifest::{ACCEPT, Descriptor, MANIFEST_BYTES};
use crate::reference::{DEFAULT_REGISTRY, RegistryReference, is_loopback};

/// Most redirects followed: registries send to their storage once, content networks once more.
const REDIRECTS: usize = 5;
/// Longest answer read to explain an error.
const EXPLANATION_BYTES: u64 = 16 * 1024;
/// The default registry's name is not where its interface is.
const DEFAULT_API_HOST: &str = "registry-1.docker.io";

/// One repository of one registry.
#[derive(Debug)]
pub(super) struct Session<'a> {
    registry: &'a Registry,
    reference: &'a RegistryReference,
    origin: Origin,
    /// The `Authorization` that the registry accepted last.
    authorization: Mutex<Option<auth::Authorization>>,
}

/// Scheme, host and port of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl<'a> Session<'a> {
    pub(super) fn new(registry: &'a Registry, reference: &'a RegistryReference) -> Self {
        Self { registry, reference, origin: Origin::of(reference), authorization: Mutex::new(None) }
    }

    /// The manifest or index that the reference names.
    pub(super) fn manifest(&self) -> Result<Vec<u8>, PullError> {
        let digest = self.reference.digest();
        let which = match (digest, self.reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let bytes = self.get_small(&format!("manifests/{which}"))?;
        verified("the manifest", digest, bytes)
    }

    /// A manifest of an index, or a configuration.
    pub(super) fn document(&self, blob: &Descriptor) -> Result<Vec<u8>, PullError> {
        if blob.size > MANIFEST_BYTES {
            return Err(PullError::TooLarge(blob.digest.to_string()));
        }
        let (what, kind) =
            if blob.is_config() { ("the configuration", "blobs") } else { ("the manifest", "manifests") };
        let bytes = self.get_small(&format!("{kind}/{}", blob.digest))?;
        verified(what, Some(blob.digest), bytes)
    }

    /// A blob, from a byte on.
    pub(super) fn blob(&self, digest: Digest, from: u64) -> Result<Response, PullError> {
        let range = (from > 0).then(|| ("range", format!("bytes={from}-")));
        self.get(&format!("blobs/{digest}"), range.into_iter().collect())
    }

    fn get_small(&self, what: &str) -> Result<Vec<u8>, PullError> {
        let response = self.get(what, vec![("accept", ACCEPT.join(", "))])?;
        let body = response.body.read_all(MANIFEST_BYTES);
        body.map_err(|source| PullError::Body { what: self.shown(what), source })?
            .ok_or_else(|| PullError::TooLarge(self.shown(what)))
    }

    fn get(&self, what: &str, headers: Vec<(&'static str, String)>) -> Result<Response, PullError> {
        let target = format!("/v2/{}/{what}", self.reference.repository());
        let response = self.send(&self.origin, &target, &headers, true)?;
        let response = if response.status == 401 {
            self.authorize(&response.headers)?;
            self.send(&self.origin, &target, &headers, true)?
        } else {
            response
        };
        let response = self.follow(response, &headers)?;
        match response.status {
            200 | 206 => Ok(response),
            status => Err(self.explain(what, status, response)),
        }
    }

    /// Follows redirects, without the registry's authorisation once they leave it.
    fn follow(&self, mut response: Response, headers: &[(&'static str, String)]) -> Result<Response, PullError> {
        let mut at = self.origin.clone();
        for _ in 0..REDIRECTS {
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let (next, target) = self.redirect(&at, &response.headers)?;
            let ours = next == self.origin;
            response = self.send(&next, &target, headers, ours)?;
            at = next;
        }
        Err(PullError::Redirect("more and more places".to_owned()))
    }

    /// Where a redirect leads: to TLS anywhere, without it only from this machine to itself.
    fn redirect(&self, at: &Origin, headers: &HeaderMap) -> Result<(Origin, String), PullError> {
        let location = headers.get("location").map_or(&b""[..], |v| v.as_bytes());
        let refused = || PullError::Redirect(shown(location));
        let text = std::str::from_utf8(location).map_err(|_| refused())?;
        if text.starts_with('/') && !text.starts_with("//") {
            return Ok((at.clone(), text.to_owned()));
        }
        let (origin, target) = Origin::of_url(text).ok_or_else(refused)?;
        if origin.tls || (self.origin.is_local() && origin.is_local()) { Ok((origin, target)) } else { Err(refused()) }
    }

    fn send(
        &self,
        to: &Origin,
        target: &str,
        headers: &[(&'static str, String)],
        authorized: bool,
    ) -> Result<Response, PullError> {
        let mut headers = headers.to_vec();
        if authorized {
            let known = self.authorization.lock();
            let known = known.unwrap_or_else(PoisonError::into_inner);
            headers.extend(known.as_ref().map(|known| ("authorization", known.header())));
        }
        let request = Request { method: "GET", target, headers, body: Vec::new() };
        Ok(self.exchange(to, request)?)
    }

    pub(super) fn exchange(&self, to: &Origin, request: Request<'_>) -> Result<Response, http::HttpError> {
        let endpoint = if to.tls {
            Endpoint::Tls(&to.host, to.port, self.registry.trust()?)
        } else {
            Endpoint::Tcp(&to.host, to.port)
        };
        http::send(endpoint, request)
    }

    /// Does what a 401 asks for.
    fn authorize(&self, headers: &HeaderMap) -> Result<(), PullError> {
        let credentials = credentials::find(&self.registry.settings, self.reference.registry())?;
        let authorization = auth::answer(self, self.reference, headers, &credentials)?;
        let mut known = self.authorization.lock();
        if let Ok(known) = &mut known {
            **known = Some(authorization);
        }
        Ok(())
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    fn shown(&self, what: &str) -> String {
        format!("{}/{what}", self.reference.name())
    }

    fn explain(&self, what: &str, status: u16, response: Response) -> PullError {
        let body = response.body.read_all(EXPLANATION_BYTES);
        let why = body.ok().flatten().map_or_else(String::new, |b| first_error(&b));
        let what = self.shown(what);
        match status {
            401 | 403 => PullError::Denied { what, status, why },
            404 => PullError::NotFound(what),
            429 => PullError::TooMany(why),
            _ => PullError::Status { what, status, why },
        }
    }
}

impl Origin {
    fn of(reference: &RegistryReference) -> Self {
        let registry = match reference.registry() {
            DEFAULT_REGISTRY => DEFAULT_API_HOST,
            registry => registry,
        };
        let host = crate::reference::host_of(registry).to_owned();
        let port = registry.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        // Docker's rule, made strict: plain HTTP for this machine itself, for nobody else. A local
        // registry with TLS says so by its port.
        let tls = !reference.is_loopback() || port == Some(443);
        Self { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }) }
    }

    /// Splits an absolute URL; `None` for anything but http and https, and for one with a user in it.
    pub(super) fn of_url(text: &str) -> Option<(Self, String)> {
        let url: Uri = text.parse().ok()?;
        let tls = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = url.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let target = url.path_and_query().map_or("/", |target| target.as_str());
        Some((Self { tls, host, port }, target.to_owned()))
    }

    /// Whether it is this machine itself.
    pub(super) fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }
}

fn verified(what: &'static str, wanted: Option<Digest>, bytes: Vec<u8>) -> Result<Vec<u8>, PullError> {
    let found = Digest::of(&bytes);
    match wanted {
        Some(wanted) if wanted != found => Err(PullError::Digest { what, wanted, found }),
        _ => Ok(bytes),
    }
}

/// The first message of the registry's list of errors, made harmless.
fn first_error(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Item>,
    }
    #[derive(serde::Deserialize)]
    struct Item {
        #[serde(default)]
        message: String,
    }
    let errors: Option<Errors> = serde_json::from_slice(body).ok();
    match errors.as_ref().and_then(|errors| errors.errors.first()) {
        Some(item) if !item.message.is_empty() => format!(": {}", shown(item.message.as_bytes())),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_registries_are() {
        let origin = |text: &str| Origin::of(&RegistryReference::parse(text).unwrap());
        let is = |text: &str, tls, host: &str, port| {
            let want = Origin { tls, host: host.to_owned(), port };
            assert_eq!(origin(text), want, "{text}");
        };
        is("alpine", true, "registry-1.docker.io", 443);
        is("example.org/x", true, "example.org", 443);
        is("example.org:5000/x", true, "example.org", 5000);
        is("localhost:5000/x", false, "localhost", 5000);
        is("127.0.0.1/x", false, "127.0.0.1", 80);
        is("[::1]:5000/x", false, "::1", 5000);
        is("localhost:443/x", true, "localhost", 443);
    }

    #[test]
    fn urls() {
        assert!(Origin::of_url("https://user@example.org/x").is_none());
        assert!(Origin::of_url("file:///etc/passwd").is_none());
        assert!(Origin::of_url("/relative").is_none());
        let (origin, target) = Origin::of_url("http://[::1]:81/a?b=c").unwrap();
        assert_eq!((origin.host.as_str(), origin.port, origin.tls), ("::1", 81, false));
        assert!(origin.is_local());
        assert_eq!(target, "/a?b=c");
    }

    #[test]
    fn explanations_are_harmless() {
        let text = br#"{"errors":[{"code":"X","message":"a\u001b[31mb"}]}"#;
        assert_eq!(first_error(text), ": a\u{fffd}[31mb");
        assert_eq!(first_error(b"<html>"), "");
    }
}
