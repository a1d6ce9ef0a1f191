//! What the user typed where `docker run` has its IMAGE, parsed; nothing is opened or resolved here.
//!
//! The grammar of registry references, with Docker's defaults, is that of the `distribution`
//! project's reference documentation. A path must look like one (`./`, `/`, `~` is the shell's own
//! work), carry a prefix (`oci:`, `docker-archive:`, `oci-archive:`) or end like an archive; so a file
//! that happens to be called like an image never stands in for it.

use std::fmt;
use std::path::PathBuf;

use crate::digest::{Digest, DigestError};

/// Longest text looked at: a path (`PATH_MAX`, 4096) with a prefix and a tag.
pub const REFERENCE_BYTES: usize = 4096 + 256;
/// Longest name of a repository, its registry included: what registries themselves allow.
pub const NAME_BYTES: usize = 255;
/// Longest tag: what registries themselves allow.
pub const TAG_BYTES: usize = 128;
/// The registry that is meant when none is named.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// Endings that make a word a path without `./` before it.
const ARCHIVE_ENDINGS: &[&str] = &[
    ".tar", ".tar.gz", ".tgz",     // what `docker save` and every exporter write
    ".tar.zst", // what some exporters write to save room
];

/// An image, as the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A path: an archive if it is a file, an OCI layout if it is a folder.
    Path {
        /// As it was spelt.
        path: PathBuf,
        /// Which image, where the file holds several.
        tag: Option<String>,
    },
    /// A repository of a registry.
    Registry(RegistryReference),
}

/// A repository of a registry, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing was given.
    #[error("the image's name is empty")]
    Empty,
    /// More than [`REFERENCE_BYTES`], or a name or tag above its own limit.
    #[error("the image's name is longer than {0} bytes")]
    TooLong(usize),
    /// A control character.
    #[error("the image's name has a control character in it")]
    Control,
    /// The part before the first slash is no host name with an optional port.
    #[error("{0:?} is not a registry's host name")]
    Registry(String),
    /// A part of the repository's name that is not lower-case letters, digits and single separators.
    #[error("{0:?} cannot be part of a repository's name")]
    Repository(String),
    /// A tag with other characters than letters, digits, `_`, `.` and `-`.
    #[error("{0:?} is not a tag")]
    Tag(String),
    /// A malformed digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ReferenceError {
    /// What to type instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Repository(part) if part.chars().any(char::is_uppercase) => format!(
                "names of repositories are lower-case: try {:?}; for a file, put ./ before it",
                part.to_lowercase()
            ),
            Self::Registry(_) | Self::Repository(_) | Self::Empty | Self::TooLong(_) => {
                "name an image as NAME[:TAG], HOST/NAME[:TAG], ./FILE.tar or oci:FOLDER".to_owned()
            }
            Self::Control => "type the name by hand instead of pasting it".to_owned(),
            Self::Tag(_) => "a tag follows a colon, as in alpine:3.20".to_owned(),
            Self::Digest(_) => "a digest follows an @, as in alpine@sha256:…".to_owned(),
        })
    }
}

impl Reference {
    /// Parses what the user typed.
    ///
    /// # Errors
    /// Says which part is malformed. Nothing is opened: a missing file is found later.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() > REFERENCE_BYTES {
            return Err(ReferenceError::TooLong(REFERENCE_BYTES));
        }
        if text.chars().any(char::is_control) {
            return Err(ReferenceError::Control);
        }
        for prefix in ["oci:", "oci-archive:", "docker-archive:"] {
            if let Some(rest) = text.strip_prefix(prefix) {
                return path_and_tag(rest);
            }
        }
        if text.starts_with(['/', '.']) || ARCHIVE_ENDINGS.iter().any(|ending| text.ends_with(ending)) {
            return Ok(Self::Path { path: PathBuf::from(text), tag: None });
        }
        RegistryReference::parse(text).map(Self::Registry)
    }
}

