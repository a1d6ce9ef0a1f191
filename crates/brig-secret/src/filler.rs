//! What a placeholder is made of, and what stands around a secret and is kept.

/// What a placeholder is made of. Repeated, it is obvious to whoever reads it.
pub(crate) const FILLER: &str = "BRIGPLACEHOLDER";

/// The length of `Bearer ` and the like, in front of a token.
pub(crate) fn scheme_length(value: &str) -> usize {
    let schemes = ["bearer ", "basic ", "token ", "apikey "];
    let begins = |scheme: &&str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    schemes.iter().find(|scheme| begins(scheme)).map_or(0, |scheme| scheme.len())
}

/// Whether this is what a placeholder is made of.
pub(crate) fn is_filler(text: &str) -> bool {
    let solid = || text.bytes().filter(|b| !is_kept(*b));
    solid().eq(FILLER.bytes().cycle().take(solid().count())) || solid().all(|b| b == b'0')
}

/// What stays where it is in a body: it separates parts, and carries no secret.
fn is_kept(byte: u8) -> bool {
    byte == b'.' || byte == b'-' || byte.is_ascii_whitespace()
}
