//! The walk over one line: each byte once, an explicit stack, no recursion.
//!
//! The innermost container is kept apart from the stack of those around it: nearly every step asks
//! for it and nothing else.

mod string;

use super::keys::{Grown, Keys};
use super::number::{self, Number};
use super::outline::{Named, Outline, Role, Slot, Span};
use super::text;
use crate::rule::{Reason, Rule};

/// Levels of objects and arrays. `serde_json` stops at 127, System.Text.Json at 64, Python near
/// 1000; real schemas stay below 30. What is deeper is read by one reader and refused by the next.
pub const DEPTH_LIMIT: usize = 100;

/// Messages in one batch. Clients of 2025-03-26 sent a handful.
pub const BATCH_LIMIT: usize = 1000;

/// What a line is at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Top {
    /// One message.
    Message,
    /// An array of messages.
    Batch,
    /// Something else that is JSON, or no JSON at all.
    Other,
}

/// What a walk writes on; kept from line to line, so that an ordinary one allocates nothing.
#[derive(Debug)]
pub(super) struct Scratch {
    /// What is around the innermost container.
    around: Vec<Frame>,
    pub(super) keys: Keys,
    /// One for each message that was closed.
    pub(super) outlines: Vec<Outline>,
}

/// An object or array that is open, or the line around them.
#[derive(Debug, Clone, Copy)]
struct Frame {
    role: Role,
    object: bool,
    /// What the current member is, if it is to be remembered, and where its value began.
    slot: Option<Slot>,
    value: u32,
    /// Its first key in [`Keys`].
    first: u32,
}

/// The grammar is broken at the current byte: no going on.
struct Broken;

/// One walk.
pub(super) struct Walk<'a, 's> {
    bytes: &'a [u8],
    at: usize,
    here: Frame,
    scratch: &'s mut Scratch,
    outline: Outline,
    pub(super) top: Top,
    /// The first fault.
    pub(super) fault: Option<Reason>,
    /// The first U+0000 in a value.
    pub(super) nul: Option<usize>,
    /// The first U+0000 in the string that was walked last.
    nul_in_string: Option<usize>,
    batch_members: usize,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { around: Vec::with_capacity(DEPTH_LIMIT), keys: Keys::new(), outlines: Vec::new() }
    }

    /// Empties it, and lets the memory go that one large message needed.
    fn give_back(&mut self) {
        self.around.clear();
        self.keys.give_back();
        self.outlines.clear();
        self.outlines.shrink_to(1);
    }
}

impl Frame {
    const LINE: Self = Self { role: Role::Line, object: false, slot: None, value: 0, first: 0 };
}

impl<'a, 's> Walk<'a, 's> {
    /// Walks the whole line. The outlines are in the scratch afterwards.
    pub(super) fn over(bytes: &'a [u8], scratch: &'s mut Scratch) -> Self {
        scratch.give_back();
        let mut walk = Self {
            bytes,
            at: 0,
            here: Frame::LINE,
            scratch,
            outline: Outline::default(),
            top: Top::Other,
            fault: None,
            nul: None,
            nul_in_string: None,
            batch_members: 0,
        };
        walk.line();
        walk.scratch.keys.give_back();
        walk
    }

