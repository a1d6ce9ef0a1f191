//! Passwords in URLs: `scheme://user:password@host`, and tokens in the place of a user.

use crate::entropy;
use crate::filler::is_filler;
use crate::kind::{Kind, Part};

/// How far an `@` is looked for. Longer passwords in URLs are found by nothing but a proper one;
/// the bound keeps the search linear.
const PASSWORD_LENGTH: usize = 1024;

/// The secrets of all URLs in `value`.
pub(crate) fn parts(value: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(found) = value[from..].find("://") {
        let start = from + found + 3;
        let schemed = value[..from + found].ends_with(|c: char| c.is_ascii_alphanumeric());
        from = start;
        if schemed && let Some((offset, secret)) = secret(&value[start..]) {
            let start = start + offset;
            let end = start + secret.len();
            if !entropy::is_reference(secret) {
                let filler = is_filler(secret);
                parts.push(Part { kind: Kind::Url, start, secret: start..end, filler });
            }
            from = end;
        }
    }
    parts
}

/// The password, or the token alone, and where it stands after `://`.
fn secret(rest: &str) -> Option<(usize, &str)> {
    let user = &rest[..user_length(rest)?];
    match user.split_once(':') {
        Some((name, password)) if !password.is_empty() => Some((name.len() + 1, password)),
        Some((token, _)) => entropy::is_random(token).then_some((0, token)),
        None => entropy::is_random(user).then_some((0, user)),
    }
}

/// The length of what stands before the `@` of a URL.
fn user_length(rest: &str) -> Option<usize> {
    let blank = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let mut end = rest.len().min(PASSWORD_LENGTH);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let url = rest[..end].split(blank).next().unwrap_or_default();
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // Some write `/`, `?` or `#` in a password as they are. `host:80/a@b` is no such case.
    let (_, port) = authority.split_once(':')?;
    let is_port = port.bytes().all(|b| b.is_ascii_digit());
    let address = authority.starts_with('[');
    if is_port || address { None } else { url.rfind('@') }
}
