//! The order to start one box: everything resolved, nothing left to decide.
//!
//! Only `brig_runtime::plan` makes one (a rule that `cargo xtask tidy` checks). It travels to the
//! helper as JSON, so paths, arguments and variables are UTF-8; the planner refuses others.

use std::path::PathBuf;

use brig_policy::limits::Limits;
use serde::{Deserialize, Serialize};

/// The one user and group of every box, as seen from inside. They map to the caller outside.
pub const BOX_ID: u32 = 65532;

/// Everything that the engine needs to start one box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The box's host name, and the name of its cgroup.
    pub name: String,
    /// What lies under `/` before anything is mounted.
    pub root: Root,
    /// Files, folders and links put on top of the root. Parents are made as needed (mode 0755).
    pub skeleton: Vec<Entry>,
    /// Mounts, in the order in which they are made: parents before children.
    pub mounts: Vec<Mount>,
    /// The program to run.
    pub program: Program,
    /// What it may use.
    pub limits: Limits,
    /// Who the box's one user is outside.
    pub identity: Identity,
    /// Whether `/proc` shows the machine as well as the processes.
    pub full_proc: bool,
    /// Whether `socket(AF_UNIX)` works in the box: false whenever a host folder is mounted, since a
    /// read-only folder still hands out every socket that lies in it.
    pub unix_sockets: bool,
    /// Listening sockets that init opens in the box and passes out, in this order.
    pub doors: Vec<Door>,
}

/// What lies under `/` of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Root {
    /// Nothing but the skeleton (host programs, whose `/usr` is a mount).
    Empty,
    /// Unpacked image layers, topmost first.
    Layers(Vec<PathBuf>),
}

/// One entry of the skeleton. Paths are absolute, inside the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A folder.
    Dir {
        /// Where.
        path: PathBuf,
    },
    /// A small generated file, mode 0644.
    File {
        /// Where.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: PathBuf,
        /// What it points to, taken literally.
        to: PathBuf,
    },
}

/// Something to appear in the box. Every mount is nosuid and nodev.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where: an absolute path inside the box, no component of which is a link in the root.
    pub target: PathBuf,
    /// What.
    pub what: What,
}

/// The content of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A file or folder of the host.
    Bind(Bind),
    /// Memory.
    Tmpfs {
        /// Bytes.
        size: u64,
        /// Permission bits of its top folder.
        mode: u32,
    },
    /// A writable view of `lower` whose changes land in `upper`.
    Overlay {
        /// The host folder that is shown, never written.
        lower: Bind,
        /// Where changes land: an empty folder of brig's own.
        upper: PathBuf,
        /// overlayfs' own scratch folder, on the same file system as `upper`.
        work: PathBuf,
    },
}

/// A host file or folder, judged on what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Its real path, free of links.
    pub source: PathBuf,
    /// What the judge saw there; the helper mounts nothing else.
    pub expect: FileId,
    /// Whether the box may write to it.
    pub writable: bool,
    /// Parts of it that get another treatment, parents before children.
    pub inside: Vec<Inside>,
    /// Whether its owner is shown as the box's user when brig runs as root (an idmapped mount).
    /// False for the machine's own folders such as `/usr`.
    pub owned: bool,
}

/// Which file a path named when it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// A part of a bind that is treated apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// Relative to the bind's source, without `.`, `..` or links.
    pub path: PathBuf,
    /// How it is treated.
    pub treat: Treat,
}

/// How a part of a bind is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Treat {
    /// Covered: an empty, unreadable file or folder is seen instead.
    Mask,
    /// Seen, but read-only.
    ReadOnly,
    /// Bound onto itself so that it cannot be renamed away from above a treated part.
    Hold,
}

/// The program to run in the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The executable: an absolute path in the box, or a name to be found in the box's `PATH`.
    pub file: String,
    /// Arguments, the zeroth included.
    pub argv: Vec<String>,
    /// The whole environment; the box inherits nothing.
    pub env: Vec<(String, String)>,
    /// The working folder, an absolute path in the box.
    pub workdir: PathBuf,
}

/// Who the box's one user is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Never 0.
    pub uid: u32,
    /// Never 0.
    pub gid: u32,
}

/// A listening socket of the box, made by init before the program starts and passed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Always a loopback address of the box.
    pub address: std::net::SocketAddr,
    /// What it carries.
    pub transport: Transport,
}

/// The transport of a [`Door`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    /// A listening TCP socket.
    Tcp,
    /// A bound UDP socket.
    Udp,
}
