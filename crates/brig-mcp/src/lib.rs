//! The bytes and messages of the Model Context Protocol, judged. No I/O, no clock, no async.
//!
//! Two threads of the relay carry a session, one in each direction. Each has a [`frame::Framer`],
//! which cuts the bytes that were read into lines, and a [`judge::Judge`], which says of each line
//! whether it goes on as it came. Both eras of the protocol are served: legacy (`initialize`, up to
//! 2025-11-25) and modern (2026-07-28, where each request stands alone).
//!
//! A message that two programs could read in two ways is refused; all others are forwarded as the
//! very bytes that were judged. Nothing here rewrites a message.
//!
//! ```
//! use brig_mcp::{frame::{Framer, Line}, judge::{Judge, Verdict}};
//!
//! let (mut from_client, _from_server) = Judge::pair();
//! let mut framer = Framer::new();
//! let input = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
//! framer.space()[..input.len()].copy_from_slice(input);
//! framer.filled(input.len());
//! while let Ok(Some(line)) = framer.next() {
//!     assert_eq!(from_client.judge(line), Verdict::Forward);
//!     assert_eq!(line.bytes(), input);
//! }
//! # assert!(matches!(from_client.judge(Line::new(b"no")), Verdict::Refuse(_)));
//! ```
#![forbid(unsafe_code)]

mod checks;
pub mod frame;
#[doc(hidden)]
pub mod fuzz;
pub mod judge;
mod message;
mod reply;
pub mod rule;
mod scan;
mod session;
pub mod stderr;

pub use scan::{BATCH_LIMIT, DEPTH_LIMIT};
pub use session::{Era, PENDING_LIMIT, Sender};
