//! Programs that cargo builds, found by what cargo says rather than by a guess at its folders.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// Builds with `cargo build ARGUMENTS` in `folder` and returns the program `name`.
pub(crate) fn build(folder: &Path, arguments: &[&str], name: &str) -> Result<PathBuf> {
    let mut build = process::cargo(folder);
    build.arg("build").args(arguments).args(["--quiet", "--message-format", "json-render-diagnostics"]);
    let text = process::output(&mut build)?;
    let found = text.lines().filter_map(|line| executable(line, name)).next_back();
    found.with_context(|| format!("{} built no program {name}", process::shown(&build)))
}

fn executable(line: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    let right = target["name"] == name && target["kind"].as_array().is_some_and(|it| it.iter().any(|it| it == "bin"));
    right.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_taken_and_a_library_of_its_name_is_not() {
        let line = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"brig"},"executable":"/t/brig"}"#;
        assert_eq!(executable(line, "brig"), Some("/t/brig".into()));
        assert_eq!(executable(line, "xtask"), None);
        assert_eq!(executable(&line.replace("[\"bin\"]", "[\"lib\"]"), "brig"), None);
    }
}
