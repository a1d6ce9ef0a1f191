//! The walk over one string.

use super::super::text::{self, Escape};
use super::{Broken, Walk};
use crate::rule::Rule;

impl Walk<'_, '_> {
    /// Passes over the string at the current byte. True: it holds escapes.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<bool, Broken> {
        self.at = text::plain(self.bytes, self.at + 1);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(false);
        }
        self.rest_of_string()
    }

    /// From the first byte on that is not plain.
    #[inline(never)]
    fn rest_of_string(&mut self) -> Result<bool, Broken> {
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0x80..) => self.beyond_ascii(),
                Some(0..0x20) => {
                    self.fault(Rule::Control, self.at);
                    self.at += 1;
                }
                Some(_) => self.at = text::plain(self.bytes, self.at),
                None => return Err(Broken),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Broken> {
        // Nearly all escapes of real text are these.
        if let Some(b'n' | b'"' | b'\\' | b't' | b'r' | b'/') = self.bytes.get(self.at + 1) {
            self.at += 2;
            return Ok(());
        }
        match text::escape(self.bytes, self.at) {
            Escape::Char('\0', length) => {
                self.nul_in_string.get_or_insert(self.at);
                self.at += length;
            }
            Escape::Char(_, length) => self.at += length,
            Escape::Surrogate => {
                self.fault(Rule::Surrogate, self.at);
                self.at += 6;
            }
            Escape::Unknown => return Err(Broken),
        }
        Ok(())
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
}
