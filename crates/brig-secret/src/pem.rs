//! Private keys in PEM form (RFC 7468), also on one line with `\n` for its ends.

use crate::filler::is_filler;
use crate::kind::{Kind, Part};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// `OPENSSH PRIVATE KEY` and the like are at most this long.
const LABEL_LENGTH: usize = 64;

/// The bodies of all private keys in `value`; one that is cut off counts to the end.
pub(crate) fn parts(value: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(found) = value[from..].find(BEGIN) {
        from += found + BEGIN.len();
        let Some(label) = value[from..].find(DASHES).filter(|length| *length <= LABEL_LENGTH) else {
            continue;
        };
        let private = value[from..from + label].contains("PRIVATE KEY");
        from += label + DASHES.len();
        if !private {
            continue;
        }
        let end = value[from..].find("-----END ").map_or(value.len(), |end| from + end);
        let body = from..end;
        let filler = is_filler(&solid(&value[body.clone()]));
        parts.push(Part { kind: Kind::PrivateKey, start: from, secret: body, filler });
        from = end;
    }
    parts
}

/// Replaces all but the ends of lines, so that it stays a key by its looks.
pub(crate) fn fill(text: &mut String, body: &str, filler: &str) {
    let mut filler = filler.chars().cycle();
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let kept =
            if rest.starts_with("\\n") || rest.starts_with("\\r") { 2 } else { usize::from(c == '\n' || c == '\r') };
        if kept > 0 {
            text.push_str(&rest[..kept]);
            rest = &rest[kept..];
        } else {
            text.extend(filler.by_ref().take(c.len_utf8()));
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// The body without the ends of its lines.
fn solid(body: &str) -> String {
    body.replace("\\n", "").replace("\\r", "").replace(['\n', '\r'], "")
}
