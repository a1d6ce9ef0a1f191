//! Debian's packages that tests and benchmarks use.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{process, screen, settings};

/// A package, and what it is for.
pub(super) type Package = (&'static str, &'static str);

/// What the tests use.
pub(super) const FOR_TESTS: &[Package] = &[
    ("python3-venv", "the MCP servers and the client written in Python"),
    ("mmdebstrap", "makes the images that tests run"),
    ("docker-registry", "a registry on loopback to pull from"),
    ("docker.io", "the real client, whose flags are compared with ours"),
    ("git", "mcp-server-git, and repositories as grants"),
    ("busybox-static", "the smallest image"),
    ("podman", "an image that only Podman has"),
    ("bubblewrap", "another box, against which the demo's judgement is held"),
    ("keyutils", "a key in the kernel, which the box must not find"),
    ("bsdutils", "script, which gives a test a terminal"),
    ("perl-base", "asks the kernel for calls that no library makes"),
    ("uidmap", "an ordinary user has subordinate ids there, as on a laptop"),
];

/// What the benchmarks use besides.
pub(super) const FOR_BENCH: &[Package] = &[
    ("docker.io", "the alternative that people use today"),
    ("bubblewrap", "the alternative without a daemon"),
    ("mmdebstrap", "makes the image that is measured"),
    ("iproute2", "brings up loopback in the namespace of the measured daemon"),
];

/// What the virtual machines use besides.
pub(super) const FOR_VM: &[Package] = &[
    ("qemu-system-x86", "boots the kernels"),
    ("e2fsprogs", "makes the disk"),
    ("mmdebstrap", "makes what is on the disk"),
    ("cpio", "packs the first folder that a kernel sees"),
    ("busybox-static", "the first program that a kernel runs"),
];

/// Installs the missing ones and returns those that are still missing.
///
/// As root on CI it installs without a question; on a laptop it asks first; otherwise it says what
/// to type.
pub(super) fn ensure(packages: &[Package]) -> Result<Vec<String>> {
    let missing: Vec<Package> = packages.iter().copied().filter(|(name, _)| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    for (name, reason) in &missing {
        screen::note(&format!("Debian's package {name} is missing: {reason}"));
    }
    let has_apt = settings::find_program("apt-get").is_some();
    if !has_apt || !process::is_root() {
        screen::note(&format!("to install them: sudo apt-get install {}", names.join(" ")));
    } else if settings::on_ci() || screen::ask("install them now?") {
        install(&names)?;
    }
    Ok(names.into_iter().filter(|name| !is_installed(name)).map(str::to_owned).collect())
}

fn is_installed(package: &str) -> bool {
    let query = ["--show", "--showformat", "${db:Status-Abbrev}", package];
    let output = Command::new("dpkg-query").args(query).output();
    output.is_ok_and(|it| it.stdout.starts_with(b"ii"))
}

fn install(names: &[&str]) -> Result<()> {
    let mut update = process::command("apt-get", Path::new("/"));
    process::run(update.args(["-qq", "update"]))?;
    let mut install = process::command("apt-get", Path::new("/"));
    install.args(["-qq", "-y", "--no-install-recommends", "install"]).args(names);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.env("NEEDRESTART_SUSPEND", "1");
    install.env("RUNLEVEL", "1"); // no package starts its service; the tests start what they need
    process::run(&mut install)
}
