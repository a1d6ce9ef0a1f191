//! `cargo xtask deny`: licences, sources and duplicate versions of every dependency, and known
//! vulnerabilities where the database of them can be reached.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{cache, process, screen, settings, workspace};

/// The version that CI builds when the machine has none.
const VERSION: &str = "0.20.2";

/// Runs cargo-deny with the project's deny.toml.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root()?;
    let program = program()?;
    process::run(deny(&program, &root).args(["bans", "licenses", "sources"]))?;
    if settings::on_ci() {
        // The database is a git repository, and CI reaches package registries only.
        screen::note("SKIP advisories: the database cannot be fetched here; run `cargo xtask deny` on a laptop");
        return Ok(());
    }
    process::run(deny(&program, &root).arg("advisories"))
}

fn deny(program: &Path, root: &Path) -> std::process::Command {
    let mut command = process::command(program, root);
    command.args(["--log-level", "warn", "--workspace", "check", "--hide-inclusion-graph"]);
    command
}

/// The machine's own cargo-deny, or one built into the cache. Unoptimised: it builds in a third of
/// the time and runs for two seconds.
fn program() -> Result<PathBuf> {
    if let Some(found) = settings::find_program("cargo-deny") {
        return Ok(found);
    }
    let folder = cache::part("tools-deny", VERSION, |folder| {
        // Outside of the project, whose settings are for a static binary.
        let mut install = process::cargo(Path::new("/"));
        install.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--quiet"]);
        process::run(install.arg("--root").arg(folder))
    })?;
    Ok(folder.join("bin/cargo-deny"))
}
