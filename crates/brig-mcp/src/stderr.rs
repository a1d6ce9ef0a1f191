//! Makes a server's stderr harmless to show.
//!
//! Whatever could move the cursor, change the terminal, reorder or hide text, or pass for another
//! line is written out as an escape (`\x1b`, `\u{202e}`), so it is seen and does nothing. Lines
//! are bounded, and each carries a mark of where it came from. What is plain text, in any script,
//! stays as it is.

/// The longest line shown, in bytes, the mark apart; the rest of a longer one is counted and left
/// out. A stack frame of a bundled script is some 300, a JSON log line 2000.
pub const LINE_LIMIT: usize = 4096;

/// Cleans a stream piece by piece. Holds at most one line.
#[derive(Debug)]
pub struct Cleaner {
    prefix: String,
    line: String,
    /// Bytes of this line that were left out.
    left_out: u64,
    /// The beginning of a UTF-8 sequence whose rest has not come yet.
    partial: Vec<u8>,
    /// A carriage return came last: part of the line's end if `\n` follows.
    carriage: bool,
}

impl Cleaner {
    /// A cleaner that begins each line with `prefix`, as it is.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), line: String::new(), left_out: 0, partial: Vec::new(), carriage: false }
    }

    /// Takes the next bytes of the stream, and appends each line that is complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let joined;
        let bytes = if self.partial.is_empty() {
            bytes
        } else {
            self.partial.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.partial);
            &joined
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let (good, bad) = match std::str::from_utf8(rest) {
                Ok(text) => (text, 0),
                Err(error) => {
                    let good = std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
                    match error.error_len() {
                        Some(length) => (good, length),
                        None => {
                            self.text(good, out);
                            self.partial = rest[good.len()..].to_vec();
                            return;
                        }
                    }
                }
            };
            self.text(good, out);
            self.bytes(&rest[good.len()..good.len() + bad]);
            rest = &rest[good.len() + bad..];
        }
    }

    /// The stream ended: appends what is left of its last line.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let partial = std::mem::take(&mut self.partial);
        self.bytes(&partial);
        self.carriage = false;
        if !self.line.is_empty() || self.left_out > 0 {
            self.end_line(out);
        }
    }

    /// Whole bytes at once: for a line of another stream, such as stdout, that is to be shown.
    pub fn clean(prefix: &str, bytes: &[u8], out: &mut Vec<u8>) {
        let mut cleaner = Self::new(prefix);
        cleaner.push(bytes, out);
        cleaner.finish(out);
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        for char in text.chars() {
            if char == '\n' {
                self.carriage = false;
                self.end_line(out);
                continue;
            }
            self.flush_carriage();
            match char {
                '\r' => self.carriage = true,
                char if char.is_ascii_control() && char != '\t' => self.add(&format!("\\x{:02x}", u32::from(char))),
                char if is_harmful(char) => self.add(&format!("\\u{{{:x}}}", u32::from(char))),
                char => self.add(char.encode_utf8(&mut [0; 4])),
            }
        }
    }

    /// Bytes that are no text.
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.flush_carriage();
            self.add(&format!("\\x{byte:02x}"));
        }
    }

    /// A carriage return that ends no line would let the rest overwrite what stands before it.
    fn flush_carriage(&mut self) {
        if std::mem::take(&mut self.carriage) {
            self.add("\\r");
        }
    }

    fn add(&mut self, piece: &str) {
        // Once something was left out, all that follows is: a line has one gap, at its end.
        if self.left_out > 0 || self.line.len() + piece.len() > LINE_LIMIT {
            self.left_out += piece.len() as u64;
        } else {
            self.line.push_str(piece);
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        out.extend_from_slice(self.line.as_bytes());
        if self.left_out > 0 {
            out.extend_from_slice(format!(" … ({} bytes left out)", self.left_out).as_bytes());
        }
        out.push(b'\n');
        self.line.clear();
        self.left_out = 0;
    }
}

