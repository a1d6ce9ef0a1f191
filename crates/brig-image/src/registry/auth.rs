//! Answers a registry's challenge: Basic, or a token fetched from the place that the registry names
//! (the `distribution` project's token authentication specification).
//!
//! That place is the registry's choice, and it gets only what is the registry's own: its credentials. So
//! any host will do, but not the way there: TLS, or this machine itself.

use base64::Engine as _;
use hyper::header::HeaderMap;

use super::credentials::Credentials;
use super::session::{Origin, Session};
use crate::http::{HttpError, Request};
use crate::layer::shown;
use crate::reference::RegistryReference;

/// Longest answer with a token: tokens with many scopes take 8 KiB.
const TOKEN_BYTES: u64 = 64 * 1024;

/// The value of an `Authorization` header. It is never shown.
#[derive(Clone)]
pub(super) struct Authorization(String);

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization(…)")
    }
}

impl Authorization {
    pub(super) fn header(&self) -> String {
        self.0.clone()
    }
}

/// Why the registry's challenge could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// It wants to know who we are, and there are no credentials for it.
    #[error("the registry {0} wants credentials, and there are none")]
    NoCredentials(String),
    /// No challenge, or one of an unknown kind.
    #[error("the registry's challenge {0:?} cannot be answered")]
    Challenge(String),
    /// A place for tokens that is not reached safely.
    #[error("the registry wants its token fetched from {0:?}, which is neither TLS nor this machine")]
    Realm(String),
    /// The connection to that place.
    #[error("no token: {0}")]
    Http(#[from] HttpError),
    /// It refused.
    #[error("no token from {host}: it answered {status}")]
    Status {
        /// Who.
        host: String,
        /// With what.
        status: u16,
    },
    /// No token in the answer, or one that is none.
    #[error("{0} did not answer with a token")]
    Token(String),
}

impl AuthError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCredentials(registry) => Some(format!("docker login {registry}")),
            Self::Status { .. } => Some("docker login again; check the image's name".to_owned()),
            Self::Http(error) => error.hint(),
            Self::Challenge(_) | Self::Realm(_) | Self::Token(_) => {
                Some("the registry is misconfigured or hostile".to_owned())
            }
        }
    }
}

/// A parsed `WWW-Authenticate` header.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: String },
}

/// The authorisation that answers a 401.
pub(super) fn answer(
    session: &Session<'_>,
    reference: &RegistryReference,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> Result<Authorization, AuthError> {
    let mut seen = String::new();
    for header in headers.get_all("www-authenticate") {
        let text = String::from_utf8_lossy(header.as_bytes());
        match Challenge::parse(&text) {
            Some(Challenge::Basic) => return basic(reference, credentials),
            Some(Challenge::Bearer { realm, service }) => {
                return token(session, reference, (&realm, &service), credentials);
            }
            None => seen = shown(header.as_bytes()),
        }
    }
    Err(AuthError::Challenge(seen))
}

fn basic(reference: &RegistryReference, credentials: &Credentials) -> Result<Authorization, AuthError> {
    match credentials {
        Credentials::Password { user, password } => Ok(basic_header(user, password)),
        _ => Err(AuthError::NoCredentials(reference.registry().to_owned())),
    }
}

fn basic_header(user: &str, password: &str) -> Authorization {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    Authorization(format!("Basic {text}"))
}

fn token(
    session: &Session<'_>,
    reference: &RegistryReference,
    (realm, service): (&str, &str),
    credentials: &Credentials,
) -> Result<Authorization, AuthError> {
    let unsafe_realm = || AuthError::Realm(shown(realm.as_bytes()));
    let (origin, path) = Origin::of_url(realm).ok_or_else(unsafe_realm)?;
    let stays_here = origin.is_local() && session.origin().is_local();
    if !origin.tls && !stays_here {
        return Err(unsafe_realm());
    }
    let scope = format!("repository:{}:pull", reference.repository());
    let mut query = vec![("service", service), ("scope", scope.as_str())];
    let mut headers = vec![("accept", "application/json".to_owned())];
    let request = if let Credentials::Identity(identity) = credentials {
        query.extend([("grant_type", "refresh_token"), ("client_id", "brig"), ("refresh_token", identity)]);
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        Request { method: "POST", target: &path, headers, body: form(&query).into_bytes() }
    } else {
        if let Credentials::Password { user, password } = credentials {
            headers.push(("authorization", basic_header(user, password).0));
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        return fetch(
            session,
            &origin,
            Request { method: "GET", target: &format!("{path}{separator}{}", form(&query)), headers, body: Vec::new() },
        );
    };
    fetch(session, &origin, request)
}

fn fetch(session: &Session<'_>, origin: &Origin, request: Request<'_>) -> Result<Authorization, AuthError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        access_token: Option<String>,
    }
    let response = session.exchange(origin, request)?;
    if response.status != 200 {
        return Err(AuthError::Status { host: origin.host.clone(), status: response.status });
    }
    let none = || AuthError::Token(origin.host.clone());
    let body = response.body.read_all(TOKEN_BYTES).ok().flatten();
    let answer: Answer = crate::json::parse(&body.ok_or_else(none)?).map_err(|_| none())?;
    let token = answer.token.filter(|token| !token.is_empty());
    let token = token.or(answer.access_token).ok_or_else(none)?;
    // RFC 6750, 2.1, and nothing that could end a header.
    if token.is_empty() || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(none());
    }
    Ok(Authorization(format!("Bearer {token}")))
}

impl Challenge {
    /// Parses one challenge (RFC 9110, 11.6.1) of the two kinds that registries use.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, mut rest) = text.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service) = (None, None);
        while !rest.trim_start_matches([' ', ',']).is_empty() {
            let (name, value) = rest.trim_start_matches([' ', ',']).split_once('=')?;
            let (value, after) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => value.split_once(',').unwrap_or((value, "")),
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value.trim().to_owned()),
                "service" => service = Some(value.to_owned()),
                _ => {}
            }
            rest = after;
        }
        Some(Self::Bearer { realm: realm?, service: service.unwrap_or_default() })
    }
}

/// `application/x-www-form-urlencoded`.
fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect::<String>()
    };
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let bearer = |realm: &str, service: &str| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.to_owned() })
        };
        for (text, want) in [
            (r#"Bearer realm="https://a/t",service="s",scope="repository:x:pull,push""#, bearer("https://a/t", "s")),
            (r#"bearer  realm="https://a/t""#, bearer("https://a/t", "")),
            (r#"Basic realm="x""#, Some(Challenge::Basic)),
            ("Bearer", None),
            (r#"Bearer service="s""#, None),
            (r#"Bearer realm="unclosed"#, None),
            (r#"Digest realm="x""#, None),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(text), want, "{text}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("a", "x/y:z & é"), ("b", ""), ("c", "1")]), "a=x%2Fy%3Az%20%26%20%C3%A9&c=1");
    }

    #[test]
    fn no_authorization_is_shown() {
        let shown = format!("{:?}", basic_header("me", "secret"));
        assert_eq!(shown, "Authorization(…)");
    }
}
