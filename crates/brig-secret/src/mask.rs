//! Whether a value looks like a real credential, and what to show in its stead.

use std::cmp::Reverse;

use crate::filler::{FILLER, is_filler, scheme_length};
use crate::kind::{Body, Kind, Part};
use crate::names::{self, Says};
use crate::{entropy, pairs, pem, shapes, url};

/// A value whose secrets were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// What it looked like; of several, the first in the text.
    pub kind: Kind,
    /// The value with placeholders; as many bytes as before.
    pub value: String,
}

/// Whether the value of the variable `name` looks like, or holds, a real credential.
///
/// A placeholder made here does not look real.
#[must_use]
pub fn looks_real(name: &str, value: &str) -> Option<Kind> {
    let parts = parts(value);
    let first = parts.iter().find(|part| !part.filler).map(|part| part.kind);
    first.or_else(|| by_name(name, &around(value, &parts)))
}

/// An obvious placeholder with as many bytes as `value`, which keeps what is not secret: known
/// beginnings, and the text around credentials that have a shape.
#[must_use]
pub fn placeholder(kind: Kind, value: &str) -> String {
    let found = match kind {
        Kind::AwsSecret | Kind::Named => Vec::new(),
        Kind::Shaped { .. } | Kind::PrivateKey | Kind::Url | Kind::Pair => parts(value),
    };
    if found.is_empty() { filled(value, &[whole(kind, value)]) } else { filled(value, &found) }
}

/// Replaces all that looks real in the value of the variable `name`; `None` when nothing does.
#[must_use]
pub fn mask(name: &str, value: &str) -> Option<Masked> {
    let kind = looks_real(name, value)?;
    let masked = placeholder(kind, value);
    // What is left beside the credentials that have a shape may be secret as well.
    let value = match looks_real(name, &masked) {
        None => masked,
        Some(_) => placeholder(Kind::Named, value),
    };
    Some(Masked { kind, value })
}

/// Masks arbitrary bytes, the first line as the name, for fuzzing.
#[doc(hidden)]
pub fn fuzz_mask(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (name, value) = text.split_once('\n').unwrap_or(("", &text));
    match mask(name, value) {
        None => assert_eq!(looks_real(name, value), None),
        Some(masked) => {
            assert_eq!(masked.value.len(), value.len());
            assert_eq!(looks_real(name, &masked.value), None, "masked, and still real");
            assert_eq!(looks_real(name, value), Some(masked.kind));
        }
    }
}

/// All that has a shape, in the order of the text, none inside another.
fn parts(value: &str) -> Vec<Part> {
    let mut all = shapes::parts(value);
    all.extend(pem::parts(value));
    all.extend(url::parts(value));
    all.extend(pairs::parts(value));
    // Of two that begin together, the one of which more can be kept knows better what it is.
    all.sort_by_key(|part| (part.start, Reverse(part.secret.start)));
    let mut kept: Vec<Part> = Vec::new();
    for part in all {
        match kept.last_mut() {
            Some(last) if part.start < last.secret.end => {
                last.secret.end = last.secret.end.max(part.secret.end);
                last.filler &= part.filler;
            }
            _ => kept.push(part),
        }
    }
    kept
}

fn by_name(name: &str, value: &str) -> Option<Kind> {
    let start = scheme_length(value);
    let value = &value[start..];
    if is_filler(value) {
        return None;
    }
    match names::says(name) {
        Says::Nothing => None,
        _ if names::is_fingerprint(name, value) => None,
        _ if names::is_aws(name) && is_aws_secret(value) => Some(Kind::AwsSecret),
        Says::Password => entropy::is_password(value).then_some(Kind::Named),
        Says::Secret => entropy::is_random(value).then_some(Kind::Named),
    }
}

fn is_aws_secret(value: &str) -> bool {
    value.len() == 40 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+".contains(&b))
}

fn whole(kind: Kind, value: &str) -> Part {
    let start = scheme_length(value);
    Part { kind, start, secret: start..value.len(), filler: false }
}

/// The text with each secret replaced.
fn filled(value: &str, parts: &[Part]) -> String {
    let mut text = String::with_capacity(value.len());
    let mut end = 0;
    for part in parts {
        text.push_str(&value[end..part.secret.start]);
        fill(&mut text, part.kind, &value[part.secret.clone()]);
        end = part.secret.end;
    }
    text.push_str(&value[end..]);
    text
}

fn fill(text: &mut String, kind: Kind, secret: &str) {
    if kind == Kind::PrivateKey {
        return pem::fill(text, secret, FILLER);
    }
    // Only structure that is the same for all credentials of the kind is kept.
    let uuid = is_uuid(secret);
    let keeps = |byte: u8| match kind {
        Kind::Shaped { body, .. } => body == Body::Jwt && byte == b'.',
        _ => uuid && byte == b'-',
    };
    let hex = match kind {
        Kind::Shaped { body, .. } => body == Body::Hex,
        _ => uuid || (secret.len() >= 16 && secret.bytes().all(|b| b.is_ascii_hexdigit())),
    };
    let mut filler = FILLER.chars().cycle();
    for byte in secret.bytes() {
        match byte {
            byte if keeps(byte) => text.push(char::from(byte)),
            _ if hex => text.push('0'),
            _ => text.extend(filler.next()),
        }
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// The text without its secrets and without the beginnings that belong to them.
fn around(value: &str, parts: &[Part]) -> String {
    let mut text = String::new();
    let mut end = 0;
    for part in parts {
        text.push_str(&value[end..part.start]);
        end = part.secret.end;
    }
    text.push_str(&value[end..]);
    text
}