/// Characters beyond ASCII that control, reorder or hide, each range with its reason.
const HARMFUL: &[(char, char, &str)] = &[
    ('\u{80}', '\u{9f}', "C1 controls: a terminal may read U+009B as the start of a sequence"),
    ('\u{ad}', '\u{ad}', "soft hyphen: invisible"),
    ('\u{34f}', '\u{34f}', "combining grapheme joiner: invisible"),
    ('\u{61c}', '\u{61c}', "Arabic letter mark: changes direction"),
    ('\u{115f}', '\u{1160}', "Hangul fillers: invisible"),
    ('\u{17b4}', '\u{17b5}', "Khmer inherent vowels: invisible"),
    ('\u{180b}', '\u{180f}', "Mongolian selectors and separator: invisible"),
    ('\u{200b}', '\u{200f}', "zero width, and marks of direction"),
    ('\u{2028}', '\u{202e}', "line and paragraph separators, embeddings and overrides of direction"),
    ('\u{2060}', '\u{206f}', "joiners, invisible operators, isolates of direction, old format controls"),
    ('\u{3164}', '\u{3164}', "Hangul filler: invisible"),
    ('\u{feff}', '\u{feff}', "zero width no-break space, the byte order mark"),
    ('\u{ffa0}', '\u{ffa0}', "half width Hangul filler: invisible"),
    ('\u{fff9}', '\u{fffb}', "interlinear annotation: hides text"),
    ('\u{1d173}', '\u{1d17a}', "musical format controls: invisible"),
    ('\u{e0000}', '\u{e0fff}', "tag characters and selectors: a whole hidden text fits into them"),
];

fn is_harmful(char: char) -> bool {
    char >= '\u{80}' && HARMFUL.iter().any(|(from, to, _)| (*from..=*to).contains(&char))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        Cleaner::clean("> ", bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_text_of_any_script_stays() {
        for text in ["hello\tworld", "grüße", "日本語", "שלום", "🙂", "\\x1b in words"] {
            assert_eq!(clean(text.as_bytes()), format!("> {text}\n"));
        }
    }

    #[test]
    fn what_acts_on_a_terminal_is_written_out() {
        for (bytes, shown) in [
            (&b"\x1b[31mred\x1b[0m"[..], "\\x1b[31mred\\x1b[0m"),
            (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            (b"\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
            (b"a\x08b\x7f", "a\\x08b\\x7f"),
            (b"a\0b", "a\\x00b"),
            ("\u{9b}2J".as_bytes(), "\\u{9b}2J"),
            ("a\u{202e}b\u{2066}".as_bytes(), "a\\u{202e}b\\u{2066}"),
            ("\u{e0041}\u{200b}\u{feff}".as_bytes(), "\\u{e0041}\\u{200b}\\u{feff}"),
            ("\u{2028}x".as_bytes(), "\\u{2028}x"),
            (b"\xff\xc3(", "\\xff\\xc3("),
            (b"\xe2\x82", "\\xe2\\x82"),
            (b"over\rwrite", "over\\rwrite"),
        ] {
            assert_eq!(clean(bytes), format!("> {shown}\n"));
        }
    }

    #[test]
    fn every_line_is_marked_so_none_passes_for_brigs_own() {
        assert_eq!(clean(b"a\nb\r\n\nc"), "> a\n> b\n> \n> c\n");
        assert_eq!(clean(b""), "");
        assert_eq!(clean(b"a\r"), "> a\n");
    }

    #[test]
    fn long_lines_are_cut_and_say_so() {
        let exact = "x".repeat(LINE_LIMIT);
        assert_eq!(clean(exact.as_bytes()), format!("> {exact}\n"));
        let shown = clean(format!("{exact}yz\nnext").as_bytes());
        assert_eq!(shown, format!("> {exact} … (2 bytes left out)\n> next\n"));
    }

    #[test]
    fn memory_stays_bounded_without_a_line_end() {
        let mut cleaner = Cleaner::new("");
        let mut out = Vec::new();
        for _ in 0..1000 {
            cleaner.push(&[0x1b; 4096], &mut out);
        }
        assert!(out.is_empty() && cleaner.line.capacity() <= 2 * LINE_LIMIT);
        cleaner.finish(&mut out);
        assert!(out.len() < LINE_LIMIT + 100);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_harmless_text_comes_out(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(0x1b), Just(0xe2), Just(0x80)], 0..200),
            cut in 0usize..200,
        ) {
            let cut = cut.min(bytes.len());
            let mut cleaner = Cleaner::new("> ");
            let mut out = Vec::new();
            cleaner.push(&bytes[..cut], &mut out);
            cleaner.push(&bytes[cut..], &mut out);
            cleaner.finish(&mut out);
            let pieces = String::from_utf8(out).unwrap();
            prop_assert_eq!(&pieces, &clean(&bytes));
            prop_assert!(pieces.chars().all(|c| c == '\n' || c == '\t' || !(c.is_control() || is_harmful(c))));
            prop_assert!(pieces.lines().all(|line| line.starts_with("> ")));
        }
    }
}
