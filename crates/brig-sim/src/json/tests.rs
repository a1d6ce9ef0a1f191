//! The reader against a yardstick, serde_json, and on what it must refuse.

use proptest::prelude::*;

use super::*;

fn same_as_serde(bytes: &[u8]) -> Result<(), String> {
    let ours = Value::parse(bytes);
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let again: serde_json::Value = serde_json::from_str(&ours.write()).map_err(|e| e.to_string())?;
            if again == theirs { Ok(()) } else { Err(format!("{again} != {theirs}")) }
        }
        (Err(_), Err(_)) => Ok(()),
        // The yardstick also refuses numbers that a float cannot hold, which we only keep.
        (Ok(_), Err(e)) if e.to_string().contains("number out of range") => Ok(()),
        (ours, theirs) => Err(format!("{ours:?} against {theirs:?}")),
    }
}

#[test]
fn reads_what_serde_reads() {
    for text in [
        r#"{"a":[1,-0,1.5e+3,"x\n\u00e9\ud83d\ude00",true,false,null],"b":{}}"#,
        " [ ] ",
        "1",
        "-",
        "01",
        "1.",
        "1e",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\x\"",
        "\"tab\tinside\"",
        "\"open",
        "tru",
        "\u{feff}{}",
        "{} {}",
        "",
        "{\"a\":1,\"a\":2}",
    ] {
        same_as_serde(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
    }
    same_as_serde(b"\"\xff\"").unwrap();
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let value = Value::parse(br#"{"name":"first","name":"last"}"#).unwrap();
    assert_eq!(value.get("name").and_then(Value::as_text), Some("last"));
}

#[test]
fn depth_is_bounded() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(Value::parse(deep(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(Value::parse(deep(MAX_DEPTH + 2).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(Value::parse(&vec![b'['; 1_000_000]), Err(JsonError::TooDeep));
}

#[test]
fn control_characters_are_escaped() {
    let text = Value::from("\u{1b}[31m\u{0}\n\u{7f}").write();
    assert_eq!(text, r#""\u001b[31m\u0000\n\u007f""#);
}

proptest! {
    #[test]
    fn agrees_with_serde_on_arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(same_as_serde(&bytes), Ok(()));
    }

    #[test]
    fn agrees_with_serde_on_near_json(text in r#"([\[\]{}:,"\\0-9eE.+\-u ]|true|null|"a":){0,24}"#) {
        prop_assert_eq!(same_as_serde(text.as_bytes()), Ok(()));
    }

    #[test]
    fn any_text_survives(text in any::<String>()) {
        let written = Value::from(text.as_str()).write();
        prop_assert!(!written.contains('\n'));
        prop_assert_eq!(Value::parse(written.as_bytes()), Ok(Value::from(text)));
    }
}
