//! The words of the protocol: versions, error codes, reserved names, and what each era requires of
//! an answer.
//!
//! Source: modelcontextprotocol/modelcontextprotocol, `docs/specification` and `schema`.

use crate::json::{Value, object, texts};

/// Versions that begin with `initialize`, oldest first.
pub(crate) const LEGACY: &[&str] = &["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// Answered to an `initialize` that asks for a version we do not know.
pub(crate) const NEWEST_LEGACY: &str = "2025-11-25";
/// The version in which arrays of messages must be received; before and after they are refused.
pub(crate) const BATCHES: &str = "2025-03-26";
/// Tools have annotations from this version on.
pub(crate) const ANNOTATIONS: &str = "2025-03-26";
/// Tools have titles, and results may be structured, from this version on.
pub(crate) const TITLES: &str = "2025-06-18";
/// The stateless version.
pub(crate) const MODERN: &str = "2026-07-28";

/// The reserved names in `_meta`.
pub(crate) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// How long a client may keep our lists, in milliseconds: they never change while we run.
pub(crate) const TTL_MS: i64 = 3_600_000;

/// The errors that we answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Parse,
    InvalidRequest,
    MethodNotFound,
    InvalidParams,
    UnsupportedVersion,
}

impl Code {
    fn number(self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::UnsupportedVersion => -32022,
        }
    }
}

/// By which rules one request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// After `initialize`, at this version.
    Legacy(&'static str),
    /// The request carries its version itself.
    Modern,
}

impl Era {
    /// Whether what came with `version` may be said. The modern version came after all of them;
    /// versions are dates, so their order is that of their letters.
    pub(crate) fn knows(self, version: &str) -> bool {
        match self {
            Self::Legacy(own) => own >= version,
            Self::Modern => true,
        }
    }

    /// An answer with these fields, completed with what the era requires in every result.
    pub(crate) fn result(self, id: &Value, fields: Value) -> Value {
        let mut members = Vec::new();
        if self == Self::Modern {
            members.push(("resultType".to_owned(), Value::from("complete")));
            members.push(("_meta".to_owned(), object([(META_SERVER, implementation())])));
        }
        if let Value::Object(fields) = fields {
            members.extend(fields);
        }
        object([("jsonrpc", "2.0".into()), ("id", id.clone()), ("result", Value::Object(members))])
    }

    /// What a result that may be kept carries in the modern era.
    pub(crate) fn cacheable(self, mut fields: Value) -> Value {
        if let (Self::Modern, Value::Object(members)) = (self, &mut fields) {
            members.push(("ttlMs".to_owned(), TTL_MS.into()));
            members.push(("cacheScope".to_owned(), "public".into()));
        }
        fields
    }
}

/// An error answer. Without an id (the message could not be read that far) the member is left out,
/// as the protocol's schema wants it, where plain JSON-RPC would say null.
pub(crate) fn error(id: Option<&Value>, code: Code, message: &str) -> Value {
    error_with(id, code, message, None)
}

/// An error answer with `data`.
pub(crate) fn error_with(id: Option<&Value>, code: Code, message: &str, data: Option<Value>) -> Value {
    let mut inner = vec![("code".to_owned(), code.number().into()), ("message".to_owned(), message.into())];
    inner.extend(data.map(|data| ("data".to_owned(), data)));
    let mut members = vec![("jsonrpc".to_owned(), "2.0".into())];
    members.extend(id.map(|id| ("id".to_owned(), id.clone())));
    members.push(("error".to_owned(), Value::Object(inner)));
    Value::Object(members)
}

/// The error for a version that we do not speak.
pub(crate) fn unsupported_version(id: &Value, requested: &str) -> Value {
    error_with(
        Some(id),
        Code::UnsupportedVersion,
        "unsupported protocol version",
        Some(object([("supported", texts(&[MODERN])), ("requested", requested.into())])),
    )
}

/// Who we say we are.
pub(crate) fn implementation() -> Value {
    object([("name", "brig-sim".into()), ("version", env!("CARGO_PKG_VERSION").into())])
}

/// What we say we can do.
pub(crate) fn capabilities() -> Value {
    object([("tools", object([]))])
}
