//! The bytes and messages of the Model Context Protocol, judged. No I/O.
#![forbid(unsafe_code)]

pub mod frame;
pub mod stderr;
