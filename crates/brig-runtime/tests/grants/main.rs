//! Grants of host folders, judged on real files: repositories made by Git, hard links, sockets,
//! mounts in namespaces of their own, and a box that is played by a shell.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops at the first thing that is not as it must be"
)]

mod arguments;
mod boxed;
mod fixture;
mod floor;
mod inside;
mod staged;
mod swept;
mod walls;
mod watched;
