//! One line of CSV by RFC 4180, as Docker reads `--mount`: a field that begins with `"` may hold
//! commas, and `""` for a quote.

use super::super::problem::WrongValue;

/// The fields of a line.
///
/// # Errors
///
/// A quote in the middle of a field, or one that is not closed.
pub(super) fn fields(line: &str) -> Result<Vec<String>, WrongValue> {
    if line.is_empty() {
        return Err(WrongValue::Empty);
    }
    let mut fields = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let (field, after) = match text.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(text)?,
        };
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

/// Up to the next comma; the rest is `None` at the end of the line.
fn plain_field(text: &str) -> Result<(String, Option<&str>), WrongValue> {
    let (field, rest) = match text.split_once(',') {
        Some((field, rest)) => (field, Some(rest)),
        None => (text, None),
    };
    if field.contains('"') { Err(WrongValue::Quotes) } else { Ok((field.to_owned(), rest)) }
}

/// Up to the closing quote, which a comma or the end of the line must follow.
fn quoted_field(mut text: &str) -> Result<(String, Option<&str>), WrongValue> {
    let mut field = String::new();
    loop {
        let (before, after) = text.split_once('"').ok_or(WrongValue::Quotes)?;
        field.push_str(before);
        match after.as_bytes().first() {
            None => return Ok((field, None)),
            Some(b',') => return Ok((field, Some(&after[1..]))),
            Some(b'"') => {
                field.push('"');
                text = &after[1..];
            }
            Some(_) => return Err(WrongValue::Quotes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_are_rfc_4180() {
        let ok = |line: &str| fields(line).unwrap();
        assert_eq!(ok("a,b=c"), ["a", "b=c"]);
        assert_eq!(ok("a,\"b,c\",d"), ["a", "b,c", "d"]);
        assert_eq!(ok("\"a\"\"b\""), ["a\"b"]);
        assert_eq!(ok("a,"), ["a", ""]);
        assert_eq!(ok("\"\""), [""]);
        for line in ["a\"b\"", "\"a", "\"a\"b,c", "\"", "a,\"b\"\"", "src=\"/a,b\""] {
            assert_eq!(fields(line), Err(WrongValue::Quotes), "{line}");
        }
        assert_eq!(fields(""), Err(WrongValue::Empty));
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(wanted in prop::collection::vec(".*", 1..6)) {
            let line: Vec<String> =
                wanted.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            prop_assert_eq!(fields(&line.join(",")).unwrap(), wanted);
        }
    }
}
