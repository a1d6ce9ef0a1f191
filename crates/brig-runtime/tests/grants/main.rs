//! Grants of host folders, judged on real files: repositories made by Git, hard links, sockets,
//! mounts in namespaces of their own, and a box that is played by a shell.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it must be"
)]

mod fixture;
mod floor;
mod inside;
