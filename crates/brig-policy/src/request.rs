//! What one run asks for, after its flags were read and before anything was decided.

use std::fmt;

use crate::limits::Limits;
use crate::mount::{Access, MountRequest};

/// Everything that `brig run`'s command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is to run.
    pub program: Program,
    /// A name for people; `None` lets brig choose.
    pub name: Option<String>,
    /// Environment variables, later ones win.
    pub env: Vec<EnvRequest>,
    /// Files of `NAME=value` lines (`--env-file`), read before `env`.
    pub env_files: Vec<String>,
    /// Mounts (`-v`, `--mount`, `--tmpfs`); no two have the same target.
    pub mounts: Vec<MountRequest>,
    /// The caller's working folder, at its own path in the box (`--here`). It is no [`MountRequest`]
    /// because whoever reads flags does not know what that folder is.
    pub here: Option<Access>,
    /// The working folder in the box (`-w`).
    pub workdir: Option<String>,
    /// The user asked for (`-u`), mapped to the box's one user and said.
    pub user: Option<String>,
    /// Limits, defaults filled in.
    pub limits: Limits,
    /// Whether `/proc` shows more than processes (`--proc full`), a weaker wall.
    pub full_proc: bool,
    /// Whether anything but an enforced wall is an error (`--strict`).
    pub strict: bool,
    /// What crosses stdin and stdout.
    pub stdio: Stdio,
    /// Whether packages may run scripts while they are installed.
    pub allow_install_scripts: bool,
    /// What `--pull` says; `Missing` is the default.
    pub pull: Pull,
    /// `--platform`, as `os/arch[/variant]`.
    pub platform: Option<String>,
}

impl Request {
    /// Asks for nothing but `program`: no grants, default limits.
    #[must_use]
    pub fn new(program: Program) -> Self {
        Self {
            program,
            name: None,
            env: Vec::new(),
            env_files: Vec::new(),
            mounts: Vec::new(),
            here: None,
            workdir: None,
            user: None,
            limits: Limits::default(),
            full_proc: false,
            strict: false,
            stdio: Stdio::default(),
            allow_install_scripts: false,
            pull: Pull::default(),
            platform: None,
        }
    }
}

/// What is to run in the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// An image: a registry reference, a tar, or a folder with an OCI layout.
    Image {
        /// As it was spelt.
        reference: String,
        /// `--entrypoint`: replaces the image's; an empty string clears it.
        entrypoint: Option<String>,
        /// What follows the image; empty takes the image's own command.
        args: Vec<String>,
    },
    /// A program of this machine, after `--`.
    Host {
        /// The program and its arguments; never empty.
        argv: Vec<String>,
    },
}

/// One environment variable that a run asks for. Its `Debug` form leaves the value out.
#[derive(Clone, PartialEq, Eq)]
pub enum EnvRequest {
    /// `-e NAME=value`
    Literal {
        /// The variable.
        name: String,
        /// Its value; it may be a real credential, so it is never shown.
        value: String,
    },
    /// `-e NAME`: the caller's own value, when there is one.
    FromCaller {
        /// The variable.
        name: String,
    },
}

impl fmt::Debug for EnvRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal { name, .. } => f.debug_struct("Literal").field("name", name).finish_non_exhaustive(),
            Self::FromCaller { name } => f.debug_struct("FromCaller").field("name", name).finish(),
        }
    }
}

/// What crosses the box's stdin and stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stdio {
    /// MCP: one JSON-RPC message a line, judged.
    #[default]
    Mcp,
    /// Bytes, unjudged.
    Raw,
}

/// When an image is fetched from its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pull {
    /// At every start.
    Always,
    /// When the store lacks it.
    #[default]
    Missing,
    /// Never.
    Never,
}
