//! Rust text with its comments and strings blanked, so that a rule sees only code.
//!
//! It keeps every line where it was. It is no parser: it knows comments, strings, characters and
//! lifetimes, which is what a textual rule needs.

/// The text with each character of a comment, string or character literal replaced by a space.
pub(super) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        match end {
            Some(end) => {
                for byte in &mut out[at..end] {
                    if *byte != b'\n' {
                        *byte = b' ';
                    }
                }
                at = end;
            }
            None => at += 1,
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the comment or literal that starts at `at` ends; nothing when none starts there.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let inside_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let length = match rest {
        [b'/', b'/', ..] => rest.iter().position(|&it| it == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, 1, b'"'),
        [b'b' | b'c', b'"', ..] if !inside_word => quoted(rest, 2, b'"'),
        [b'r', b'"' | b'#', ..] if !inside_word => raw_string(rest, 1)?,
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !inside_word => raw_string(rest, 2)?,
        [b'\'', ..] => character(rest)?,
        _ => return None,
    };
    Some(at + length)
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8], start: usize, end: u8) -> usize {
    let mut at = start;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == end => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8], start: usize) -> Option<usize> {
    let hashes = rest[start..].iter().take_while(|&&it| it == b'#').count();
    let open = start + hashes;
    if rest.get(open) != Some(&b'"') {
        return None; // a raw identifier such as r#type
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let body = &rest[open + 1..];
    let length = body.windows(close.len()).position(|it| it == close).map_or(body.len(), |it| it + close.len());
    Some(open + 1 + length)
}

/// A character literal; a lifetime or label is none.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, 1, b'\''));
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(6)])
        .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]));
    let first = text.ok()?.chars().next()?;
    let close = 1 + first.len_utf8();
    (rest.get(close) == Some(&b'\'')).then_some(close + 1)
}

/// The code without the modules that are only compiled for tests. Lines stay where they were.
pub(super) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = item_end(&out, start + "#[cfg(test)]".len());
        let blanked: String = out[start..end].chars().map(|it| if it == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blanked);
        from = start + blanked.len();
    }
    out
}

/// Where the item that starts at `at` ends: at its `;` or the brace that closes it.
fn item_end(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, character) in code[at..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + offset + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// The words of code: names and keywords, with the line each stands on, counted from 1.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(index, line)| {
        line.split(|it: char| !it.is_alphanumeric() && it != '_')
            .filter(|word| !word.is_empty())
            .map(move |word| (index + 1, word))
    })
}

/// The line, counted from 1, of a byte offset.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_blanked_and_lifetimes_are_not() {
        let text = "let a = \"x \\\" y\"; // why\nfn f<'a>(c: &'a str) { 'é'; '\\''; r#\"un\"safe\"#; b\"z\" }\n/* a /* b */ c */ d";
        let code = blank(text);
        for gone in ["why", "safe", "é", "x", "z", "b */"] {
            assert!(!code.contains(gone), "{gone} is still in {code}");
        }
        for kept in ["let a =", "fn f<'a>(c: &'a str)", " d"] {
            assert!(code.contains(kept), "{kept} is gone from {code}");
        }
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn a_module_of_tests_is_removed_and_what_follows_stays() {
        let code =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { {} }\n}\nfn c() {}\n#[cfg(test)]\nuse x::y;\nfn d() {}";
        let rest = without_tests(code);
        assert!(!rest.contains("fn b") && !rest.contains("use x"), "{rest}");
        assert!(rest.contains("fn a") && rest.contains("fn c") && rest.contains("fn d"), "{rest}");
        assert_eq!(rest.lines().count(), code.lines().count());
    }
}
