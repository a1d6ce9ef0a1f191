//! Where the project lies, what crates it has, and which files belong to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::process;

/// The folder that holds the workspace's Cargo.toml.
pub(crate) fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_owned).ok_or_else(|| anyhow!("{} has no parent folder", here.display()))
}

/// A crate of the workspace, as its manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Relative to the root, with `/`.
    pub(crate) folder: String,
    /// What it is built from, by name, ours and foreign.
    pub(crate) uses: Vec<String>,
    /// What only its tests use.
    pub(crate) tests_use: Vec<String>,
}

/// The crates of the workspace, asked of cargo.
pub(crate) fn crates(root: &Path) -> Result<Vec<Crate>> {
    let text = process::output(process::cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let value: Value = serde_json::from_str(&text).context("cargo metadata printed something else than JSON")?;
    let packages = value["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(|package| read_crate(root, package)).collect()
}

fn read_crate(root: &Path, package: &Value) -> Result<Crate> {
    let name = package["name"].as_str().context("a package without a name")?.to_owned();
    let manifest = Path::new(package["manifest_path"].as_str().context("a package without a manifest")?);
    let folder = manifest.parent().and_then(|it| it.strip_prefix(root).ok()).context("a package outside the root")?;
    let names = |for_tests: bool| {
        let all = package["dependencies"].as_array().into_iter().flatten();
        let chosen = all.filter(|it| (it["kind"] == "dev") == for_tests);
        chosen.filter_map(|it| it["name"].as_str()).map(str::to_owned).collect()
    };
    let folder = folder.to_string_lossy().into_owned();
    Ok(Crate { name, folder, uses: names(false), tests_use: names(true) })
}

/// Every file that git tracks or would track, relative to the root.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let mut list = process::command("git", root);
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let text = process::output(&mut list).context("the list of files comes from git")?;
    let mut files: Vec<String> = text.lines().filter(|it| root.join(it).is_file()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    Ok(files)
}
