//! Sessions, message by message.

use serde_json::{Value, json};

use super::*;

mod bounds;

struct Both {
    client: Judge,
    server: Judge,
}

impl Both {
    fn new() -> Self {
        let (client, server) = Judge::pair();
        Self { client, server }
    }

    /// A session in which `initialize` agreed to `version`.
    fn legacy(version: &str) -> Self {
        let mut both = Self::new();
        both.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":version}}));
        both.server_ok(&json!({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":version,"capabilities":{}}}));
        both.client_ok(&json!({"jsonrpc":"2.0","method":"notifications/initialized"}));
        both
    }

    fn client(&mut self, text: &str) -> Verdict {
        self.client.judge(Line::new(format!("{text}\n").as_bytes()))
    }

    fn server(&mut self, text: &str) -> Verdict {
        self.server.judge(Line::new(format!("{text}\n").as_bytes()))
    }

    #[track_caller]
    fn client_ok(&mut self, value: &Value) {
        assert_eq!(self.client(&value.to_string()), Verdict::Forward, "{value}");
    }

    #[track_caller]
    fn server_ok(&mut self, value: &Value) {
        assert_eq!(self.server(&value.to_string()), Verdict::Forward, "{value}");
    }
}

/// A refusal as rule, ids answered back to the sender, ids answered in the line's place.
#[track_caller]
fn refused(verdict: Verdict) -> (Rule, Vec<Value>, Vec<Value>) {
    let Verdict::Refuse(refusal) = verdict else { panic!("forwarded") };
    let ids = |lines: &[u8]| {
        lines
            .split_inclusive(|b| *b == b'\n')
            .map(|line| {
                let value: Value = serde_json::from_slice(line).unwrap();
                assert_eq!(value["error"]["data"]["rule"], refusal.reason.rule.name());
                value["id"].clone()
            })
            .collect()
    };
    (refusal.reason.rule, ids(&refusal.reply), ids(&refusal.instead))
}

fn request(id: impl Into<Value>) -> Value {
    json!({"jsonrpc":"2.0","id":id.into(),"method":"tools/list"})
}

fn answer(id: impl Into<Value>) -> Value {
    json!({"jsonrpc":"2.0","id":id.into(),"result":{}})
}

const NOTHING: Vec<Value> = Vec::new();

#[test]
fn a_legacy_session_passes() {
    let mut s = Both::legacy("2025-11-25");
    s.client_ok(&json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{},"_meta":{"progressToken":1}}}));
    s.server_ok(
        &json!({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.5}}),
    );
    s.server_ok(&json!({"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}));
    s.client_ok(&answer(1));
    s.server_ok(&answer(1));
    s.client_ok(&json!({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"b"}}));
    s.client_ok(&json!({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"x"}}));
    s.server_ok(&answer(2));
    s.server_ok(&json!({"jsonrpc":"2.0","error":{"code":-32700,"message":"?"}}));
    assert_eq!(s.client.era(), Era::Legacy);
    let meta = json!({"io.modelcontextprotocol/protocolVersion":"2026-07-28"});
    s.client_ok(&json!({"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"_meta":meta}}));
    s.server_ok(&answer(3));
    assert_eq!(s.client.era(), Era::Both);
}

#[test]
fn a_modern_session_passes_and_its_server_may_not_ask() {
    let mut s = Both::new();
    let meta =
        json!({"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}});
    s.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":meta}}));
    s.server_ok(&json!({"jsonrpc":"2.0","id":0,"result":{"resultType":"complete","supportedVersions":["2026-07-28"]}}));
    s.client_ok(&json!({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":meta}}));
    s.server_ok(&json!({"jsonrpc":"2.0","method":"notifications/message","params":{}}));
    s.server_ok(
        &json!({"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{},"requestState":"x"}}),
    );
    assert_eq!(s.client.era(), Era::Modern);
    let asks = json!({"jsonrpc":"2.0","id":9,"method":"sampling/createMessage"});
    assert_eq!(refused(s.server(&asks.to_string())), (Rule::ServerRequest, NOTHING, NOTHING));
    // The client never saw it, so its answer would be one to nothing.
    assert_eq!(refused(s.client(&answer(9).to_string())), (Rule::UnknownAnswer, NOTHING, NOTHING));
}

#[test]
fn a_probe_that_fails_is_followed_by_a_legacy_session() {
    let mut s = Both::new();
    s.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}));
    s.server_ok(&json!({"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no"}}));
    assert_eq!(refused(s.server(&request(1).to_string())).0, Rule::ServerRequest);
    assert_eq!(s.client.era(), Era::Unknown);
    s.client_ok(&json!({"jsonrpc":"2.0","id":1,"method":"initialize"}));
    s.server_ok(&request(1));
    s.server_ok(&answer(1));
    assert_eq!((s.client.era(), s.server.era()), (Era::Legacy, Era::Legacy));
}

#[test]
fn initialize_may_reuse_the_id_of_a_silent_probe_and_nothing_else_may() {
    let mut s = Both::new();
    s.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"server/discover"}));
    assert_eq!(refused(s.client(&request(0).to_string())), (Rule::IdReused, vec![Value::Null], NOTHING));
    s.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"initialize"}));
    s.server_ok(&answer(0));
    s.server_ok(&json!({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}));
    assert_eq!(refused(s.server(&answer(0).to_string())).0, Rule::UnknownAnswer);
}

