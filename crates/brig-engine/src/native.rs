//! The native engine: namespaces made by brig itself, without a daemon, a setuid helper or root.
//!
//! Three processes take part. *brig* starts a *helper*: its own binary again, with a single thread,
//! which makes the namespaces and the root, starts *init* as pid 1 and ends. Init is brig's child
//! (`CLONE_PARENT`), so that the kernel kills it when brig dies; it locks itself down, starts the
//! program, reaps, forwards signals and tells how it ended.

mod doors;
mod files;
mod helper;
mod init;
mod mounts;
mod root;
mod sources;
mod start;

pub use helper::run as helper_main;
pub use start::{BoxEvent, Helper, Pipes, Ready, Running, StartError};

/// The hidden first argument that makes brig's binary the helper.
pub const HELPER_ARG: &str = "__box";
