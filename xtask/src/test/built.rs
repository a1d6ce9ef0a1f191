//! The test programs that cargo built.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::leg::FEATURES;
use crate::process;

/// One integration test program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestProgram {
    /// The name of its file in `tests/`.
    pub(super) name: String,
    pub(super) file: PathBuf,
    /// Its crate's folder, where cargo runs it.
    pub(super) folder: PathBuf,
}

impl TestProgram {
    /// The name of its crate, which is that of its folder.
    pub(super) fn owner(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The integration tests of every crate.
pub(super) fn integration_tests(root: &Path) -> Result<Vec<TestProgram>> {
    let mut build = process::cargo(root);
    // The same selection as the whole run's: another one could mean other features and another build.
    build.args(["test", "--workspace", "--features", FEATURES, "--no-run", "--message-format", "json"]);
    let text = process::output(&mut build)?;
    text.lines().filter_map(|line| read_message(line).transpose()).collect()
}

fn read_message(line: &str) -> Result<Option<TestProgram>> {
    let message: Value = serde_json::from_str(line).context("cargo printed something else than JSON")?;
    let target = &message["target"];
    let is_test = target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it == "test"));
    let (Some(file), true) = (message["executable"].as_str(), is_test) else { return Ok(None) };
    let manifest = Path::new(message["manifest_path"].as_str().context("an artefact without a manifest")?);
    let folder = manifest.parent().context("a manifest without a folder")?.to_owned();
    let name = target["name"].as_str().context("a target without a name")?.to_owned();
    Ok(Some(TestProgram { name, file: file.into(), folder }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_integration_tests_are_taken() {
        let test = r#"{"reason":"compiler-artifact","manifest_path":"/p/crates/x/Cargo.toml","target":{"kind":["test"],"name":"walls"},"executable":"/p/target/walls-1"}"#;
        let found = read_message(test).unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.folder.as_path()), ("walls", Path::new("/p/crates/x")));
        assert_eq!(read_message(&test.replace("[\"test\"]", "[\"lib\"]")).unwrap(), None);
        assert_eq!(read_message(r#"{"reason":"build-finished","success":true}"#).unwrap(), None);
    }
}