#[test]
fn an_initialize_that_failed_makes_no_legacy_session() {
    let mut s = Both::new();
    s.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"initialize"}));
    s.server_ok(&json!({"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no"}}));
    assert_eq!(refused(s.server(&request(5).to_string())).0, Rule::ServerRequest);
}

#[test]
fn ids_of_both_sides_are_two_spaces() {
    let mut s = Both::legacy("2025-06-18");
    s.client_ok(&request(7));
    s.server_ok(&request(7));
    s.client_ok(&answer(7));
    // The server's request is closed, the client's is not.
    assert_eq!(refused(s.client(&answer(7).to_string())).0, Rule::UnknownAnswer);
    s.server_ok(&answer(7));
    assert_eq!(refused(s.server(&answer(7).to_string())).0, Rule::UnknownAnswer);
}

#[test]
fn ids_are_never_confused() {
    let mut s = Both::legacy("2025-11-25");
    for id in ["1", "1.0", "\"1\""] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(s.client(&line), Verdict::Forward);
    }
    for id in ["\"1\"", "1.0", "1"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        assert_eq!(s.server(&line), Verdict::Forward);
        assert_eq!(refused(s.server(&line)).0, if id == "1.0" { Rule::RespeltId } else { Rule::UnknownAnswer }, "{id}");
        if id == "1.0" {
            // The refusal answered the request whose number that is; ask again.
            assert_eq!(s.client(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#), Verdict::Forward);
        }
    }
    assert_eq!(s.client(r#"{"jsonrpc":"2.0","id":"\u00e9","method":"ping"}"#), Verdict::Forward);
    assert_eq!(s.server(r#"{"jsonrpc":"2.0","id":"é","result":{}}"#), Verdict::Forward);
}

#[test]
fn an_id_answered_in_another_spelling_gets_an_error_with_the_right_one() {
    let mut s = Both::new();
    assert_eq!(s.client(r#"{"jsonrpc":"2.0","id":4.0,"method":"ping"}"#), Verdict::Forward);
    let Verdict::Refuse(refusal) = s.server(&answer(4).to_string()) else { panic!() };
    assert_eq!(refusal.reason.rule, Rule::RespeltId);
    assert!(refusal.instead.starts_with(br#"{"jsonrpc":"2.0","id":4.0,"error""#));
    // Two odd spellings of one number are found as well.
    assert_eq!(s.client(r#"{"jsonrpc":"2.0","id":4.0,"method":"ping"}"#), Verdict::Forward);
    let (rule, _, instead) = refused(s.server(r#"{"jsonrpc":"2.0","id":4e0,"result":{}}"#));
    assert_eq!((rule, instead), (Rule::RespeltId, vec![json!(4.0)]));
}

#[test]
fn a_refused_request_is_answered_with_its_id_and_a_notification_is_not() {
    let mut s = Both::legacy("2025-11-25");
    let twice = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a","name":"b"}}"#;
    assert_eq!(refused(s.client(twice)), (Rule::DuplicateKey, vec![json!(3)], NOTHING));
    // It was not counted as open.
    s.client_ok(&request(3));
    // While 3 is open, an error with that id would answer the wrong request.
    assert_eq!(refused(s.client(twice)), (Rule::DuplicateKey, vec![Value::Null], NOTHING));
    let note = r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1,"a":2}}"#;
    assert_eq!(refused(s.client(note)), (Rule::DuplicateKey, NOTHING, NOTHING));
    assert_eq!(refused(s.client("hello")), (Rule::NotJson, vec![Value::Null], NOTHING));
    assert_eq!(refused(s.client("42")), (Rule::NotJsonRpc, vec![Value::Null], NOTHING));
    let two_ids = r#"{"jsonrpc":"2.0","id":4,"id":5,"method":"ping"}"#;
    assert_eq!(refused(s.client(two_ids)), (Rule::DuplicateKey, vec![Value::Null], NOTHING));
    assert_eq!(refused(s.server(note)), (Rule::DuplicateKey, NOTHING, NOTHING));
}

#[test]
fn a_refused_answer_is_replaced_so_that_nobody_waits() {
    let mut s = Both::legacy("2025-11-25");
    for (n, (broken, rule)) in [
        (r#""result":{"a":1,"a":2}"#, Rule::DuplicateKey),
        (r#""result":{},"error":{"code":1,"message":""}"#, Rule::Both),
        (r#""result":"\ud800""#, Rule::Surrogate),
        (r#""result":{},"#, Rule::NotJson),
        (r#""reslut":{}"#, Rule::NotJsonRpc),
        (r#""Result":{}"#, Rule::KeySpelling),
    ]
    .into_iter()
    .enumerate()
    {
        s.client_ok(&request(n));
        let line = format!(r#"{{"jsonrpc":"2.0","id":{n},{broken}}}"#);
        assert_eq!(refused(s.server(&line)), (rule, NOTHING, vec![json!(n)]), "{line}");
        assert_eq!(refused(s.server(&answer(n).to_string())).0, Rule::UnknownAnswer, "answered twice");
    }
    // An answer to nothing is dropped, and so is what is no message at all.
    assert_eq!(
        refused(s.server(r#"{"jsonrpc":"2.0","id":99,"result":{"a":1,"a":2}}"#)),
        (Rule::DuplicateKey, NOTHING, NOTHING)
    );
    for line in ["Server listening on stdio", "", "{\"level\":30,\"msg\":\"up\"}", "null", "\x1b[32mok\x1b[0m"] {
        let (rule, back, instead) = refused(s.server(line));
        assert!(matches!(rule, Rule::NotJson | Rule::NotJsonRpc) && back.is_empty() && instead.is_empty(), "{line}");
    }
    // The same the other way round: the server asked, the client's answer was refused.
    s.server_ok(&request("s"));
    assert_eq!(
        refused(s.client(r#"{"jsonrpc":"2.0","id":"s","result":{"a":1,"a":1}}"#)),
        (Rule::DuplicateKey, NOTHING, vec![json!("s")])
    );
    // A server's refused request is answered to the server.
    assert_eq!(
        refused(s.server(r#"{"jsonrpc":"2.0","id":5,"method":"roots/list","params":{"a":1,"a":1}}"#)),
        (Rule::DuplicateKey, vec![json!(5)], NOTHING)
    );
}

#[test]
fn a_refused_answer_to_initialize_opens_nothing() {
    let mut s = Both::new();
    s.client_ok(&json!({"jsonrpc":"2.0","id":0,"method":"initialize"}));
    let line = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26","protocolVersion":"2025-11-25"}}"#;
    assert_eq!(refused(s.server(line)), (Rule::DuplicateKey, NOTHING, vec![json!(0)]));
    assert_eq!(refused(s.server(&request(1).to_string())).0, Rule::ServerRequest);
}

#[test]
fn nul_is_refused_from_the_client_and_content_from_the_server() {
    let mut s = Both::new();
    let line =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"path":"/a\u0000.png"}}}"#;
    assert_eq!(refused(s.client(line)), (Rule::Nul, vec![json!(1)], NOTHING));
    s.client_ok(&request(1));
    assert_eq!(s.server(r#"{"jsonrpc":"2.0","id":1,"result":{"text":"\u0000"}}"#), Verdict::Forward);
}
