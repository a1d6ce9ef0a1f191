//! `read_file`: reads any file that the system lets it read.

use std::fs::File;
use std::io::{self, Read};

use super::{Context, Kind, Outcome, Pace, Param, Tool, text};
use crate::json::Value;

/// How much of a file is read: what fits well into one answer.
const MAX_FILE: u64 = 1024 * 1024;

pub(crate) const TOOL: Tool = Tool {
    name: "read_file",
    title: "Read a file",
    about: "Returns the text of a file: at most its first 1 MiB, anything but UTF-8 replaced.",
    read_only: true,
    open_world: false,
    params: &[Param {
        name: "path",
        kind: Kind::Text,
        required: true,
        about: "The file's path, absolute or relative to the working folder.",
    }],
    pace: Pace::Prompt,
    call,
};

#[derive(Debug, thiserror::Error)]
enum ReadFileError {
    #[error("cannot look at {path}: {source}")]
    Look { path: String, source: io::Error },
    #[error("{path} is not a regular file")]
    Kind { path: String },
    #[error("cannot open {path}: {source}")]
    Open { path: String, source: io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
}

fn call(arguments: &Value, _context: &Context<'_>) -> Outcome {
    Ok(read(text(arguments, "path"))?.into())
}

fn read(path: &str) -> Result<String, ReadFileError> {
    let named = || path.to_owned();
    // Asked before opening: a FIFO would keep us waiting for its writer.
    let look = std::fs::metadata(path).map_err(|source| ReadFileError::Look { path: named(), source })?;
    if !look.is_file() {
        return Err(ReadFileError::Kind { path: named() });
    }
    let file = File::open(path).map_err(|source| ReadFileError::Open { path: named(), source })?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|source| ReadFileError::Read { path: named(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_files_and_names_what_it_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note");
        std::fs::write(&path, b"caf\xc3\xa9 \xff").unwrap();
        assert_eq!(read(path.to_str().unwrap()).unwrap(), "café \u{fffd}");
        let why = read("/nowhere/at/all").unwrap_err().to_string();
        assert!(why.starts_with("cannot look at /nowhere/at/all: "), "{why}");
        let why = read(folder.path().to_str().unwrap()).unwrap_err().to_string();
        assert!(why.ends_with("is not a regular file"), "{why}");
    }
}
