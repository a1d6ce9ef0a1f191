//! Entries for fuzzing: each feeds arbitrary bytes and panics when a promise is broken.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::frame::{FrameError, Framer, Line};
use crate::judge::{Judge, Refusal, Verdict};
use crate::stderr::Cleaner;

/// The limit used here, small enough for a fuzzer to reach.
const LIMIT: usize = 200;

/// Cuts the bytes into lines, whole and in pieces, and compares with the simplest program that
/// does the same.
pub fn fuzz_frames(bytes: &[u8]) {
    let (step, stream) = bytes.split_first().map_or((1, bytes), |(first, rest)| (usize::from(*first) + 1, rest));
    let whole = lines(stream, stream.len().max(1));
    assert_eq!(whole, lines(stream, step), "cutting the stream changed its lines");
    let simple: Vec<Vec<u8>> = stream
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.len() <= LIMIT)
        .filter(|line| !Line::new(line).text().iter().all(|byte| matches!(byte, b' ' | b'\t')))
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(whole, simple, "lines are not the bytes that came");

    let mut cleaned = Vec::new();
    Cleaner::clean("", stream, &mut cleaned);
    assert!(
        std::str::from_utf8(&cleaned)
            .is_ok_and(|text| { !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') })
    );
}

/// Judges the bytes as one line in both directions, in a session of each era.
pub fn fuzz_message(bytes: &[u8]) {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    for open in [&[][..], LEGACY] {
        let (mut client, mut server) = Judge::pair();
        for (n, opening) in open.iter().enumerate() {
            let judge = if n % 2 == 0 { &mut client } else { &mut server };
            assert_eq!(judge.judge(Line::new(opening)), Verdict::Forward, "an ordinary opening was refused");
        }
        for judge in [&mut client, &mut server] {
            match judge.judge(Line::new(line)) {
                Verdict::Forward => assert!(strict(line), "forwarded what serde_json refuses or reads twice"),
                Verdict::Refuse(refusal) => well_formed(&refusal),
            }
            let head = FrameError::TooLong { limit: LIMIT, head: line.to_vec() };
            let tail = FrameError::Resumed { bytes: 0, tail: line.to_vec() };
            for error in [head, tail] {
                let Verdict::Refuse(refusal) = judge.judge_overlong(&error) else {
                    panic!("an overlong line was forwarded")
                };
                well_formed(&refusal);
            }
        }
    }
}

/// A session that allows as much as any: requests open both ways, batches negotiated.
const LEGACY: &[&[u8]] = &[
    br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}"#,
    br#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26"}}"#,
    br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    br#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#,
    br#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#,
];

/// Whether serde_json reads the bytes, and no object in them holds a key twice. Shares no code
/// with the scanner: the measure of tests and of the benchmark.
#[must_use]
pub fn strict(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Strict>(bytes).is_ok()
}

fn lines(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut framer = Framer::with_limit(LIMIT);
    let mut out = Vec::new();
    for piece in stream.chunks(step) {
        let mut rest = piece;
        while !rest.is_empty() {
            let space = framer.space();
            let n = rest.len().min(space.len());
            space[..n].copy_from_slice(&rest[..n]);
            framer.filled(n);
            rest = &rest[n..];
            loop {
                match framer.next() {
                    Ok(Some(line)) => out.push(line.bytes().to_vec()),
                    Ok(None) => break,
                    Err(FrameError::TooLong { .. } | FrameError::Resumed { .. }) => {}
                }
            }
        }
    }
    if let Ok(Some(line)) = framer.finish() {
        out.push(line.bytes().to_vec());
    }
    out
}

/// What brig writes in its own name is one error or several, a line each.
fn well_formed(refusal: &Refusal) {
    for written in [&refusal.reply, &refusal.instead] {
        assert!(written.is_empty() || written.ends_with(b"\n"), "a reply without its end");
        for line in written.split_inclusive(|byte| *byte == b'\n') {
            assert!(strict(line), "a reply that is not strict JSON");
        }
    }
}

/// Any JSON value in which no object holds a key twice.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated keys")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key twice"));
            }
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_measure_itself() {
        assert!(strict(br#"{"a":{"b":1},"b":[{"b":1}]}"#));
        assert!(!strict(br#"{"a":{"b":1,"\u0062":2}}"#));
        assert!(!strict(b"{"));
    }

    proptest! {
        #[test]
        fn frames(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b' ')], 0..600)) {
            fuzz_frames(&bytes);
        }

        #[test]
        fn messages_made_of_pieces(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..24)) {
            fuzz_message(pieces.concat().as_bytes());
        }

        #[test]
        fn messages_with_a_byte_changed(which in 0..LEGACY.len(), at in any::<usize>(), byte in any::<u8>()) {
            let mut bytes = LEGACY[which].to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            fuzz_message(&bytes);
        }
    }

    /// Tokens from which chance builds near-messages.
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"jsonrpc\":\"2.0\"",
        "\"id\":1",
        "\"id\":\"a\"",
        "\"method\":\"ping\"",
        "\"result\":{}",
        "\"error\":{}",
        "\"params\":{",
        "\"arguments\":{",
        "\"a\":1",
        "\"a\"",
        "\"\\u0061\":1",
        "\"A\":1",
        "1e400",
        "1.5",
        "-0",
        "null",
        "true",
        "\\",
        "\"",
        "\\ud800",
        "\r",
        " ",
        "\u{202e}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}",
    ];
}
