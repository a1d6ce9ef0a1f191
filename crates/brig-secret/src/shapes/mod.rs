//! Credentials that are known by how they begin.

mod table;

use std::ops::Range;

pub use table::SHAPES;

use crate::entropy::is_words;
use crate::filler::is_filler;
use crate::kind::{Body, Kind, Part};

/// A word longer than this, that is no credential, is not searched for one that begins inside it:
/// the bound keeps the search linear.
const NESTED_LENGTH: usize = 1024;

/// One kind of credential: a fixed beginning, and a body of certain letters and length.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whose it is, for people.
    pub issuer: &'static str,
    /// How it begins; kept in a placeholder.
    pub prefix: &'static str,
    /// What its body is made of.
    pub body: Body,
    /// The least and the greatest length of the body, in bytes.
    pub length: (usize, usize),
}

impl Body {
    fn allows(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Base64Url => byte.is_ascii_alphanumeric() || b"_-".contains(&byte),
            Self::Dotted | Self::Jwt => byte.is_ascii_alphanumeric() || b"_-.".contains(&byte),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte),
        }
    }
}

/// What of `value` has one of the known shapes, in no order.
pub(crate) fn parts(value: &str) -> Vec<Part> {
    SHAPES.iter().flat_map(|shape| shape.parts(value)).collect()
}

impl Shape {
    fn parts(&'static self, value: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut from = 0;
        while let Some(found) = value.get(from..).and_then(|rest| rest.find(self.prefix)) {
            let start = from + found;
            let body = start + self.prefix.len();
            from = body;
            if value[..start].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                continue;
            }
            let end = body + self.run(&value.as_bytes()[body..]);
            let filler = is_filler(&value[body..end]);
            let sized = (self.length.0..=self.length.1).contains(&(end - body));
            if sized && (filler || self.is_body(&value[body..end])) {
                parts.push(Part {
                    kind: Kind::Shaped { issuer: self.issuer, body: self.body },
                    start,
                    secret: body..end,
                    filler,
                });
                from = end;
            } else if end - body > NESTED_LENGTH {
                from = end;
            }
        }
        parts
    }

    /// How many bytes the body could have.
    fn run(&self, bytes: &[u8]) -> usize {
        // One more than the longest tells a longer word from a credential.
        bytes.iter().take(self.length.1 + 1).take_while(|b| self.body.allows(**b)).count()
    }

    fn is_body(&self, body: &str) -> bool {
        match self.body {
            Body::Jwt => is_jwt(body),
            Body::Base64Url | Body::Dotted | Body::Base64 => is_varied(body),
            Body::Alnum | Body::Upper | Body::Hex => !is_one_letter(body),
        }
    }
}

/// The rest of a token after `eyJ`: three parts, or five when encrypted. The last may be empty.
fn is_jwt(body: &str) -> bool {
    let parts: Vec<&str> = body.split('.').collect();
    let full = |range: Range<usize>| parts[range].iter().all(|part| part.len() >= 4);
    match parts.len() {
        3 => full(0..2),
        5 => full(0..1) && full(2..5),
        _ => false,
    }
}

/// Neither `xxxx…` nor words with dashes: a body that may hold `-` has to hold digits as well.
fn is_varied(body: &str) -> bool {
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let letters = body.bytes().filter(u8::is_ascii_alphabetic).count();
    !is_one_letter(body) && digits > 0 && letters > 0 && !is_words(body)
}

/// `xxxx…`, `0000-0000`: what documentation shows.
fn is_one_letter(body: &str) -> bool {
    let mut bytes = body.bytes().filter(u8::is_ascii_alphanumeric);
    let first = bytes.next();
    bytes.all(|b| Some(b) == first)
}
