//! Reads foreign JSON of bounded depth.

use serde::de::{DeserializeOwned, Error};

/// Deepest nesting: manifests and configurations need 6, and what is ignored need not be deeper.
pub(crate) const DEPTH: usize = 64;

/// Parses JSON that nests at most [`DEPTH`] deep, also in what is ignored. The caller has bounded its
/// size.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    if deepest(bytes) > DEPTH {
        return Err(serde_json::Error::custom("nested too deeply"));
    }
    serde_json::from_slice(bytes)
}

/// Counts open brackets outside of texts. What is not JSON is counted somehow and refused later.
fn deepest(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IgnoredAny;

    #[test]
    fn depth() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse::<IgnoredAny>(nested(DEPTH).as_bytes()).is_ok());
        assert!(parse::<IgnoredAny>(nested(DEPTH + 1).as_bytes()).is_err());
        let text = format!(r#"["\"{}"]"#, "[".repeat(1000));
        assert!(parse::<IgnoredAny>(text.as_bytes()).is_ok());
    }
}
