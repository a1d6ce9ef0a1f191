//! What one message is: request, notification or answer; and ids that are never confused.
//!
//! Works on lines that the scanner walked, and only looks at the few values that it remembered.

use std::borrow::Cow;

use crate::rule::Rule;
use crate::scan::{self, Outline, Slot, Span};

/// The longest id, in bytes as it is written. UUIDs take 38; session-unique strings some 100.
pub(crate) const ID_LIMIT: usize = 256;

/// The id of a request: a string or a number.
///
/// Strings are equal when their characters are (a server may escape what a client did not). Numbers
/// are equal when their bytes are: `1`, `1.0` and `"1"` are three ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    json: Box<[u8]>,
}

/// One message, unambiguous.
#[derive(Debug, PartialEq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: Kind<'a>,
    /// `params.requestId`: what a cancellation is about.
    pub(crate) cancels: Option<Id>,
    /// Whether the request carries the protocol's version, as modern ones do.
    pub(crate) modern: bool,
    /// `result.protocolVersion`: what the answer to `initialize` agrees to.
    pub(crate) agreed: Option<Cow<'a, [u8]>>,
}

/// The kinds of message that JSON-RPC 2.0 knows.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    /// Wants an answer.
    Request { id: Id, method: Cow<'a, [u8]> },
    /// Wants none.
    Notification { method: Cow<'a, [u8]> },
    /// An answer; `error` says that it is one of failure.
    Answer { id: Id, error: bool },
    /// An error that its sender could not attribute to a request (`id` null or absent).
    Complaint,
}

impl Id {
    /// Reads an id as it is written: a JSON string or number of bounded length.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        if json.len() > ID_LIMIT {
            return None;
        }
        if scan::is_plain_string(json) || scan::is_number(json) {
            return Some(Self { json: json.into() });
        }
        // Escapes and characters beyond ASCII: in the one spelling that a serialiser gives them.
        // This refuses what has a fault, for the id of a refused message is written into a reply.
        let text: String = serde_json::from_slice(json).ok()?;
        serde_json::to_vec(&text).ok().map(|json| Self { json: json.into() })
    }

    /// The id as JSON.
    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Whether it is a number, spelt otherwise than integers usually are (`1.0`, `1e3`, `-0`).
    pub(crate) fn is_odd(&self) -> bool {
        let digits = self.json.strip_prefix(b"-").unwrap_or(&self.json);
        digits[0] != b'"' && (!digits.iter().all(u8::is_ascii_digit) || self.json.as_ref() == b"-0")
    }

    /// The usual spelling of an odd number that is an integer.
    pub(crate) fn usual(&self) -> Option<Self> {
        let value = self.is_odd().then(|| self.value()).flatten()?;
        // Beyond 2^53 not every integer has a double of its own.
        let exact = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        let json = if value == 0.0 { "0".to_owned() } else { format!("{value:.0}") };
        exact.then(|| Self { json: json.into_bytes().into() })
    }

    fn value(&self) -> Option<f64> {
        std::str::from_utf8(&self.json).ok()?.parse().ok()
    }

    /// Whether both are numbers of one value in two spellings.
    pub(crate) fn respells(&self, other: &Self) -> bool {
        self != other && self.value().is_some_and(|a| other.value().is_some_and(|b| a == b))
    }
}

impl<'a> Message<'a> {
    /// Reads one message of a line that was walked without a fault.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn read(line: &'a [u8], outline: &Outline) -> Result<Self, Rule> {
        let part = |slot| outline.get(slot).map(|span| slice(line, span));
        if part(Slot::Version).and_then(string).as_deref() != Some(b"2.0") {
            return Err(Rule::NotJsonRpc);
        }
        let kind = kind(line, outline)?;
        if let Kind::Request { method, .. } | Kind::Notification { method } = &kind {
            kinds_of_parts(line, outline, method)?;
        }
        Ok(Self {
            kind,
            cancels: part(Slot::RequestId).and_then(Id::read),
            modern: part(Slot::Modern).and_then(string).is_some(),
            agreed: part(Slot::Agreed).and_then(string),
        })
    }
}

fn kind<'a>(line: &'a [u8], outline: &Outline) -> Result<Kind<'a>, Rule> {
    let part = |slot| outline.get(slot).map(|span| slice(line, span));
    let id = match part(Slot::Id) {
        Some(b"null") => Some(None),
        Some(json) => Some(Some(Id::read(json).ok_or(Rule::Id)?)),
        None => None,
    };
    let (result, error) = (outline.has(Slot::Result), outline.has(Slot::Error));
    if let Some(method) = part(Slot::Method) {
        if result || error {
            return Err(Rule::Both);
        }
        let method = string(method).ok_or(Rule::Method)?;
        return match id {
            Some(Some(id)) => Ok(Kind::Request { id, method }),
            Some(None) => Err(Rule::Id),
            None => Ok(Kind::Notification { method }),
        };
    }
    if error && !part(Slot::Error).is_some_and(|json| json.starts_with(b"{")) {
        return Err(Rule::Kind);
    }
    match (result, error, id.flatten()) {
        (true, true, _) => Err(Rule::Both),
        (false, false, _) => Err(Rule::NotJsonRpc),
        (_, error, Some(id)) => Ok(Kind::Answer { id, error }),
        (false, true, None) => Ok(Kind::Complaint),
        (true, false, None) => Err(Rule::Id),
    }
}

