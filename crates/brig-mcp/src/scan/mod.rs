//! One pass over one line: JSON grammar, UTF-8, depth, repeated keys, and where the parts lie
//! that the judge needs.
//!
//! A walker of our own with an explicit stack rather than a parser that builds values: it allocates
//! nothing for an ordinary message, and refuses what parsers disagree about. Measured against
//! `serde_json` with a visitor that rejects repeated keys (`examples/measure.rs`).
//!
//! Faults are of two sorts. After most of them the walk goes on, so that the id of a refused
//! message is known and its sender gets an answer; only when the grammar itself is broken it stops.
//! Repeated keys are looked for in every object of a message, at every depth: a message that holds
//! one anywhere is read in two ways by somebody.

mod keys;
mod number;
mod outline;
mod text;
mod walk;

use crate::rule::Reason;
use number::Number;
use walk::{Scratch, Walk};

pub(crate) use outline::{Outline, Slot, Span};
pub(crate) use text::unescaped;
pub(crate) use walk::Top;
pub use walk::{BATCH_LIMIT, DEPTH_LIMIT};

/// Whether the bytes are a JSON string of printable ASCII without escapes.
pub(crate) fn is_plain_string(json: &[u8]) -> bool {
    json.len() > 1 && json[0] == b'"' && text::plain(json, 1) == json.len() - 1 && json.ends_with(b"\"")
}

/// Whether the bytes are a JSON number that all readers read alike.
pub(crate) fn is_number(json: &[u8]) -> bool {
    number::read(json, 0) == Number::Fine(json.len())
}

/// Walks lines. Holds only scratch memory, a few kilobytes between messages.
#[derive(Debug)]
pub(crate) struct Scanner {
    scratch: Scratch,
}

/// What was found out about one line.
#[derive(Debug)]
pub(crate) struct Scan<'s> {
    pub(crate) top: Top,
    /// The first fault, if any.
    pub(crate) fault: Option<Reason>,
    /// The first U+0000 inside a value: a fault in what a client sends, but ordinary in the
    /// content that a server read from somewhere.
    pub(crate) nul: Option<usize>,
    /// One for each message; what was known of them where the grammar broke.
    pub(crate) outlines: &'s [Outline],
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    /// Walks one line (without its end), of less than 4 GiB.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Scan<'_> {
        let Walk { top, fault, nul, .. } = Walk::over(bytes, &mut self.scratch);
        Scan { top, fault, nul, outlines: &self.scratch.outlines }
    }
}

#[cfg(test)]
mod tests;
