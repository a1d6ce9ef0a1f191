//! The inside of JSON strings: plain bytes skipped in blocks, UTF-8 and escapes checked, keys
//! unescaped and folded.

use std::borrow::Cow;

/// Bytes looked at together in a long string. The compiler makes vector comparisons of the test.
const BLOCK: usize = 32;

/// The first byte from `at` on that is not plain: a quote, a backslash, a control character, or
/// the start of a sequence beyond ASCII; the length of `bytes` when there is none.
#[inline(always)]
pub(super) fn plain(bytes: &[u8], at: usize) -> usize {
    // Most strings are short: one word decides.
    if let Some(word) = word(bytes, at) {
        let special = specials(word);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
    }
    plain_long(bytes, at)
}

#[inline(never)]
fn plain_long(bytes: &[u8], mut at: usize) -> usize {
    at = plain_blocks(bytes, at);
    while let Some(word) = word(bytes, at) {
        let special = specials(word);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !is_special(*byte)) {
        at += 1;
    }
    at
}

/// Passes over whole blocks of plain bytes.
fn plain_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..at + BLOCK) {
        if block.iter().fold(false, |special, byte| special | is_special(*byte)) {
            break;
        }
        at += BLOCK;
    }
    at
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// A word whose lowest set bit lies in its first special byte; 0 when none is special. The usual
/// trick for a zero byte, `(x - 1) & !x`, which errs only above the first hit.
#[inline(always)]
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let below = |x: u64, n: u64| x.wrapping_sub(ONES * n) & !x;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (word | below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | !matches!(byte, 0x20..0x80)
}

/// The length of the UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates, nothing
/// above U+10FFFF); `None` when there is no valid one.
pub(super) fn sequence(bytes: &[u8], at: usize) -> Option<usize> {
    let continues = |n: usize| bytes.get(at + n).is_some_and(|byte| byte & 0xc0 == 0x80);
    let second = *bytes.get(at + 1)?;
    match *bytes.get(at)? {
        0xc2..=0xdf => continues(1).then_some(2),
        0xe0 => ((0xa0..=0xbf).contains(&second) && continues(2)).then_some(3),
        0xed => ((0x80..=0x9f).contains(&second) && continues(2)).then_some(3),
        0xe1..=0xef => (continues(1) && continues(2)).then_some(3),
        0xf0 => ((0x90..=0xbf).contains(&second) && continues(2) && continues(3)).then_some(4),
        0xf1..=0xf3 => (continues(1) && continues(2) && continues(3)).then_some(4),
        0xf4 => ((0x80..=0x8f).contains(&second) && continues(2) && continues(3)).then_some(4),
        _ => None,
    }
}

/// One escape sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// A character, and the length of its escape.
    Char(char, usize),
    /// Half of a surrogate pair; six bytes.
    Surrogate,
    /// None that JSON knows.
    Unknown,
}

/// Reads the escape whose backslash stands at `at`.
pub(super) fn escape(bytes: &[u8], at: usize) -> Escape {
    let char = match bytes.get(at + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes, at),
        _ => return Escape::Unknown,
    };
    Escape::Char(char, 2)
}

fn unicode(bytes: &[u8], at: usize) -> Escape {
    let Some(unit) = hex(bytes, at + 2) else {
        return Escape::Unknown;
    };
    if let Some(char) = char::from_u32(unit) {
        return Escape::Char(char, 6);
    }
    let low =
        (bytes.get(at + 6) == Some(&b'\\') && bytes.get(at + 7) == Some(&b'u')).then(|| hex(bytes, at + 8)).flatten();
    match (unit, low) {
        (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            char::from_u32(code).map_or(Escape::Surrogate, |char| Escape::Char(char, 12))
        }
        _ => Escape::Surrogate,
    }
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |value, byte| Some(value << 4 | char::from(*byte).to_digit(16)?))
}

/// The content of a string's inside (the bytes between its quotes), escapes resolved. Strings
/// with faults come out in some form or other: they are refused for their faults.
pub(crate) fn unescaped(inside: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(byte) = inside.get(at) {
        if *byte != b'\\' {
            out.push(*byte);
            at += 1;
            continue;
        }
        match escape(inside, at) {
            Escape::Char(char, length) => {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
            }
            Escape::Surrogate => {
                out.extend_from_slice(&inside[at..at + 6]);
                at += 6;
            }
            Escape::Unknown => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

/// `key` without case, as readers do that ignore it: Go folds by Unicode's simple rules, so that
/// the long s (U+017F) is an s and the Kelvin sign (U+212A) a k.
pub(super) fn folded(key: &[u8]) -> Cow<'_, [u8]> {
    if key.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let text = String::from_utf8_lossy(key);
    Cow::Owned(text.chars().map(fold).collect::<String>().into_bytes())
}

fn fold(char: char) -> char {
    let upper = single(char.to_uppercase()).unwrap_or(char);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next();
    if chars.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_fold_as_gos_reader_folds_them() {
        for (key, expected) in
            [("Method", "method"), ("met\u{212a}od", "metkod"), ("param\u{17f}", "params"), ("ÄÖ", "äö")]
        {
            assert_eq!(folded(key.as_bytes()).as_ref(), expected.as_bytes(), "{key}");
        }
        // No simple folding exists for the sharp s, and the capital one folds to it.
        assert_eq!(folded("ß".as_bytes()).as_ref(), "ß".as_bytes());
    }

    #[test]
    fn escapes() {
        for (text, expected) in [
            (r"\u0041", Escape::Char('A', 6)),
            (r"\ud83d\ude00", Escape::Char('😀', 12)),
            (r"\uD83D\uDE00", Escape::Char('😀', 12)),
            (r"\ud83d", Escape::Surrogate),
            (r"\ud83dx", Escape::Surrogate),
            (r"\ud83d\u0041", Escape::Surrogate),
            (r"\ude00\ud83d", Escape::Surrogate),
            (r"\/", Escape::Char('/', 2)),
            (r"\u00g0", Escape::Unknown),
            (r"\u+041", Escape::Unknown),
            (r"\u004", Escape::Unknown),
            (r"\x41", Escape::Unknown),
            (r"\", Escape::Unknown),
        ] {
            assert_eq!(escape(text.as_bytes(), 0), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn sequences_are_what_the_standard_library_takes(bytes in proptest::collection::vec(any::<u8>(), 1..6)) {
            let ours = if bytes[0] < 0x80 { Some(1) } else { sequence(&bytes, 0) };
            let theirs = (1..=4).find(|n| bytes.get(..*n).is_some_and(|b| std::str::from_utf8(b).is_ok()));
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn unescaping_is_what_serde_json_does(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            let inside = &written.as_bytes()[1..written.len() - 1];
            let ours = unescaped(inside);
            prop_assert_eq!(ours.as_ref(), text.as_bytes());
        }

        #[test]
        fn plain_stops_at_the_first_special_byte(bytes in proptest::collection::vec(any::<u8>(), 0..70), from in 0usize..70) {
            let from = from.min(bytes.len());
            let expected = bytes[from..].iter().position(|b| is_special(*b)).map_or(bytes.len(), |n| from + n);
            prop_assert_eq!(plain(&bytes, from), expected);
        }
    }
}
