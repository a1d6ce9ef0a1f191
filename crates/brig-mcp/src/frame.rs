//! Cuts a stream into lines: linear, bounded, byte-exact.
//!
//! The relay reads into [`Framer::space`], says how much came with [`Framer::filled`], and takes
//! whole lines from [`Framer::next`] until there is none. A [`Line`] borrows the very bytes that
//! were read: what is judged is what is forwarded, and nobody else can change it in between. Each
//! byte is looked at once for its line end, moved at most twice, and never copied out.
//!
//! A line ends with `\n`, which belongs to it, as does a `\r` before it. Lines without content
//! (nothing, spaces, tabs) are no messages: they are skipped and not forwarded. The framer never
//! judges content, and never does I/O.

use std::mem;

use thiserror::Error;

/// The longest line, its end included.
///
/// A client's attachments are base64 (4 bytes for 3) of at most some 50 MB; the largest message of
/// a public server seen so far is a 64 MiB test. More is a runaway server, and memory that two
/// directions of fifty sessions cannot hold.
pub const MESSAGE_LIMIT: usize = 80 * MIB;

/// Bytes kept of a line that is too long, from each of its ends: room for the id, which writers
/// put first or last.
pub const SAMPLE: usize = 1024;

const MIB: usize = 1024 * 1024;
/// What a framer holds when idle: one full pipe, so that one read empties it.
const IDLE: usize = 64 * 1024;
/// The middle size, kept between messages: most results fit, and a busy session allocates nothing.
const MIDDLE: usize = MIB;
/// The least room worth a system call.
const ROOM: usize = 4096;

/// Whole lines out of the bytes of a stream. See the module's text.
#[derive(Debug)]
pub struct Framer {
    /// Always initialised in full; its length is the room there is. It has one of three sizes, so
    /// that a large message is not moved again and again while it grows. The largest comes from
    /// the allocator as untouched zero pages: only what a message fills takes memory.
    buf: Vec<u8>,
    /// The first byte of the current line.
    start: usize,
    /// Bytes before this were searched for a line end.
    seen: usize,
    /// The first byte of free room.
    end: usize,
    limit: usize,
    flood: Option<Flood>,
}

/// A line that was too long and is being thrown away.
#[derive(Debug, Default)]
struct Flood {
    bytes: u64,
    tail: Vec<u8>,
}

/// One line, with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    bytes: &'a [u8],
}

/// What a stream did wrong. The framer goes on: call [`Framer::next`] again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The line is over the limit; what still comes of it is thrown away.
    #[error("a line of more than {limit} bytes, dropped up to its end")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
        /// The first [`SAMPLE`] bytes of the line.
        head: Vec<u8>,
    },
    /// The end of such a line was reached; the next line is whole again.
    #[error("the line that was too long ended after {bytes} bytes")]
    Resumed {
        /// Length of the whole line.
        bytes: u64,
        /// The last [`SAMPLE`] bytes of the line, without its end.
        tail: Vec<u8>,
    },
}

impl FrameError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TooLong { .. } => Some("send the content in parts, or as a resource link".to_owned()),
            Self::Resumed { .. } => None,
        }
    }
}