/// Parts that a policy looks into have the kind that it expects, or it could be walked around.
fn kinds_of_parts(line: &[u8], outline: &Outline, method: &[u8]) -> Result<(), Rule> {
    let object_or_nothing =
        |slot| outline.get(slot).map(|span| slice(line, span)).is_none_or(|json| json == b"null" || json[0] == b'{');
    let names_a_thing = matches!(method, b"tools/call" | b"prompts/get");
    let name_is_text = || outline.get(Slot::Name).map(|span| slice(line, span)).is_some_and(|json| json[0] == b'"');
    let fine = object_or_nothing(Slot::Params)
        && object_or_nothing(Slot::Meta)
        && (!names_a_thing || (object_or_nothing(Slot::Arguments) && name_is_text()));
    if fine { Ok(()) } else { Err(Rule::Kind) }
}

fn slice(line: &[u8], span: Span) -> &[u8] {
    &line[span.from as usize..span.to as usize]
}

/// The content of a JSON string; `None` for any other value.
fn string(json: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inside = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(scan::unescaped(inside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Scanner;

    fn read(line: &str) -> Result<Message<'_>, Rule> {
        let mut scanner = Scanner::new();
        let scan = scanner.scan(line.as_bytes());
        assert_eq!(scan.fault, None, "{line}");
        Message::read(line.as_bytes(), &scan.outlines[0])
    }

    fn id(json: &str) -> Id {
        Id::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn the_kinds() {
        let kind = |line| read(line).map(|m| m.kind);
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
            Ok(Kind::Request { id: id("1"), method: Cow::Borrowed(b"ping") })
        );
        assert_eq!(
            kind(r#"{"method":"tools\/list","jsonrpc":"2.0"}"#),
            Ok(Kind::Notification { method: Cow::Borrowed(b"tools/list") })
        );
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#),
            Ok(Kind::Answer { id: id("\"a\""), error: false })
        );
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":-3,"error":{"code":1,"message":""}}"#),
            Ok(Kind::Answer { id: id("-3"), error: true })
        );
        assert_eq!(kind(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#), Ok(Kind::Complaint));
        assert_eq!(kind(r#"{"jsonrpc":"2.0","error":{}}"#), Ok(Kind::Complaint));
    }

    const NO_MESSAGES: &[(&str, Rule)] = &[
        (r"{}", Rule::NotJsonRpc),
        (r#"{"id":1,"method":"ping"}"#, Rule::NotJsonRpc),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Rule::NotJsonRpc),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, Rule::NotJsonRpc),
        (r#"{"jsonrpc":"2.0","id":1}"#, Rule::NotJsonRpc),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Rule::Id),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, Rule::Id),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, Rule::Id),
        (r#"{"jsonrpc":"2.0","id":{},"result":{}}"#, Rule::Id),
        (r#"{"jsonrpc":"2.0","result":{}}"#, Rule::Id),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, Rule::Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":null}"#, Rule::Method),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#, Rule::Both),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","error":{}}"#, Rule::Both),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, Rule::Both),
        (r#"{"jsonrpc":"2.0","id":1,"result":null,"error":{}}"#, Rule::Both),
        (r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#, Rule::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}"#, Rule::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":[]}}"#, Rule::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}"#, Rule::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, Rule::Kind),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":"{}"}}"#, Rule::Kind),
    ];

    #[test]
    fn what_is_no_message() {
        for (line, rule) in NO_MESSAGES {
            assert_eq!(read(line), Err(*rule), "{line}");
        }
        for line in [
            r#"{"jsonrpc":"2\u002e0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"name":1,"arguments":[1]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
        ] {
            assert!(read(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn ids_are_told_apart_by_kind_and_spelling() {
        let ids = ["1", "1.0", "\"1\"", "10e-1", "\"a\"", "-0", "0"];
        for (n, a) in ids.iter().enumerate() {
            for (m, b) in ids.iter().enumerate() {
                assert_eq!(id(a) == id(b), n == m, "{a} {b}");
            }
        }
        assert_eq!(id(r#""\u0061""#), id(r#""a""#));
        assert_eq!(id(r#""\u00e9""#), id(r#""é""#));
        assert!(id("1").respells(&id("1.0")) && !id("1").respells(&id("1")) && !id("1").respells(&id("\"1\"")));
        for (odd, usual) in [("1.0", "1"), ("10e-1", "1"), ("-0", "0"), ("-0.0", "0"), ("-2E2", "-200")] {
            assert_eq!(id(odd).usual(), Some(id(usual)), "{odd}");
        }
        for plain in ["1", "0", "-7", "9007199254740993", "\"1.0\"", "1.5", "1e300"] {
            assert_eq!(id(plain).usual(), None, "{plain}");
        }
        let (longest, longer) = (format!("\"{}\"", "x".repeat(254)), format!("\"{}\"", "x".repeat(255)));
        for faulty in ["\"a", "\"", "1e", "-", "1 ", "01", "1e999", r#""\ud800""#, "\"\t\""] {
            assert_eq!(Id::read(faulty.as_bytes()), None, "{faulty}");
        }
        assert_eq!(Id::read(b"\"\xff\""), None);
        assert!(Id::read(longest.as_bytes()).is_some() && Id::read(longer.as_bytes()).is_none());
    }
}
