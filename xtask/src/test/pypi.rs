//! Packages from PyPI: servers and a client written in Python, in two virtual environments.
//!
//! They are made by Debian's own Python, which every user of the machine can run, and only from
//! wheels: nothing of a package runs while it is installed.

use std::path::PathBuf;

use anyhow::Result;

use crate::{cache, process};

/// The system's Python: one from a version manager lies in a home folder that others cannot read.
const PYTHON: &str = "/usr/bin/python3";

/// A requirement, and what it is for.
type Package = (&'static str, &'static str);

const SERVERS: &[Package] = &[
    ("mcp-server-time==2026.10.19", "a small server"),
    ("mcp-server-git==2026.10.19", "a server that runs a program of the machine"),
    ("uv==0.13.9", "uvx, as people write it in their clients' files"),
];

const CLIENTS: &[Package] = &[("mcp==2.3.0", "the protocol's own library for Python")];

/// The servers: a virtual environment at `.cache/pypi-servers`.
pub(super) fn servers() -> Result<PathBuf> {
    install("pypi-servers", SERVERS)
}

/// The client: a virtual environment at `.cache/pypi-clients`.
pub(super) fn clients() -> Result<PathBuf> {
    install("pypi-clients", CLIENTS)
}

fn install(name: &str, packages: &[Package]) -> Result<PathBuf> {
    let recipe: String = packages.iter().map(|(requirement, _)| format!("{requirement}\n")).collect();
    cache::part(name, &recipe, |folder| {
        process::run(process::command(PYTHON, folder).args(["-m", "venv", "."]))?;
        let mut pip = process::command(folder.join("bin/pip"), folder);
        pip.args(["--quiet", "--disable-pip-version-check", "install", "--only-binary", ":all:"]);
        process::run(pip.args(packages.iter().map(|(requirement, _)| requirement)))
    })
}