    fn line(&mut self) {
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.fault(Rule::ByteOrderMark, 0);
            self.at = 3;
        }
        self.space();
        self.top = match self.peek() {
            Some(b'{') => Top::Message,
            Some(b'[') => Top::Batch,
            _ => Top::Other,
        };
        if self.values().is_err() {
            self.fault(Rule::NotJson, self.at);
            // What was known of a message that breaks off may still name its id.
            let mut open = self.scratch.around.iter().chain([&self.here]);
            if open.any(|frame| frame.role == Role::Envelope) {
                self.scratch.outlines.push(self.outline);
            }
        }
        if self.top == Top::Batch && self.batch_members != self.scratch.outlines.len() {
            self.fault(Rule::NotJsonRpc, 0);
        }
    }

    /// The whole tree, without recursion: each turn begins one value and closes what it ends.
    fn values(&mut self) -> Result<(), Broken> {
        loop {
            if self.begin()? {
                continue;
            }
            loop {
                if let Some(slot) = self.here.slot.take() {
                    self.outline.set(slot, Span { from: self.here.value, to: narrow(self.at) });
                }
                self.space();
                match self.peek() {
                    None if self.here.role == Role::Line => return Ok(()),
                    Some(b',') if self.here.role != Role::Line => {
                        self.at += 1;
                        self.space();
                        self.member()?;
                        break;
                    }
                    Some(b'}') if self.here.object => self.close(),
                    Some(b']') if !self.here.object && self.here.role != Role::Line => self.close(),
                    _ => return Err(Broken),
                }
            }
        }
    }

    /// Begins the value at the current byte. True: a container was opened, and the current byte is
    /// the first of its first value.
    #[inline(always)]
    fn begin(&mut self) -> Result<bool, Broken> {
        match self.peek() {
            Some(b'"') => {
                let escaped = self.string()?;
                if escaped && let Some(at) = self.nul_in_string.take() {
                    self.nul.get_or_insert(at);
                }
            }
            Some(b'{') => return self.open(true),
            Some(b'[') => return self.open(false),
            Some(b'-' | b'0'..=b'9') => match number::read(self.bytes, self.at) {
                Number::Fine(end) => self.at = end,
                Number::Huge(end) => {
                    self.fault(Rule::HugeNumber, self.at);
                    self.at = end;
                }
                Number::Broken => return Err(Broken),
            },
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => return Err(Broken),
        }
        Ok(false)
    }

    #[inline]
    fn open(&mut self, object: bool) -> Result<bool, Broken> {
        if self.scratch.around.len() == DEPTH_LIMIT {
            self.fault(Rule::TooDeep, self.at);
            return self.skip().map(|()| false);
        }
        let role = self.here.role.child(self.here.slot, object);
        if role == Role::Envelope {
            self.outline = Outline::default();
        }
        let first = narrow(self.scratch.keys.len());
        self.scratch.around.push(self.here);
        self.here = Frame { role, object, slot: None, value: 0, first };
        self.at += 1;
        self.space();
        if self.peek() == Some(if object { b'}' } else { b']' }) {
            self.close();
            return Ok(false);
        }
        self.member()?;
        Ok(true)
    }

    /// Goes to the value of the next member: over its key in an object, nowhere in an array.
    #[inline(always)]
    fn member(&mut self) -> Result<(), Broken> {
        if self.here.object {
            return self.key();
        }
        if self.here.role == Role::Batch {
            self.batch_members += 1;
            if self.batch_members > BATCH_LIMIT {
                self.fault(Rule::LongBatch, self.at);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn key(&mut self) -> Result<(), Broken> {
        if self.peek() != Some(b'"') {
            return Err(Broken);
        }
        let inside = self.at + 1;
        let escaped = self.string()?;
        let slot = if escaped || self.here.role != Role::Other {
            self.named(inside)
        } else {
            self.remember(inside, &self.bytes[inside..self.at - 1]);
            None
        };
        self.space();
        if self.peek() != Some(b':') {
            return Err(Broken);
        }
        self.at += 1;
        self.space();
        if slot.is_some() {
            self.here.slot = slot;
            self.here.value = narrow(self.at);
        }
        Ok(())
    }

    /// A key that needs unescaping or may have a meaning; it was just walked over.
    #[inline(never)]
    fn named(&mut self, inside: usize) -> Option<Slot> {
        if let Some(at) = self.nul_in_string.take() {
            self.fault(Rule::Nul, at);
        }
        let key = text::unescaped(&self.bytes[inside..self.at - 1]);
        let role = self.here.role;
        if role == Role::Other {
            self.remember(inside, &key);
            return None;
        }
        let folded = text::folded(&key);
        self.remember(inside, if role.ignores_case() { &folded } else { &key });
        match role.name(&key, &folded) {
            Named::Exact(slot) => Some(slot),
            Named::Respelt => {
                self.fault(Rule::KeySpelling, inside - 1);
                None
            }
            Named::Unknown => None,
        }
    }

    /// Notes a key for the search of repeated ones. After a fault the message is refused anyway.
    #[inline(always)]
    fn remember(&mut self, inside: usize, content: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        let (keys, first) = (&mut self.scratch.keys, self.here.first as usize);
        match keys.push(first, narrow(inside), content) {
            Grown::Little => {}
            Grown::Large => keys.rehash(first, self.bytes, self.here.role.ignores_case()),
            Grown::Due => self.check_keys(),
        }
    }

    #[inline(always)]
    fn check_keys(&mut self) {
        if self.fault.is_some() {
            return;
        }
        let (first, fold) = (self.here.first as usize, self.here.role.ignores_case());
        if let Some(twice) = self.scratch.keys.twice(first, self.bytes, fold) {
            let rule = if twice.exactly { Rule::DuplicateKey } else { Rule::KeySpelling };
            self.fault(rule, twice.at);
        }
    }

    /// Closes the innermost container at its last byte.
    #[inline(always)]
    fn close(&mut self) {
        self.at += 1;
        if self.here.object {
            self.check_keys();
            self.scratch.keys.truncate(self.here.first as usize);
        }
        match self.here.role {
            Role::Batch if self.batch_members == 0 => self.fault(Rule::EmptyBatch, self.at - 1),
            Role::Envelope if self.scratch.outlines.len() < BATCH_LIMIT => {
                self.scratch.outlines.push(self.outline);
            }
            _ => {}
        }
        self.here = self.scratch.around.pop().unwrap_or(Frame::LINE);
    }

    /// Passes over a container that is too deep, looking at no more than brackets and strings.
    fn skip(&mut self) -> Result<(), Broken> {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth -= 1,
                Some(_) => {}
                None => return Err(Broken),
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    #[inline(always)]
    fn literal(&mut self, literal: &[u8]) -> Result<(), Broken> {
        if !self.bytes[self.at..].starts_with(literal) {
            return Err(Broken);
        }
        self.at += literal.len();
        Ok(())
    }

    #[inline(always)]
    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r')) = self.peek() {
            if byte == b'\r' {
                self.fault(Rule::CarriageReturn, self.at);
            }
            self.at += 1;
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn fault(&mut self, rule: Rule, at: usize) {
        self.fault.get_or_insert(Reason { rule, at: Some(at) });
    }
}

/// An offset in a line: lines are below 4 GiB, as [`MESSAGE_LIMIT`](crate::frame::MESSAGE_LIMIT) says.
#[inline]
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
