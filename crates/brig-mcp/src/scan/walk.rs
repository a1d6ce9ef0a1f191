//! The walk over one line: each byte once, an explicit stack, no recursion.

use super::keys::Keys;
use super::number::{self, Number};
use super::outline::{Named, Outline, Role, Slot, Span};
use super::text::{self, Escape, unescaped};
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
    frames: Vec<Frame>,
    pub(super) keys: Keys,
    /// One for each message that was closed.
    pub(super) outlines: Vec<Outline>,
}

/// An object or array that is open.
#[derive(Debug, Clone, Copy)]
struct Frame {
    role: Role,
    object: bool,
    /// What the current member is, and where its value began.
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
    scratch: &'s mut Scratch,
    outline: Outline,
    pub(super) top: Top,
    /// The first fault.
    pub(super) fault: Option<Reason>,
    /// The first U+0000 in a value.
    pub(super) nul: Option<usize>,
    batch_members: usize,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            frames: Vec::with_capacity(DEPTH_LIMIT),
            keys: Keys::new(),
            outlines: Vec::new(),
        }
    }

    /// Empties it, and lets the memory go that one large message needed.
    fn give_back(&mut self) {
        self.frames.clear();
        self.keys.give_back();
        self.outlines.clear();
        self.outlines.shrink_to(1);
    }
}