impl RegistryReference {
    /// Parses a registry reference with Docker's defaults: registry `docker.io`, folder `library`
    /// for a name without one, tag `latest` where there is neither tag nor digest.
    ///
    /// # Errors
    /// Says which part is malformed.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest)?)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let after_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[after_slash..].find(':') {
            Some(at) => (&rest[..after_slash + at], Some(parse_tag(&rest[after_slash + at + 1..])?)),
            None => (rest, None),
        };
        if name.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if name.len() > NAME_BYTES {
            return Err(ReferenceError::TooLong(NAME_BYTES));
        }
        let (registry, repository) = split_registry(name)?;
        let repository = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        // Once more with what was filled in: the whole name is what is written down and read back.
        if registry.len() + 1 + repository.len() > NAME_BYTES {
            return Err(ReferenceError::TooLong(NAME_BYTES));
        }
        for part in repository.split('/') {
            check_repository_part(part)?;
        }
        let tag = match (tag, digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag,
        };
        Ok(Self { registry, repository, tag, digest })
    }

    /// The registry's host, with its port where one was given.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository's name within the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; `None` only where there is a digest.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, which outranks the tag.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Whether the registry is this machine itself, where plain HTTP is accepted.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(host_of(&self.registry))
    }

    /// Registry and repository without tag and digest: what profiles are matched by.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// The host of `host[:port]`, without the brackets of an IPv6 address.
pub(crate) fn host_of(registry: &str) -> &str {
    match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => registry.split(':').next().unwrap_or(registry),
    }
}

/// Whether a host, given by name or number, is this machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Runs the parser on arbitrary bytes and checks that what it accepts it also reads back.
#[doc(hidden)]
pub fn fuzz_reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(Reference::Registry(reference)) = Reference::parse(text) {
        let again = RegistryReference::parse(&reference.to_string());
        assert_eq!(again, Ok(reference));
    }
}

fn path_and_tag(rest: &str) -> Result<Reference, ReferenceError> {
    let (path, tag) = match rest.rsplit_once(':') {
        // A tag has no slash, so what comes after the last colon may still be a part of the path.
        Some((path, tag)) if !tag.contains('/') => (path, Some(parse_tag(tag)?)),
        _ => (rest, None),
    };
    if path.is_empty() {
        return Err(ReferenceError::Empty);
    }
    Ok(Reference::Path { path: PathBuf::from(path), tag })
}

fn parse_tag(tag: &str) -> Result<String, ReferenceError> {
    if tag.len() > TAG_BYTES {
        return Err(ReferenceError::TooLong(TAG_BYTES));
    }
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let good = tag.bytes().next().is_some_and(word) && tag.bytes().all(|c| word(c) || c == b'.' || c == b'-');
    if good { Ok(tag.to_owned()) } else { Err(ReferenceError::Tag(tag.to_owned())) }
}

/// The first part names a registry only if it could not be a folder on the default one.
fn split_registry(name: &str) -> Result<(String, &str), ReferenceError> {
    let Some((first, rest)) = name.split_once('/') else {
        return Ok((DEFAULT_REGISTRY.to_owned(), name));
    };
    // A first part in upper case is a host to Docker. In lower case, as hosts are written down, it
    // would be read back as a repository: such a name is refused as one.
    let is_host = first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost");
    if !is_host {
        return Ok((DEFAULT_REGISTRY.to_owned(), name));
    }
    check_registry(first)?;
    let registry = first.to_ascii_lowercase();
    Ok(match registry.as_str() {
        "index.docker.io" => (DEFAULT_REGISTRY.to_owned(), rest),
        _ => (registry, rest),
    })
}

fn check_registry(text: &str) -> Result<(), ReferenceError> {
    let bad = || ReferenceError::Registry(text.to_owned());
    let (host_good, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or_else(bad)?;
        (address.parse::<std::net::Ipv6Addr>().is_ok(), port)
    } else {
        let at = text.find(':').unwrap_or(text.len());
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        };
        (text[..at].split('.').all(label), &text[at..])
    };
    let port_good = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|c| c.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|p| p > 0),
        None => port.is_empty(),
    };
    if host_good && port_good { Ok(()) } else { Err(bad()) }
}