impl<'a> Line<'a> {
    /// A line of bytes that are at hand already, with or without its end. Only the first line of
    /// `bytes` may be there: a `\n` in the middle is refused as not JSON.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What is forwarded: every byte, the line's end included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What is judged: the bytes without `\n` or `\r\n`.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        let text = self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes);
        text.strip_suffix(b"\r").unwrap_or(text)
    }

    fn is_blank(&self) -> bool {
        self.text().iter().all(|byte| matches!(byte, b' ' | b'\t'))
    }
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// A framer for lines of at most [`MESSAGE_LIMIT`] bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(MESSAGE_LIMIT)
    }

    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { buf: vec![0; IDLE], start: 0, seen: 0, end: 0, limit, flood: None }
    }

    /// Room to read into; never empty. Take the whole lines out first ([`next`](Self::next) until
    /// `None`), or this grows to hold them all.
    pub fn space(&mut self) -> &mut [u8] {
        self.give_back();
        if self.room() < ROOM && self.start > 0 {
            self.move_to_front();
        }
        if self.room() < ROOM {
            let size = self.size_for(self.end + ROOM);
            self.resize(size);
        }
        &mut self.buf[self.end..]
    }

    /// Says that the first `read` bytes of [`space`](Self::space) were filled.
    pub fn filled(&mut self, read: usize) {
        debug_assert!(read <= self.room(), "more bytes than there was room for");
        self.end = self.end.saturating_add(read).min(self.buf.len());
    }

    /// The next whole line, `None` when more bytes are needed.
    ///
    /// # Errors
    /// A line over the limit, once when it is noticed and once when its end is found.
    #[expect(clippy::should_implement_trait, reason = "the line borrows the framer, which Iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<Line<'_>>, FrameError> {
        self.give_back();
        while let Some(found) = memchr::memchr(b'\n', &self.buf[self.seen..self.end]) {
            let (from, to) = (self.start, self.seen + found + 1);
            if self.flood.is_none() && to - from > self.limit {
                // Its end is here already, and is reported by the next call, as if it came later.
                self.flood = Some(Flood::default());
                return Err(FrameError::TooLong { limit: self.limit, head: sample_head(&self.buf[from..to]) });
            }
            self.start = to;
            self.seen = to;
            if let Some(flood) = self.flood.take() {
                return Err(flood.resumed(&self.buf[from..to]));
            }
            if !(Line { bytes: &self.buf[from..to] }).is_blank() {
                return Ok(Some(Line { bytes: &self.buf[from..to] }));
            }
        }
        self.seen = self.end;
        self.check_length().map(|()| None)
    }

    /// What is left when the stream ended: a last line without its end, if there is one. It is
    /// judged and forwarded like any other, as it came, without a line end added.
    ///
    /// # Errors
    /// The end of a line that was too long.
    pub fn finish(&mut self) -> Result<Option<Line<'_>>, FrameError> {
        let (from, to) = (self.start, self.end);
        self.start = to;
        self.seen = to;
        if let Some(flood) = self.flood.take() {
            return Err(flood.resumed(&self.buf[from..to]));
        }
        let line = Line { bytes: &self.buf[from..to] };
        Ok((!line.is_blank()).then_some(line))
    }

    /// Bytes of memory held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buf.capacity()
    }

    /// Notices a line that grew over the limit, and throws away what came of one.
    fn check_length(&mut self) -> Result<(), FrameError> {
        let rest = &self.buf[self.start..self.end];
        if let Some(flood) = &mut self.flood {
            flood.swallow(rest);
            self.start = self.end;
            return Ok(());
        }
        if rest.len() <= self.limit {
            return Ok(());
        }
        let head = sample_head(rest);
        let mut flood = Flood::default();
        flood.swallow(rest);
        self.flood = Some(flood);
        self.start = self.end;
        Err(FrameError::TooLong { limit: self.limit, head })
    }

    fn room(&self) -> usize {
        self.buf.len() - self.end
    }

    /// The smallest of the three sizes that holds `need`; more only for a caller that lets whole
    /// lines pile up.
    fn size_for(&self, need: usize) -> usize {
        let largest = self.limit + IDLE;
        [IDLE, MIDDLE, largest].into_iter().find(|size| *size >= need).unwrap_or(need + IDLE)
    }

    /// Lets the memory of a large message go once it was taken.
    fn give_back(&mut self) {
        if self.start == self.end {
            (self.start, self.seen, self.end) = (0, 0, 0);
        }
        let rest = self.end - self.start;
        if self.buf.len() > MIDDLE && rest <= MIDDLE / 2 {
            let size = self.size_for(rest + ROOM);
            self.resize(size);
        }
    }

    fn move_to_front(&mut self) {
        self.buf.copy_within(self.start..self.end, 0);
        self.rebase();
    }

    /// A buffer of another size, with the unread bytes at its front.
    fn resize(&mut self, size: usize) {
        let old = mem::replace(&mut self.buf, vec![0; size]);
        let rest = &old[self.start..self.end];
        self.buf[..rest.len()].copy_from_slice(rest);
        self.rebase();
    }

    fn rebase(&mut self) {
        self.seen -= self.start;
        self.end -= self.start;
        self.start = 0;
    }
}

impl Flood {
    fn swallow(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let keep = bytes.len().min(SAMPLE);
        self.tail.extend_from_slice(&bytes[bytes.len() - keep..]);
        let surplus = self.tail.len().saturating_sub(SAMPLE);
        self.tail.drain(..surplus);
    }

    fn resumed(mut self, rest: &[u8]) -> FrameError {
        // The line's end is taken off first, so that the tail is full of content.
        self.swallow(Line { bytes: rest }.text());
        self.bytes += (rest.len() - Line { bytes: rest }.text().len()) as u64;
        FrameError::Resumed { bytes: self.bytes, tail: self.tail }
    }
}

fn sample_head(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(SAMPLE)].to_vec()
}

#[cfg(test)]
mod tests;
