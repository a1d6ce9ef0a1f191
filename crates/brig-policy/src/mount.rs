//! The words of a mount: what is to appear where in the box, and whether it may be written.

/// One mount that a run asks for. Nothing in it has been judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// What is to appear.
    pub source: Source,
    /// Where it is to appear: an absolute path in the box, without `.` and `..`.
    pub target: String,
    /// Whether the box may write to it.
    pub access: Access,
}

/// Where the content of a mount comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file or folder of the host, as it was spelt (it may be relative to the working folder).
    Host(String),
    /// A named volume of brig's own store.
    Volume(String),
    /// Memory; `None` takes the default size.
    Tmpfs {
        /// Bytes.
        size: Option<u64>,
        /// Permission bits of the top folder.
        mode: Option<u32>,
    },
}

/// What the box may do with a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Nothing is written. The default, also where Docker's would be writing.
    #[default]
    ReadOnly,
    /// Writes reach the source at once.
    ReadWrite,
    /// Writes land beside the source and are applied when the box ends, after the filter.
    Staged,
}