/// `[a-z0-9]+` parts joined by one `.`, one or two `_`, or any number of `-`.
fn check_repository_part(part: &str) -> Result<(), ReferenceError> {
    let bytes = part.as_bytes();
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends_good = bytes.first().is_some_and(|&c| plain(c)) && bytes.last().is_some_and(|&c| plain(c));
    let separators_good = part
        .split(|c: char| c.is_ascii() && plain(c as u8))
        .all(|run| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|c| c == b'-'));
    if ends_good && separators_good { Ok(()) } else { Err(ReferenceError::Repository(part.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_measured_with_what_is_filled_in() {
        assert!(RegistryReference::parse(&"a".repeat(NAME_BYTES)).is_err());
        let longest = "a".repeat(NAME_BYTES - "docker.io/library/".len());
        let parsed = RegistryReference::parse(&longest).unwrap();
        assert_eq!(RegistryReference::parse(&parsed.to_string()), Ok(parsed));
    }

    #[test]
    fn a_host_of_one_word_in_upper_case_is_refused() {
        assert!(RegistryReference::parse("arLoa/b:tag").is_err());
        assert_eq!(RegistryReference::parse("LOCALHOST/b").unwrap().registry(), "localhost");
        assert_eq!(RegistryReference::parse("GHCR.io/b").unwrap().registry(), "ghcr.io");
    }
    use proptest::prelude::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn shown(text: &str) -> String {
        match Reference::parse(text) {
            Ok(Reference::Registry(reference)) => reference.to_string(),
            Ok(Reference::Path { path, tag }) => format!("path {} {tag:?}", path.display()),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn dockers_defaults() {
        for (text, want) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20"),
            ("mcp/filesystem", "docker.io/mcp/filesystem:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest"),
            ("index.docker.io/a/b", "docker.io/a/b:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/x:1", "localhost:5000/x:1"),
            ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest"),
            ("[::1]:5000/a", "[::1]:5000/a:latest"),
            ("ghcr.io/github/github-mcp-server", "ghcr.io/github/github-mcp-server:latest"),
            ("a__b/c-_d", "error: \"c-_d\" cannot be part of a repository's name"),
            ("a/b--c", "docker.io/a/b--c:latest"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
        assert_eq!(shown(&format!("alpine@sha256:{HEX}")), format!("docker.io/library/alpine@sha256:{HEX}"));
        assert_eq!(shown(&format!("alpine:3@sha256:{HEX}")), format!("docker.io/library/alpine:3@sha256:{HEX}"));
    }

    #[test]
    fn paths() {
        for (text, want) in [
            ("./x", "path ./x None"),
            ("/srv/x.tar", "path /srv/x.tar None"),
            ("x.tar", "path x.tar None"),
            ("x.tar.gz", "path x.tar.gz None"),
            ("oci:dir", "path dir None"),
            ("oci:dir:v1", "path dir Some(\"v1\")"),
            ("oci:/a:b/dir", "path /a:b/dir None"),
            ("docker-archive:x.bin:v2", "path x.bin Some(\"v2\")"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "Alpine",
            "alpine:",
            "alpine:-x",
            "a//b",
            "a/../b",
            "a b",
            "alpine@sha256:12",
            "alpine@md5:12",
            "host:99999/x",
            "host:/x",
            "-bad.host/x",
            "a\nb",
            "oci:",
            "x/",
            "é",
            &"a".repeat(256),
            &format!("a:{}", "t".repeat(129)),
        ] {
            let error = Reference::parse(text).expect_err(text);
            assert!(error.hint().is_some(), "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, want) in [
            ("localhost:5000/x", true),
            ("127.0.0.1:5000/x", true),
            ("127.9.9.9/x", true),
            ("[::1]:80/x", true),
            ("localhost.example.org/x", false),
            ("127.0.0.1.example.org/x", false),
            ("10.0.0.1:5000/x", false),
            ("alpine", false),
        ] {
            assert_eq!(RegistryReference::parse(text).unwrap().is_loopback(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,80}") {
            fuzz_reference(text.as_bytes());
        }

        #[test]
        fn reads_back(text in "([a-z]{1,5}(\\.[a-z]{1,4})?(:[1-9][0-9]{0,3})?/)?[a-z0-9]{1,5}([._-][a-z0-9]{1,3}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,5})?") {
            fuzz_reference(text.as_bytes());
        }
    }
}
