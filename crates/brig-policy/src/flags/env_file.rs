//! The content of an `--env-file`, by Docker's rules: one `NAME=value` or `NAME` a line; space
//! before a name is dropped, everything behind `=` is kept as it is, quotes included; lines that
//! are empty or begin with `#` say nothing. No error shows a line, for it may hold a password.

use super::settle::variable;
use crate::request::EnvRequest;

/// The largest file that is read, in bytes: all variables of a program have to fit into a quarter of
/// its stack, which is 2 MiB by default (execve(2)).
pub const ENV_FILE_LENGTH_MOST: usize = 2 * 1024 * 1024;

/// Why an environment file was not taken. Lines are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvFileError {
    /// It is larger than [`ENV_FILE_LENGTH_MOST`].
    #[error("the file has {length} bytes, more than {ENV_FILE_LENGTH_MOST}")]
    TooLong {
        /// Its size in bytes.
        length: usize,
    },
    /// A line is no UTF-8.
    #[error("line {line} is no UTF-8")]
    NotUtf8 {
        /// Which.
        line: usize,
    },
    /// A line holds a NUL byte.
    #[error("line {line} holds a NUL byte")]
    Nul {
        /// Which.
        line: usize,
    },
    /// A line has no name before its `=`.
    #[error("line {line} has no name before its `=`")]
    NoName {
        /// Which.
        line: usize,
    },
    /// A name holds a space or a tab.
    #[error("the name in line {line} holds a space")]
    SpaceInName {
        /// Which.
        line: usize,
    },
}

impl EnvFileError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::TooLong { .. } => "grant what is large as a file: -v FILE:/path",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::Nul { .. } => "take the NUL byte out",
            Self::NoName { .. } => "write NAME=value, or # before a comment",
            Self::SpaceInName { .. } => "write NAME=value, without `export` and without spaces around `=`",
        };
        Some(fixed.to_owned())
    }
}

/// Reads the content of an environment file.
///
/// # Errors
///
/// The first line that cannot be used.
pub fn env_file(content: &[u8]) -> Result<Vec<EnvRequest>, EnvFileError> {
    if content.len() > ENV_FILE_LENGTH_MOST {
        return Err(EnvFileError::TooLong { length: content.len() });
    }
    // Editors of other systems put a byte order mark first.
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let mut all = Vec::new();
    for (line, bytes) in (1..).zip(content.split(|b| *b == b'\n')) {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| EnvFileError::NotUtf8 { line })?;
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if text.contains('\0') {
            return Err(EnvFileError::Nul { line });
        }
        let name = text.split('=').next().unwrap_or_default();
        if name.contains([' ', '\t']) {
            return Err(EnvFileError::SpaceInName { line });
        }
        all.push(variable(text).map_err(|_| EnvFileError::NoName { line })?);
    }
    Ok(all)
}

/// Reads arbitrary bytes as an environment file, for fuzzing.
#[doc(hidden)]
pub fn fuzz_env_file(data: &[u8]) {
    if let Ok(all) = env_file(data) {
        for one in all {
            let (EnvRequest::Literal { name, .. } | EnvRequest::FromCaller { name }) = one;
            assert!(!name.is_empty() && !name.contains(['=', '\0', '\n', ' ']));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(name: &str, value: &str) -> EnvRequest {
        EnvRequest::Literal { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        let text = b"\xEF\xBB\xBFA=1\r\n\n# no\n  # no\n  B= 2 \nC=\"x=y\"\nD=\nE\n";
        assert_eq!(
            env_file(text).unwrap(),
            [
                literal("A", "1"),
                literal("B", " 2 "),
                literal("C", "\"x=y\""),
                literal("D", ""),
                EnvRequest::FromCaller { name: "E".to_owned() },
            ]
        );
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_line() {
        for (text, error) in [
            (&b"A=1\n=2"[..], EnvFileError::NoName { line: 2 }),
            (b"export A=1", EnvFileError::SpaceInName { line: 1 }),
            (b"A =1", EnvFileError::SpaceInName { line: 1 }),
            (b"\nA=\xff", EnvFileError::NotUtf8 { line: 2 }),
            (b"A=\0", EnvFileError::Nul { line: 1 }),
        ] {
            assert_eq!(env_file(text), Err(error));
            assert!(error.hint().is_some());
        }
        let long = vec![b'#'; ENV_FILE_LENGTH_MOST + 1];
        assert_eq!(env_file(&long), Err(EnvFileError::TooLong { length: long.len() }));
        assert_eq!(env_file(&long[1..]), Ok(Vec::new()));
    }
}
