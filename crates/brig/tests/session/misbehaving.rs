//! Every server that misbehaves: what its client sees, and that brig ends and leaves nothing.

use serde_json::Value;

use crate::boxed::{End, INITIALIZE, everyone};

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}"#;

struct Case {
    name: &'static str,
    /// What the client sees of its two requests, line by line: `1` an answer, `1!rule` an error.
    seen: &'static [&'static str],
    status: i32,
    /// What stderr must say.
    said: &'static str,
}

const fn case(name: &'static str, seen: &'static [&'static str], status: i32, said: &'static str) -> Case {
    Case { name, seen, status, said }
}

const BOTH: &[&str] = &["1", "2"];
const LEFT: &str = "from brig, since its client had left";

const CASES: &[Case] = &[
    case("asks_client", &["ask-1?", "1", "ask-2?", "2"], 0, ""),
    case("bad_utf8", &["1!utf-8", "2!utf-8"], 0, "not UTF-8"),
    case("chatty", BOTH, 0, r"something else than MCP to stdout: INFO \x1b[32mready"),
    case("deaf_to_term", BOTH, 137, LEFT),
    case("deep", &["1!too-deep", "2!too-deep"], 0, "nested deeper"),
    case("dies_by_signal", &["1"], 134, "ended by ABRT from inside the box"),
    case("duplicate_keys", &["1!duplicate-key", "2!duplicate-key"], 0, "same key twice"),
    case("endless_line", &["1!too-long"], 143, "longer than 80 MiB"),
    case("exits_with_code", &["1"], 7, "the server exited with status 7"),
    case("flood", &[], 143, "something else than MCP to stdout: still here"),
    case("grandchild", BOTH, 0, ""),
    case("half_line", &["1!not-json"], 0, "not JSON"),
    case("huge", &["1", "2!too-long"], 0, "longer than 80 MiB"),
    case("never_answers", &[], 0, ""),
    case("never_reads", &[], 143, LEFT),
    case("slow_start", BOTH, 0, ""),
    case("wrong_id", BOTH, 0, "a request that is not open"),
];

#[test]
fn every_behaviour_has_its_case() {
    let (known, tested): (Vec<_>, Vec<_>) =
        (brig_sim::BEHAVIOURS.iter().map(|one| one.name).collect(), CASES.iter().map(|case| case.name).collect());
    assert_eq!(known, tested);
}

#[test]
fn the_client_sees_this_and_nothing_is_left() {
    for place in everyone() {
        for case in CASES {
            let mut talk = place.sim(&["misbehave", case.name]);
            // Sent before the server is up: kept until it reads.
            talk.say(INITIALIZE);
            talk.say(CALL);
            let seen: Vec<String> = case.seen.iter().map(|_| short(&talk.line())).collect();
            assert_eq!(seen, case.seen, "{}: {}", case.name, talk.errors());
            if case.name == "flood" {
                talk.wait_for("lines of the server were not passed on");
            }
            let End { status, output, errors } = talk.leave();
            assert_eq!(status, case.status, "{}: {errors}", case.name);
            assert!(output.is_empty(), "{}: {}", case.name, String::from_utf8_lossy(&output));
            assert!(errors.contains(case.said), "{}: {errors}", case.name);
            assert!(errors.len() < 64 * 1024, "{}: {} bytes of stderr", case.name, errors.len());
            assert_eq!(place.leftovers(), [""; 0], "{}", case.name);
        }
    }
}

fn short(line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let id = value["id"].to_string().replace('"', "");
    match (&value["error"]["data"]["rule"], value.get("method")) {
        (Value::String(rule), _) => format!("{id}!{rule}"),
        (_, Some(_)) => format!("{id}?"),
        _ => id,
    }
}
