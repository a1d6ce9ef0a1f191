//! The head of a request to the proxy (RFC 9110, RFC 9112), read once and strictly.
//!
//! A head that two programs could read in two ways is refused: bare line feeds, folded lines, doubled
//! `Host`, a body. What is sent on is rebuilt from what was understood; the box's bytes are not.

use crate::endpoint::{Endpoint, EndpointError};

/// Bytes of one head. npm's and pip's are below 1 KiB; web servers commonly stop at 8 KiB.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// Lines of one head: clients send about ten.
const MAX_FIELDS: usize = 64;
/// The port of `http://` without one (RFC 9110 section 4.2.1).
const HTTP_PORT: u16 = 80;
/// Fields that belong to this hop, or that are rebuilt (RFC 9110 section 7.6.1, RFC 9112 section 9.6).
const NOT_SENT_ON: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// What a client asks the proxy for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A tunnel.
    Tunnel(Endpoint),
    /// One document over plain HTTP.
    Fetch(Fetch),
}

/// One document over plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    /// From where.
    pub(crate) place: Endpoint,
    /// The head to send there, rebuilt.
    pub(crate) head: String,
}

/// Why a head was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HeadError {
    /// Bytes other than visible ASCII, space and tab, or a line that does not end in CR LF.
    #[error("the request head has bytes that do not belong there")]
    Bytes,
    /// Not `METHOD TARGET HTTP/1.x`.
    #[error("the request line is malformed")]
    RequestLine,
    /// A method that a package manager has no use for here.
    #[error("the method is not served, only CONNECT, GET and HEAD are")]
    Method,
    /// Neither `host:port` nor `http://host/…`.
    #[error("the request target is not an authority or an http address")]
    Target,
    /// The host in it is not spelt strictly.
    #[error("the request target is malformed: {0}")]
    Endpoint(#[from] EndpointError),
    /// A malformed header line, or too many.
    #[error("a header line is malformed, or there are more than {MAX_FIELDS}")]
    Field,
    /// Two `Host` lines, or one that names another place than the request line.
    #[error("the Host line and the request line disagree")]
    HostMismatch,
    /// A request with a body.
    #[error("a request with a body is not served")]
    Body,
}

/// Reads a whole head, its final empty line included.
pub(crate) fn parse(head: &[u8]) -> Result<Ask, HeadError> {
    let text = std::str::from_utf8(head).map_err(|_| HeadError::Bytes)?;
    let text = text.strip_suffix("\r\n\r\n").ok_or(HeadError::Bytes)?;
    let mut lines = text.split("\r\n");
    let request = lines.next().unwrap_or_default();
    let plain = |line: &str| line.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    if !plain(request) {
        return Err(HeadError::Bytes);
    }
    let mut fields = Vec::new();
    for line in lines {
        if !plain(line) {
            return Err(HeadError::Bytes);
        }
        if fields.len() == MAX_FIELDS {
            return Err(HeadError::Field);
        }
        fields.push(parse_field(line)?);
    }
    refuse_body(&fields)?;
    let mut words = request.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(HeadError::RequestLine);
    };
    if version != "HTTP/1.1" && version != "HTTP/1.0" {
        return Err(HeadError::RequestLine);
    }
    match method {
        "CONNECT" => parse_tunnel(target, &fields),
        "GET" | "HEAD" => parse_fetch(method, target, &fields),
        _ => Err(HeadError::Method),
    }
}

fn parse_field(line: &str) -> Result<(&str, &str), HeadError> {
    let (name, value) = line.split_once(':').ok_or(HeadError::Field)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(HeadError::Field);
    }
    Ok((name, value.trim_matches([' ', '\t'])))
}

fn refuse_body(fields: &[(&str, &str)]) -> Result<(), HeadError> {
    for (name, value) in fields {
        let empty = name.eq_ignore_ascii_case("content-length") && *value == "0";
        let body = name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding");
        if body && !empty {
            return Err(HeadError::Body);
        }
    }
    Ok(())
}

fn parse_tunnel(target: &str, fields: &[(&str, &str)]) -> Result<Ask, HeadError> {
    let place = Endpoint::parse(target, None)?;
    // Some clients leave the port of CONNECT out of Host, some leave Host out (both measured).
    check_host(fields, &place, place.port)?;
    Ok(Ask::Tunnel(place))
}

fn parse_fetch(method: &str, target: &str, fields: &[(&str, &str)]) -> Result<Ask, HeadError> {
    let rest = target.strip_prefix("http://").ok_or(HeadError::Target)?;
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('/') => rest.split_at(at),
        Some(_) => return Err(HeadError::Target),
        None => (rest, "/"),
    };
    if path.contains('#') {
        return Err(HeadError::Target);
    }
    let place = Endpoint::parse(authority, Some(HTTP_PORT))?;
    check_host(fields, &place, HTTP_PORT)?;
    let host = match place.port {
        HTTP_PORT => place.host.to_string(),
        _ => place.to_string(),
    };
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in fields {
        if !NOT_SENT_ON.iter().any(|hop| name.eq_ignore_ascii_case(hop)) {
            head.extend([name, ": ", value, "\r\n"]);
        }
    }
    head.push_str("\r\n");
    Ok(Ask::Fetch(Fetch { place, head }))
}

