//! The only file of this crate that reads the environment.
#![allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::path::PathBuf;

/// Whether this is a run without a person: nothing is asked, and an unexpected skip is an error.
pub(crate) fn on_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// The cargo that runs us, so that the pinned toolchain is used all the way down.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The first executable file of that name in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Debian keeps administrators' programs out of an ordinary user's PATH.
    let extra = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&path).chain(extra).map(|folder| folder.join(name)).find(|file| file.is_file())
}
