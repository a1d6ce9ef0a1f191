//! The only way out of a box.
//!
//! A box has no network but its own loopback. Where a run needs one thing from outside, a listening
//! socket that was made *in* the box is served here, on the host, by a [`door`]: it reads what the box
//! asks for, [`decide`] says whether that was granted, and [`dial`] connects to what was decided and to
//! nothing else. The box never learns an address and never resolves a name.
//!
//! Today there is one door, the narrow one that package managers use: an HTTP proxy for an exact list of
//! `host:port`. It never follows redirects, never authenticates, and carries nothing that was not granted.
#![forbid(unsafe_code)]

pub mod decide;
pub mod dial;
pub mod door;
pub mod endpoint;
mod head;
mod hello;

#[doc(hidden)]
pub use head::fuzz_head;
#[doc(hidden)]
pub use hello::fuzz_hello;
