//! `cargo xtask release`: the binary that ships, and what it must and must not be.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{artifact, screen, workspace};

/// It is copied into boxes and onto laptops, so it stays small.
const MOST_BYTES: u64 = 12_000_000;

/// Text that must not be in the binary, and what it would mean.
const FORBIDDEN: &[(&str, &str)] =
    &[("BRIG-TEST-ONLY", "code that switches walls off, so that a test can show that it notices")];

/// Builds the release binary and checks it.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root()?;
    let place = artifact::build(&root, &["--release", "--package", "brig"], "brig")?;
    let bytes = fs::read(&place).with_context(|| format!("cannot read {}", place.display()))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("{} has {} bytes; it may have {MOST_BYTES}", place.display(), bytes.len());
    }
    if let Some(problem) = elf::not_static(&bytes) {
        bail!("{} is not static: {problem}; build it without RUSTFLAGS of your own", place.display());
    }
    for (text, meaning) in FORBIDDEN {
        if bytes.windows(text.len()).any(|it| it == text.as_bytes()) {
            bail!("{} holds {text}: {meaning}", place.display());
        }
    }
    screen::note(&format!("release: {} bytes, static, without test-only code", bytes.len()));
    Ok(())
}

/// The little of ELF that tells whether a program needs a loader or a library (64 bits, little endian).
mod elf {
    const INTERPRETER: u32 = 3;
    const DYNAMIC: u32 = 2;
    const NEEDED: u64 = 1;

    /// Why the program is not static; nothing when it is.
    pub(super) fn not_static(bytes: &[u8]) -> Option<&'static str> {
        if bytes.get(..6) != Some(b"\x7fELF\x02\x01") {
            return Some("it is no 64-bit ELF file");
        }
        let table = number(bytes, 32, 8)?;
        let (size, count) = (number(bytes, 54, 2)?, number(bytes, 56, 2)?);
        for index in 0..count {
            let at = table + index * size;
            let kind = number(bytes, at, 4)?;
            if kind == u64::from(INTERPRETER) {
                return Some("it names a loader");
            }
            if kind == u64::from(DYNAMIC) && needs_library(bytes, number(bytes, at + 8, 8)?, number(bytes, at + 32, 8)?)
            {
                return Some("it names a library");
            }
        }
        None
    }

    fn needs_library(bytes: &[u8], start: u64, length: u64) -> bool {
        (0..length / 16).any(|index| number(bytes, start + index * 16, 8) == Some(NEEDED))
    }

    fn number(bytes: &[u8], at: u64, width: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let part = bytes.get(at..at.checked_add(width)?)?;
        Some(part.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn this_program_is_static_and_the_shell_is_not() {
            let this = std::fs::read("/proc/self/exe").unwrap();
            assert_eq!(not_static(&this), None);
            assert!(not_static(&std::fs::read("/bin/sh").unwrap()).is_some());
            assert!(not_static(b"#!/bin/sh").is_some());
        }
    }
}
