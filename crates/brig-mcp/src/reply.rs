//! JSON-RPC errors in brig's own name.
//!
//! Nothing of the refused message goes into a reply but its id: the text is the rule's, so that no
//! server can speak to a client through a refusal.

use serde_json::json;

use crate::message::Id;
use crate::rule::{Reason, Rule};

/// JSON-RPC 2.0 section 5.1: not JSON.
const PARSE_ERROR: i32 = -32700;
/// JSON-RPC 2.0 section 5.1: not a valid request.
const INVALID_REQUEST: i32 = -32600;
/// JSON-RPC 2.0 section 5.1: the request was fine, the other side was not.
const INTERNAL_ERROR: i32 = -32603;

/// What a reply takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stead {
    /// The answer that the refused request will never get.
    OfAnswer,
    /// The answer that came and was refused.
    OfRefusedAnswer,
}

/// One line, its end included: an error with this id (`null` where it is not known).
pub(crate) fn error(id: Option<&Id>, stead: Stead, reason: Reason) -> Vec<u8> {
    let (code, about) = match stead {
        Stead::OfAnswer if reason.rule == Rule::NotJson => (PARSE_ERROR, "brig did not pass this message on"),
        Stead::OfAnswer => (INVALID_REQUEST, "brig did not pass this message on"),
        Stead::OfRefusedAnswer => (INTERNAL_ERROR, "brig did not pass the answer on"),
    };
    let error = json!({
        "code": code,
        "message": format!("{about}: {reason}"),
        "data": { "by": "brig", "rule": reason.rule.name(), "at": reason.at, "hint": reason.hint() },
    });
    let mut line = br#"{"jsonrpc":"2.0","id":"#.to_vec();
    line.extend_from_slice(id.map_or(b"null", Id::json));
    line.extend_from_slice(format!(",\"error\":{error}}}\n").as_bytes());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_reply_is_one_line_with_the_id_as_it_was() {
        for id in ["1", "1.0", r#""a""#, "-9007199254740993"] {
            let id = Id::read(id.as_bytes()).unwrap();
            let line = error(Some(&id), Stead::OfAnswer, Reason { rule: Rule::DuplicateKey, at: Some(3) });
            assert!(line.starts_with(&[br#"{"jsonrpc":"2.0","id":"#, id.json(), b","].concat()));
            assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
            assert_eq!(line.last(), Some(&b'\n'));
            let value: Value = serde_json::from_slice(&line).unwrap();
            assert_eq!(value["error"]["code"], -32600);
            assert_eq!(value["error"]["data"]["rule"], "duplicate-key");
            assert_eq!(value["error"]["data"]["at"], 3);
        }
    }

    #[test]
    fn every_rule_makes_a_reply_that_parses() {
        for rule in Rule::all() {
            for stead in [Stead::OfAnswer, Stead::OfRefusedAnswer] {
                let value: Value = serde_json::from_slice(&error(None, stead, Reason::whole(rule))).unwrap();
                assert!(value["id"].is_null());
                assert_eq!(value["error"]["data"]["rule"], rule.name());
                let code = value["error"]["code"].as_i64();
                let expected = match (stead, rule) {
                    (Stead::OfRefusedAnswer, _) => -32603,
                    (_, Rule::NotJson) => -32700,
                    _ => -32600,
                };
                assert_eq!(code, Some(expected));
            }
        }
    }
}