impl<'a, 's> Walk<'a, 's> {
    /// Walks the whole line. The outlines are in the scratch afterwards.
    pub(super) fn over(bytes: &'a [u8], scratch: &'s mut Scratch) -> Self {
        scratch.give_back();
        let mut walk = Self {
            bytes,
            at: 0,
            scratch,
            outline: Outline::default(),
            top: Top::Other,
            fault: None,
            nul: None,
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
            if self
                .scratch
                .frames
                .iter()
                .any(|frame| frame.role == Role::Envelope)
            {
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
                self.ended();
                self.space();
                let Some(top) = self.scratch.frames.last() else {
                    return if self.at == self.bytes.len() {
                        Ok(())
                    } else {
                        Err(Broken)
                    };
                };
                let object = top.object;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.space();
                        self.member(object)?;
                        break;
                    }
                    Some(b'}') if object => self.close(),
                    Some(b']') if !object => self.close(),
                    _ => return Err(Broken),
                }
            }
        }
    }

    /// Begins the value at the current byte. True: a container was opened, and the current byte is
    /// the first of its first value.
    fn begin(&mut self) -> Result<bool, Broken> {
        match self.peek() {
            Some(b'"') => {
                if let Some(at) = self.string()?.nul {
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

    fn open(&mut self, object: bool) -> Result<bool, Broken> {
        if self.scratch.frames.len() == DEPTH_LIMIT {
            self.fault(Rule::TooDeep, self.at);
            return self.skip().map(|()| false);
        }
        let role = match self.scratch.frames.last() {
            Some(parent) => parent.role.child(parent.slot, object),
            None if object => Role::Envelope,
            None => Role::Batch,
        };
        if role == Role::Envelope {
            self.outline = Outline::default();
        }
        let first = narrow(self.scratch.keys.len());
        self.at += 1;
        self.scratch.frames.push(Frame {
            role,
            object,
            slot: None,
            value: 0,
            first,
        });
        self.space();
        if self.peek() == Some(if object { b'}' } else { b']' }) {
            self.close();
            return Ok(false);
        }
        self.member(object)?;
        Ok(true)
    }

    /// Goes to the value of the next member: over its key in an object, nowhere in an array.
    fn member(&mut self, object: bool) -> Result<(), Broken> {
        if object {
            return self.key();
        }
        if self
            .scratch
            .frames
            .last()
            .is_some_and(|frame| frame.role == Role::Batch)
        {
            self.batch_members += 1;
            if self.batch_members > BATCH_LIMIT {
                self.fault(Rule::LongBatch, self.at);
            }
        }
        Ok(())
    }

    fn key(&mut self) -> Result<(), Broken> {
        if self.peek() != Some(b'"') {
            return Err(Broken);
        }
        let inside = self.at + 1;
        let found = self.string()?;
        if let Some(at) = found.nul {
            self.fault(Rule::Nul, at);
        }
        let raw = &self.bytes[inside..self.at - 1];
        let Some(frame) = self.scratch.frames.last().copied() else {
            return Err(Broken);
        };
        let slot = if frame.role == Role::Other && !found.escaped {
            self.remember(frame, inside, raw);
            None
        } else {
            self.named(frame, inside, raw)
        };
        self.space();
        if self.peek() != Some(b':') {
            return Err(Broken);
        }
        self.at += 1;
        self.space();
        let value = narrow(self.at);
        if let Some(frame) = self.scratch.frames.last_mut() {
            frame.slot = slot;
            frame.value = value;
        }
        Ok(())
    }

    /// A key that needs unescaping or may have a meaning.
    fn named(&mut self, frame: Frame, inside: usize, raw: &[u8]) -> Option<Slot> {
        let key = unescaped(raw);
        let folded = text::folded(&key);
        self.remember(
            frame,
            inside,
            if frame.role.ignores_case() {
                &folded
            } else {
                &key
            },
        );
        match frame.role.name(&key, &folded) {
            Named::Exact(slot) => Some(slot),
            Named::Respelt => {
                self.fault(Rule::KeySpelling, inside - 1);
                None
            }
            Named::Unknown => None,
        }
    }

    /// Notes a key for the search of repeated ones. After a fault the message is refused anyway.
    fn remember(&mut self, frame: Frame, inside: usize, content: &[u8]) {
        if self.fault.is_none()
            && self
                .scratch
                .keys
                .push(frame.first as usize, narrow(inside), content)
        {
            self.check_keys(frame);
        }
    }

    fn check_keys(&mut self, frame: Frame) {
        if self.fault.is_some() {
            return;
        }
        let fold = frame.role.ignores_case();
        if let Some(twice) = self
            .scratch
            .keys
            .twice(frame.first as usize, self.bytes, fold)
        {
            self.fault(
                if twice.exactly {
                    Rule::DuplicateKey
                } else {
                    Rule::KeySpelling
                },
                twice.at,
            );
        }
    }

    /// Closes the innermost container at its last byte.
    fn close(&mut self) {
        self.at += 1;
        let Some(frame) = self.scratch.frames.pop() else {
            return;
        };
        if frame.object {
            self.check_keys(frame);
            self.scratch.keys.truncate(frame.first as usize);
        }
        if frame.role == Role::Batch && self.batch_members == 0 {
            self.fault(Rule::EmptyBatch, self.at - 1);
        }
        if frame.role == Role::Envelope && self.scratch.outlines.len() < BATCH_LIMIT {
            self.scratch.outlines.push(self.outline);
        }
    }

    /// A value ended at the current byte: remembers where it lay, if it has a meaning.
    fn ended(&mut self) {
        if let Some(Frame {
            slot: Some(slot),
            value,
            ..
        }) = self.scratch.frames.last().copied()
        {
            self.outline.set(
                slot,
                Span {
                    from: value,
                    to: narrow(self.at),
                },
            );
            if let Some(frame) = self.scratch.frames.last_mut() {
                frame.slot = None;
            }
        }
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

    fn literal(&mut self, literal: &[u8]) -> Result<(), Broken> {
        if !self.bytes[self.at..].starts_with(literal) {
            return Err(Broken);
        }
        self.at += literal.len();
        Ok(())
    }

    /// Passes over the string at the current byte.
    fn string(&mut self) -> Result<StringFound, Broken> {
        let mut found = StringFound {
            escaped: false,
            nul: None,
        };
        self.at += 1;
        loop {
            self.at = text::plain(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(found);
                }
                Some(b'\\') => {
                    found.escaped = true;
                    match text::escape(self.bytes, self.at) {
                        Escape::Char('\0', _) => {
                            found.nul.get_or_insert(self.at);
                            self.at += 6;
                        }
                        Escape::Char(_, length) => self.at += length,
                        Escape::Surrogate => {
                            self.fault(Rule::Surrogate, self.at);
                            self.at += 6;
                        }
                        Escape::Unknown => return Err(Broken),
                    }
                }
                Some(0x80..) => self.beyond_ascii(),
                Some(_) => {
                    self.fault(Rule::Control, self.at);
                    self.at += 1;
                }
                None => return Err(Broken),
            }
        }
    }

    fn beyond_ascii(&mut self) {
        while self.peek().is_some_and(|byte| byte >= 0x80) {
            match text::sequence(self.bytes, self.at) {
                Some(length) => self.at += length,
                None => {
                    self.fault(Rule::Utf8, self.at);
                    self.at += 1;
                }
            }
        }
    }

    #[inline]
    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r')) = self.peek() {
            if byte == b'\r' {
                self.fault(Rule::CarriageReturn, self.at);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn fault(&mut self, rule: Rule, at: usize) {
        self.fault.get_or_insert(Reason { rule, at: Some(at) });
    }
}

/// What a string held besides characters.
struct StringFound {
    escaped: bool,
    nul: Option<usize>,
}

/// An offset in a line: lines are below 4 GiB, as [`MESSAGE_LIMIT`](crate::frame::MESSAGE_LIMIT) says.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
