//! Secrets with their names inside a longer text: connection strings, queries of URLs, JSON,
//! headers (`password=…;`, `?token=…`, `"api_key": "…"`, `Authorization: Bearer …`).

use crate::entropy;
use crate::filler::{is_filler, scheme_length};
use crate::kind::{Kind, Part};
use crate::names::{self, Says};

/// How much of a value is judged: random letters are by then. The bound keeps the search linear.
const JUDGED_LENGTH: usize = 512;
/// The longest name that is looked at.
const NAME_LENGTH: usize = 64;

/// The values of all pairs in `text` whose name says secret.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut from = 0;
    // Every pair has one of these behind its name.
    while let Some(found) = text[from..].find(['=', ':']) {
        let at = from + found;
        from = at + 1;
        let says = names::says(name_before(&text[..at]));
        if says == Says::Nothing {
            continue;
        }
        let start = value_start(text, from);
        let value = value_at(text, start);
        let secret = match says {
            Says::Password => entropy::is_password(value),
            _ => entropy::is_random(value),
        };
        if secret || is_filler(value) {
            from = value_end(text, start);
            let filler = is_filler(&text[start..from]);
            parts.push(Part { kind: Kind::Pair, start, secret: start..from, filler });
        }
    }
    parts
}

/// The name that ends here, with or without quotes and space behind it.
fn name_before(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '"', '\'', '\\']);
    let letters = |b: &u8| b.is_ascii_alphanumeric() || b"_-".contains(b);
    let length = text.bytes().rev().take(NAME_LENGTH).take_while(letters).count();
    &text[text.len() - length..]
}

/// Where the value begins, behind space, quotes and `Bearer`.
fn value_start(text: &str, from: usize) -> usize {
    let rest = text[from..].trim_start_matches([' ', '"', '\'', '\\']);
    text.len() - rest.len() + scheme_length(rest)
}

/// The value as far as it is judged.
fn value_at(text: &str, start: usize) -> &str {
    let mut end = text.len().min(start + JUDGED_LENGTH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[start..end].split(ends_value).next().unwrap_or_default()
}

/// Where a value that is secret ends, however long it is.
fn value_end(text: &str, start: usize) -> usize {
    text[start..].find(ends_value).map_or(text.len(), |length| start + length)
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '&' | ';' | ',' | '}' | ')')
}
