//! Who is measured: brig, a plain process, bubblewrap, Docker, and a relay that only copies.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::dockerd::Dockerd;
use crate::{artifact, process, screen, settings, test};

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    Plain,
    Relay,
    Brig,
    Bubblewrap,
    Docker,
}

impl Contender {
    /// As it stands in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain process",
            Self::Relay => "relay that only copies",
            Self::Brig => "brig run",
            Self::Bubblewrap => "bubblewrap",
            Self::Docker => "docker run, hardened",
        }
    }
}

/// Which server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// This program: it starts in a millisecond, so that what is seen is the contender.
    Static,
    /// server-everything under Node.js: what people really start.
    Everything,
}

impl Server {
    /// As it stands in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Static => "a static server",
            Self::Everything => "server-everything",
        }
    }
}

/// Everything that was prepared.
pub(super) struct Field {
    /// This program, optimised.
    pub(super) this: PathBuf,
    brig: Option<PathBuf>,
    bubblewrap: Option<PathBuf>,
    pub(super) docker: Option<Dockerd>,
    node: PathBuf,
    everything: PathBuf,
}

/// The same walls, as far as Docker has them.
const HARDENED: &[&str] = &[
    "run",
    "-i",
    "--rm",
    "--network",
    "none",
    "--read-only",
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    "--user",
    "65532:65532",
    "--pids-limit",
    "512",
    "--memory",
    "2g",
    "--tmpfs",
    "/tmp:size=256m",
];

/// The walls that bubblewrap has: it knows no seccomp list, no Landlock and no limits of its own.
const BUBBLEWRAP: &[&str] = &[
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    "--cap-drop",
    "ALL",
    "--uid",
    "65532",
    "--gid",
    "65532",
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/bin",
    "/bin",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
    "--setenv",
    "PATH",
    "/usr/bin:/bin",
];

impl Field {
    /// Builds, installs and starts what the benchmarks need.
    pub(super) fn prepare(root: &Path, with_brig: bool, with_docker: bool) -> Result<Self> {
        for package in test::install_for_bench()? {
            screen::note(&format!("Debian's package {package} is missing: what needs it is left out"));
        }
        let this = artifact::build(root, &["--release", "--package", "xtask"], "xtask")?;
        let brig = with_brig.then(|| artifact::build(root, &["--release", "--package", "brig"], "brig")).transpose()?;
        let modules = test::npm_servers()?.join("node_modules");
        let docker = if with_docker { Dockerd::start(&this)? } else { None };
        Ok(Self {
            brig,
            bubblewrap: settings::find_program("bwrap"),
            docker,
            node: settings::find_program("node").context("Node.js is not installed")?,
            everything: modules.join("@modelcontextprotocol/server-everything"),
            this,
        })
    }

    /// Those of `wanted` that this machine has.
    pub(super) fn present(&self, wanted: &[Contender]) -> Vec<Contender> {
        let here = |it: &Contender| match it {
            Contender::Plain | Contender::Relay => true,
            Contender::Brig => self.brig.is_some(),
            Contender::Bubblewrap => self.bubblewrap.is_some(),
            Contender::Docker => self.docker.is_some(),
        };
        wanted.iter().copied().filter(here).collect()
    }

    /// The command with which a contender starts a server.
    pub(super) fn command(&self, contender: Contender, server: Server) -> Result<Command> {
        let argv = self.argv(server);
        let mut command = match contender {
            Contender::Plain => Command::new(&argv[0]),
            Contender::Relay => {
                let mut command = Command::new(&self.this);
                command.args(["__bench", "relay", "--"]).arg(&argv[0]);
                command
            }
            Contender::Brig => {
                let mut command = Command::new(self.brig.as_ref().context("brig was left out")?);
                command.arg("run");
                if server == Server::Everything {
                    let folder = self.modules().display().to_string();
                    command.arg("-v").arg(format!("{folder}:{folder}"));
                }
                command.arg("--").arg(&argv[0]);
                command
            }
            Contender::Bubblewrap => {
                let mut command = Command::new(self.bubblewrap.as_ref().context("bubblewrap is not installed")?);
                let folder = if server == Server::Everything { self.modules() } else { &self.this };
                command.args(BUBBLEWRAP).arg("--ro-bind").args([folder, folder]).arg(&argv[0]);
                command
            }
            Contender::Docker => {
                let mut command = self.docker.as_ref().context("Docker was left out")?.client();
                command.args(HARDENED).arg(if server == Server::Static {
                    "brig-bench/static"
                } else {
                    "brig-test/everything"
                });
                return Ok(command);
            }
        };
        command.args(&argv[1..]);
        Ok(command)
    }

    /// What runs as the server: on this machine, not in the image.
    fn argv(&self, server: Server) -> Vec<OsString> {
        match server {
            Server::Static => vec![self.this.clone().into(), "__bench".into(), "serve".into()],
            Server::Everything => {
                vec![self.node.clone().into(), self.everything.join("dist/index.js").into(), "stdio".into()]
            }
        }
    }

    fn modules(&self) -> &Path {
        self.everything.ancestors().nth(2).unwrap_or(&self.everything)
    }

    /// The versions of what was measured.
    pub(super) fn versions(&self) -> Vec<String> {
        let ask = |program: &Path, argument: &str| {
            let text = process::output(Command::new(program).arg(argument)).unwrap_or_default();
            text.lines().next().unwrap_or("unknown").to_owned()
        };
        let mut versions = vec![format!("Node.js {}", ask(&self.node, "--version"))];
        versions.extend(self.brig.as_deref().map(|it| ask(it, "--version")));
        versions.extend(self.bubblewrap.as_deref().map(|it| ask(it, "--version")));
        versions.extend(self.docker.as_ref().map(|it| format!("dockerd {}", it.version())));
        versions
    }
}
