//! Names inside a layer: parsed once into a form that cannot lead out of the layer's folder.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Longest name: the kernel takes no longer path (`PATH_MAX`).
pub(super) const NAME_BYTES: usize = 4096;
/// Longest part of a name: no file system takes a longer one (`NAME_MAX`).
const PART_BYTES: usize = 255;
/// Most folders on top of one another: nested `node_modules` reach about 60.
pub const NAME_DEPTH: usize = 256;

/// A path below the layer's root: no `..`, no empty part, not absolute. Empty for the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(Vec<u8>);

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It starts with a slash.
    #[error("{0:?} is absolute")]
    Absolute(String),
    /// It has a part `..`.
    #[error("{0:?} leads out with \"..\"")]
    Dots(String),
    /// It has a zero byte.
    #[error("{0:?} has a zero byte in it")]
    Zero(String),
    /// It, or a part of it, is too long.
    #[error("{0:?}… is too long")]
    Long(String),
    /// It lies too deep.
    #[error("{0:?}… is more than {NAME_DEPTH} folders deep")]
    Deep(String),
    /// It uses overlay's reserved prefix for something that is no deletion mark.
    #[error("{0:?} is not a well-formed deletion mark")]
    Whiteout(String),
}

impl Name {
    /// Parses a name as tar writes it. `./a//b/` is `a/b`.
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, NameError> {
        if raw.first() == Some(&b'/') {
            return Err(NameError::Absolute(shown(raw)));
        }
        if raw.len() > NAME_BYTES {
            return Err(NameError::Long(shown(raw)));
        }
        if raw.contains(&0) {
            return Err(NameError::Zero(shown(raw)));
        }
        let mut clean = Vec::with_capacity(raw.len());
        let mut depth = 0;
        for part in raw.split(|&c| c == b'/') {
            match part {
                b"" | b"." => continue,
                b".." => return Err(NameError::Dots(shown(raw))),
                part if part.len() > PART_BYTES => return Err(NameError::Long(shown(raw))),
                part => {
                    if !clean.is_empty() {
                        clean.push(b'/');
                    }
                    clean.extend_from_slice(part);
                }
            }
            depth += 1;
            if depth > NAME_DEPTH {
                return Err(NameError::Deep(shown(raw)));
            }
        }
        Ok(Self(clean))
    }

    /// The target of a hard link, which some builders write with a slash before it. It is a name of
    /// the same layer either way.
    pub(crate) fn parse_target(raw: &[u8]) -> Result<Self, NameError> {
        Self::parse(raw.strip_prefix(b"/").unwrap_or(raw))
    }

    /// Whether it is the layer's root.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder it lies in, empty for the root.
    pub(crate) fn parent(&self) -> &[u8] {
        let end = self.0.iter().rposition(|&c| c == b'/').unwrap_or(0);
        &self.0[..end]
    }

    /// Its last part; empty for the root.
    pub(crate) fn leaf(&self) -> &OsStr {
        let start = self.0.iter().rposition(|&c| c == b'/').map_or(0, |at| at + 1);
        OsStr::from_bytes(&self.0[start..])
    }

    /// Its first part; empty for the root.
    pub(crate) fn first(&self) -> &[u8] {
        self.0.split(|&c| c == b'/').next().unwrap_or_default()
    }

    /// All of it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// All of it, for messages.
    pub(crate) fn shown(&self) -> String {
        shown(&self.0)
    }
}

/// Foreign bytes, made harmless and short for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(120)];
    String::from_utf8_lossy(cut).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names() {
        for (raw, want) in [("a/b", "a/b"), ("./a//b/", "a/b"), ("", ""), ("./", ""), ("a..b/..c", "a..b/..c")] {
            assert_eq!(Name::parse(raw.as_bytes()).unwrap().as_bytes(), want.as_bytes());
        }
        let name = Name::parse(b"a/b/c").unwrap();
        assert_eq!(name.parent(), b"a/b");
        assert_eq!(name.leaf(), "c");
        assert_eq!(name.first(), b"a");
        assert_eq!(Name::parse(b"c").unwrap().parent(), b"");
        assert_eq!(Name::parse_target(b"/a/b").unwrap().as_bytes(), b"a/b");
    }

    #[test]
    fn refused() {
        let deep = "d/".repeat(NAME_DEPTH + 1);
        let long = "x/".repeat(NAME_BYTES / 2 + 1);
        let part = "x".repeat(PART_BYTES + 1);
        for bad in ["/etc/passwd", "../x", "a/../../x", "a/..", "a\0b", &deep, &long, &part] {
            assert!(Name::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Name::parse_target(b"//etc").is_err());
        assert!(Name::parse_target(b"/../etc").is_err());
    }

    proptest! {
        #[test]
        fn what_is_parsed_never_leads_out(raw in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(name) = Name::parse(&raw) {
                let bytes = name.as_bytes();
                prop_assert!(!bytes.starts_with(b"/") && !bytes.contains(&0));
                prop_assert!(bytes.split(|&c| c == b'/').all(|part| part != b".." && part != b"."));
            }
        }
    }
}
