//! What must be in a file for its name to count: many names that may hold a key usually do not.

/// How much of a file is read to judge it. A bundle of public certificates has 200 to 400 KiB; a
/// larger file cannot be told and counts as a secret.
pub const PEEK_BYTES: usize = 1024 * 1024;

/// What must be in a file for a rule to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: the name says it all.
    Name,
    /// A private key, or bytes that cannot be told from one (`.pem`, `.key`).
    PrivateKey,
    /// A JSON document with a private key, a client secret or a refresh token.
    JsonSecret,
    /// A URL with a password, or an authorization header (Git's settings).
    UrlPassword,
    /// A token of a package registry (Yarn's settings).
    RegistryToken,
}

/// What the bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It holds what the rule is about, or cannot be told from it.
    Secret,
    /// It does not.
    Harmless,
}

impl Proof {
    /// Whether the file's bytes are needed.
    #[must_use]
    pub fn needs_content(self) -> bool {
        self != Self::Name
    }

    /// Judges the first [`PEEK_BYTES`] of a file; `whole` says whether that is all of it. What
    /// cannot be told counts as secret.
    #[must_use]
    pub fn judge(self, bytes: &[u8], whole: bool) -> Judgement {
        let harmless = whole
            && match self {
                Self::Name => false,
                Self::PrivateKey => is_public(bytes),
                Self::JsonSecret => !JSON_KEYS.iter().any(|key| contains(bytes, key)),
                Self::UrlPassword => !has_login(bytes),
                Self::RegistryToken => !contains(bytes, b"auth"),
            };
        if harmless { Judgement::Harmless } else { Judgement::Secret }
    }
}

/// Keys of JSON documents whose values are secrets, in lower case.
const JSON_KEYS: &[&[u8]] = &[
    b"\"private_key\"",
    b"\"privatekey\"",
    b"\"client_secret\"",
    b"\"clientsecret\"",
    b"\"refresh_token\"",
    b"\"access_token\"",
    b"\"secretaccesskey\"",
    b"\"secret_access_key\"",
    b"\"password\"",
    b"\"token\"",
    b"\"auths\"",
];

/// A name before the `@` of a URL that is as long as this may be a token; shorter ones are the
/// names of people and organisations. No registry's tokens are shorter.
const SHORTEST_TOKEN: usize = 20;

/// Whether a key file shows only public things: an empty file, certificates and public keys in
/// PEM (RFC 7468), or a document that merely shares the ending (Keynote's are ZIP archives).
fn is_public(bytes: &[u8]) -> bool {
    if bytes.trim_ascii().is_empty() || bytes.starts_with(b"PK\x03\x04") {
        return true;
    }
    contains(bytes, b"-----begin ") && !contains(bytes, b"private key-----")
}

/// Whether Git's settings hold a login: `scheme://user:password@host` or `scheme://token@host`
/// over HTTP, or a header that carries one.
fn has_login(bytes: &[u8]) -> bool {
    contains(bytes, b"authorization:")
        || bytes.split(|byte| *byte == b'\n').any(|line| {
            let Some(start) = find(line, b"://") else {
                return false;
            };
            let authority = line.get(start + 3..).unwrap_or_default();
            let end = authority.iter().position(|byte| matches!(byte, b'/' | b'"' | b' ')).unwrap_or(authority.len());
            let authority = authority.get(..end).unwrap_or_default();
            let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
                return false;
            };
            let user = authority.get(..at).unwrap_or_default();
            let over_ssh = line.get(..start).is_some_and(|scheme| scheme.ends_with(b"ssh"));
            user.contains(&b':') || (!over_ssh && user.len() >= SHORTEST_TOKEN)
        })
}

/// Whether `bytes` contain `wanted`, which is in lower case, in any case.
fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    find(bytes, wanted).is_some()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted))
}

/// For the fuzzer: any bytes may be judged by any proof.
#[doc(hidden)]
pub fn fuzz_content(bytes: &[u8]) {
    for proof in [Proof::Name, Proof::PrivateKey, Proof::JsonSecret, Proof::UrlPassword, Proof::RegistryToken] {
        let whole = proof.judge(bytes, true);
        let part = proof.judge(bytes, false);
        assert!(part == Judgement::Secret || whole == part);
    }
}