fn check_host(fields: &[(&str, &str)], place: &Endpoint, default: u16) -> Result<(), HeadError> {
    let mut hosts = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(HeadError::HostMismatch);
    }
    match first {
        Some((_, value)) if Endpoint::parse(value, Some(default)).as_ref() != Ok(place) => Err(HeadError::HostMismatch),
        _ => Ok(()),
    }
}

/// Fuzz entry: no head panics, and what is rebuilt reads back as the same place.
#[doc(hidden)]
#[allow(clippy::missing_panics_doc, reason = "a fuzz entry reports by panicking")]
pub fn fuzz_head(data: &[u8]) {
    if let Ok(Ask::Fetch(fetch)) = parse(data) {
        assert!(fetch.head.ends_with("\r\n\r\n"), "a rebuilt head ends");
        assert_eq!(fetch.head.matches("\r\n\r\n").count(), 1, "a rebuilt head is one head");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(head: &str) -> Result<String, HeadError> {
        parse(head.as_bytes()).map(|ask| match ask {
            Ask::Tunnel(place) => place.to_string(),
            Ask::Fetch(fetch) => fetch.head,
        })
    }

    #[test]
    fn heads_of_real_clients() {
        // npm 10, pip on Python 3.11 (no Host), curl, uv.
        for head in [
            "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example:443\r\nConnection: close\r\n\r\n",
            "CONNECT registry.example:443 HTTP/1.0\r\n\r\n",
            "CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example:443\r\nUser-Agent: curl/7.88.1\r\nProxy-Connection: Keep-Alive\r\n\r\n",
            "CONNECT registry.example:443 HTTP/1.1\r\nhost: Registry.example\r\ncontent-length: 0\r\n\r\n",
        ] {
            assert_eq!(tunnel(head).as_deref(), Ok("registry.example:443"), "{head:?}");
        }
    }

    #[test]
    fn a_fetch_is_rebuilt() {
        let head = "GET http://Mirror.example:4873/@a%2fb?x=1 HTTP/1.1\r\nHost: mirror.example:4873\r\n\
                    Accept: */*\r\nProxy-Authorization: Basic eA==\r\nConnection: keep-alive\r\n\r\n";
        assert_eq!(
            tunnel(head).as_deref(),
            Ok("GET /@a%2fb?x=1 HTTP/1.1\r\nHost: mirror.example:4873\r\nConnection: close\r\nAccept: */*\r\n\r\n")
        );
        assert!(tunnel("HEAD http://mirror.example HTTP/1.1\r\n\r\n").unwrap().starts_with("HEAD / HTTP/1.1\r\n"));
    }

    const DOUBTFUL: &[(&str, HeadError)] = &[
        ("CONNECT a.example:443 HTTP/1.1\n\n", HeadError::Bytes),
        ("CONNECT a.example:443 HTTP/1.1\r\nA: b\n\r\n\r\n", HeadError::Bytes),
        ("CONNECT a.example:443 HTTP/1.1\r\nA: \0\r\n\r\n", HeadError::Bytes),
        ("CONNECT a.example:443 HTTP/1.1\r\n folded\r\n\r\n", HeadError::Field),
        ("CONNECT a.example:443 HTTP/1.1\r\nHost : a.example\r\n\r\n", HeadError::Field),
        ("CONNECT  a.example:443 HTTP/1.1\r\n\r\n", HeadError::RequestLine),
        ("CONNECT a.example:443 HTTP/2\r\n\r\n", HeadError::RequestLine),
        ("CONNECT a.example:443\r\n\r\n", HeadError::RequestLine),
        ("CONNECT a.example HTTP/1.1\r\n\r\n", HeadError::Endpoint(EndpointError::Port)),
        ("CONNECT a@b.example:443 HTTP/1.1\r\n\r\n", HeadError::Endpoint(EndpointError::Character)),
        ("CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", HeadError::HostMismatch),
        ("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n", HeadError::HostMismatch),
        ("CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n", HeadError::Body),
        ("CONNECT a.example:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::Body),
        ("POST http://a.example/ HTTP/1.1\r\n\r\n", HeadError::Method),
        ("connect a.example:443 HTTP/1.1\r\n\r\n", HeadError::Method),
        ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", HeadError::Target),
        ("GET https://a.example/ HTTP/1.1\r\n\r\n", HeadError::Target),
        ("GET http://a.example?x HTTP/1.1\r\n\r\n", HeadError::Target),
        ("GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", HeadError::HostMismatch),
    ];

    #[test]
    fn doubtful_heads_are_refused() {
        for (head, why) in DOUBTFUL {
            assert_eq!(parse(head.as_bytes()).as_ref(), Err(why), "{head:?}");
        }
        let many = format!("CONNECT a.example:443 HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(parse(many.as_bytes()), Err(HeadError::Field));
    }
}
