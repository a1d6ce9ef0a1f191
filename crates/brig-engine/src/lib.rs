//! Starts a program inside a locked box and hands its pipes out.
//!
//! An engine takes a [`launch::Launch`], in which nothing is left to decide, and never widens it.
//! This is the one crate with unsafe code, all of it in `sys.rs`.

mod breach;
pub mod cgroup;
mod handover;
pub mod launch;
pub mod native;
pub mod refusal;
pub mod seccomp;
pub mod signals;
mod sys;
pub mod walls;

#[doc(hidden)]
pub use handover::fuzz_handover;
