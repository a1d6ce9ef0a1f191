//! Requests and the answers they get, in both eras.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use brig_sim::{Facts, fuzz_session, serve};
use serde_json::{Value, json};

fn talk(lines: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    talk_bytes(lines.join("\n").as_bytes())
}

fn talk_bytes(input: &[u8]) -> Vec<Value> {
    let facts = Facts { env: vec![("GREETING".into(), "hello".into())], words: Vec::new() };
    let mut output = Vec::new();
    serve(input, &mut output, &facts).unwrap();
    let text = String::from_utf8(output).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn initialize(version: &str) -> Value {
    json!({"jsonrpc":"2.0","id":0,"method":"initialize","params":
        {"protocolVersion":version,"capabilities":{},"clientInfo":{"name":"t","version":"1"}}})
}

fn meta(version: &str) -> Value {
    json!({"io.modelcontextprotocol/protocolVersion":version,
        "io.modelcontextprotocol/clientCapabilities":{}})
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc":"2.0","id":1,"method":method,"params":params})
}

/// The one answer to a request in the legacy era.
fn legacy(method: &str, params: &Value) -> Value {
    let answers = talk(&[
        initialize("2025-11-25"),
        json!({"jsonrpc":"2.0","method":"notifications/initialized"}),
        request(method, params),
    ]);
    assert_eq!(answers.len(), 2, "{answers:?}");
    answers[1].clone()
}

/// The one answer to a request in the modern era.
fn modern(method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = meta("2026-07-28");
    let answers = talk(&[request(method, &params)]);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers[0].clone()
}

fn failure(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc":"2.0","id":id,"error":{"code":code,"message":message}})
}

#[test]
fn initialize_settles_a_version() {
    for (asked, given) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1.0", "2025-11-25"),
    ] {
        let answers = talk(&[initialize(asked)]);
        assert_eq!(answers[0]["id"], 0);
        assert_eq!(answers[0]["result"]["protocolVersion"], given, "{asked}");
        assert_eq!(answers[0]["result"]["capabilities"], json!({"tools":{}}));
        assert_eq!(answers[0]["result"]["serverInfo"]["name"], "brig-sim");
        assert_eq!(answers[0]["result"].get("resultType"), None);
    }
    let answers = talk(&[request("initialize", &json!({}))]);
    assert_eq!(answers, [failure(&1.into(), -32602, "protocolVersion is missing")]);
}

#[test]
fn discover_says_what_the_modern_era_requires() {
    let answer = modern("server/discover", &json!({}));
    let result = &answer["result"];
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["cacheScope"], "public");
    assert_eq!(result["ttlMs"], 3_600_000);
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "brig-sim");
    assert_eq!(legacy("server/discover", &json!({}))["error"]["code"], -32601);
}

#[test]
fn unknown_modern_versions_are_named() {
    for version in ["2025-11-25", "2099-01-01", ""] {
        let answers = talk(&[request("tools/list", &json!({"_meta":meta(version)}))]);
        assert_eq!(
            answers,
            [json!({"jsonrpc":"2.0","id":1,"error":{"code":-32022,
                "message":"unsupported protocol version",
                "data":{"supported":["2026-07-28"],"requested":version}}})]
        );
    }
}

#[test]
fn modern_requests_need_their_meta() {
    let version_alone = json!({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}});
    for params in [version_alone, json!({}), json!({"_meta":{}})] {
        let answers = talk(&[request("tools/list", &params)]);
        assert_eq!(answers[0]["error"]["code"], -32602, "{params}");
    }
}

#[test]
fn one_process_serves_both_eras_without_mixing_them() {
    let answers = talk(&[
        initialize("2025-06-18"),
        request("tools/list", &json!({"_meta":meta("2026-07-28")})),
        request("tools/list", &json!({})),
    ]);
    assert_eq!(answers[1]["result"]["resultType"], "complete");
    assert_eq!(answers[2]["result"].get("resultType"), None);
    assert_eq!(answers[2]["result"].get("ttlMs"), None);
}

#[test]
fn ping_is_legacy_only() {
    assert_eq!(legacy("ping", &json!({})), json!({"jsonrpc":"2.0","id":1,"result":{}}));
    assert_eq!(modern("ping", &json!({}))["error"]["code"], -32601);
    assert_eq!(modern("initialize", &json!({}))["error"]["code"], -32601);
    // Before `initialize` it is allowed too.
    assert_eq!(talk(&[request("ping", &json!({}))])[0]["result"], json!({}));
}

#[test]
fn tools_are_listed_with_closed_schemas() {
    for answer in [legacy("tools/list", &json!({})), modern("tools/list", &json!({}))] {
        let tools = answer["result"]["tools"].as_array().unwrap();
        let names: Vec<&str> = tools.iter().map(|t| t["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["echo", "read_file", "fetch", "get_env", "run"]);
        for tool in tools {
            assert_eq!(tool["inputSchema"]["type"], "object");
            assert_eq!(tool["inputSchema"]["additionalProperties"], false);
            assert!(tool["title"].is_string() && tool["annotations"].is_object());
        }
    }
    assert_eq!(modern("tools/list", &json!({}))["result"]["cacheScope"], "public");
    let old = talk(&[initialize("2024-11-05"), request("tools/list", &json!({}))]);
    let tool = &old[1]["result"]["tools"][0];
    assert!(tool.get("title").is_none() && tool.get("annotations").is_none());
    let cursor = json!({"cursor":"x"});
    assert_eq!(legacy("tools/list", &cursor), failure(&1.into(), -32602, "unknown cursor"));
    assert_eq!(modern("tools/list", &cursor)["error"]["code"], -32602);
}

/// A tool's answer (whether it is an error, and its text) or a protocol error's code.
type Expect = Result<(bool, &'static str), i64>;

fn calls() -> Vec<(Value, Expect)> {
    vec![
        (json!({"name":"echo","arguments":{"message":"a\nb"}}), Ok((false, "a\nb"))),
        (json!({"name":"get_env","arguments":{"name":"GREETING"}}), Ok((false, "hello"))),
        (json!({"name":"get_env"}), Ok((false, "GREETING=hello\n"))),
        (json!({"name":"get_env","arguments":{"name":"OTHER"}}), Ok((true, "the variable OTHER is not set"))),
        (json!({"name":"run","arguments":{"program":"/bin/echo","args":["a b"]}}), Ok((false, "a b\n"))),
        (
            json!({"name":"fetch","arguments":{"url":"http://no.such.name.invalid/"}}),
            Ok((true, "the name no.such.name.invalid is not in /etc/hosts, and no other look-up is made")),
        ),
        (json!({"name":"echo"}), Ok((true, "the argument message is missing"))),
        (json!({"name":"echo","arguments":{"message":1}}), Ok((true, "the argument message is not a string"))),
        (
            json!({"name":"run","arguments":{"program":"x","args":[1]}}),
            Ok((true, "the argument args is not a list of strings")),
        ),
        (json!({"name":"echo","arguments":{"message":"","more":1}}), Ok((true, "there is no argument more"))),
        (json!({"name":"echo","arguments":[]}), Err(-32602)),
        (json!({"name":"nothing"}), Err(-32602)),
        (json!({}), Err(-32602)),
    ]
}

#[test]
fn calls_tell_tool_errors_from_protocol_errors() {
    for (params, expect) in &calls() {
        for (era, answer) in [("legacy", legacy("tools/call", params)), ("modern", modern("tools/call", params))] {
            match expect {
                Ok((failed, text)) => {
                    let result = &answer["result"];
                    assert_eq!(result["content"], json!([{"type":"text","text":text}]), "{params}");
                    assert_eq!(result["isError"], *failed, "{params}");
                    let is_modern = result.get("resultType").is_some();
                    assert_eq!(is_modern, era == "modern");
                }
                Err(code) => assert_eq!(answer["error"]["code"], *code, "{params}"),
            }
        }
    }
}

#[test]
fn structured_content_is_for_versions_that_know_it() {
    let call = json!({"name":"echo","arguments":{"message":"m","data":{"k":[1,{}]}}});
    let structured = legacy("tools/call", &call)["result"]["structuredContent"].clone();
    assert_eq!(structured, json!({"k":[1,{}]}));
    let old = talk(&[initialize("2025-03-26"), request("tools/call", &call)]);
    assert!(old[1]["result"].get("structuredContent").is_none());
}

#[test]
fn what_is_not_a_request_gets_the_right_error() {
    let table: &[(&[u8], Option<Value>)] = &[
        (b"{", Some(json!({"code":-32700}))),
        (b"\xff", Some(json!({"code":-32700}))),
        (b"{}", Some(json!({"code":-32600}))),
        (b"3", Some(json!({"code":-32600}))),
        (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some(json!({"code":-32600,"id":1}))),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some(json!({"code":-32600}))),
        (br#"{"jsonrpc":"2.0","id":"x","method":5}"#, Some(json!({"code":-32600,"id":"x"}))),
        (br#"{"jsonrpc":"2.0","id":2,"method":"ping","params":[]}"#, Some(json!({"code":-32602,"id":2}))),
        (br#"{"jsonrpc":"2.0","id":2,"result":{}}"#, None),
        (br#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#, None),
        (br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#, None),
        (b"", None),
        (b" \r", None),
    ];
    for (line, expect) in table {
        let answers = talk_bytes(line);
        let shown = String::from_utf8_lossy(line);
        match expect {
            None => assert_eq!(answers, Vec::<Value>::new(), "{shown}"),
            Some(expect) => {
                assert_eq!(answers.len(), 1, "{shown}");
                assert_eq!(answers[0]["error"]["code"], expect["code"], "{shown}");
                assert_eq!(answers[0].get("id"), expect.get("id"), "{shown}");
            }
        }
    }
}

#[test]
fn ids_come_back_as_they_were_spelt() {
    for id in ["1", "\"1\"", "1.0", "1e3", "-0", "\"\\u00e9\"", "12345678901234567890"] {
        let mut output = Vec::new();
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        serve(line.as_bytes(), &mut output, &Facts::default()).unwrap();
        let output = String::from_utf8(output).unwrap();
        let spelt = if id == "\"\\u00e9\"" { "\"é\"" } else { id };
        assert!(output.contains(&format!("\"id\":{spelt},")), "{output}");
    }
}

#[test]
fn arrays_are_for_the_one_version_that_has_them() {
    let ping = json!({"jsonrpc":"2.0","id":7,"method":"ping"});
    let call = request("tools/call", &json!({"name":"run","arguments":{"program":"builtin:processes"}}));
    let note = json!({"jsonrpc":"2.0","method":"notifications/initialized"});
    let array = json!([ping, note, call, 5]);
    let answers = talk(&[initialize("2025-03-26"), array.clone(), json!([note]), json!([])]);
    let together = answers[1].as_array().unwrap();
    assert_eq!(together.len(), 3);
    assert_eq!(together[0]["id"], 7);
    assert_eq!(together[1]["result"]["isError"], false);
    assert_eq!(together[2]["error"]["code"], -32600);
    assert_eq!(answers.len(), 3, "an array of notifications has no answer: {answers:?}");
    assert_eq!(answers[2]["error"]["code"], -32600);
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let answers = talk(&[initialize(version), array.clone()]);
        assert_eq!(answers[1]["error"]["code"], -32600, "{version}");
    }
}

#[test]
fn a_cancelled_call_is_not_answered() {
    let sleep = |id: i64| {
        json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":
            {"name":"run","arguments":{"program":"sleep","args":["0.6"]},"_meta":meta("2026-07-28")}})
    };
    let cancel = json!({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}});
    let begun = std::time::Instant::now();
    let answers = talk(&[sleep(1), sleep(2), cancel, sleep(2)]);
    let mut shapes: Vec<(Option<i64>, bool)> =
        answers.iter().map(|answer| (answer["id"].as_i64(), answer.get("error").is_some())).collect();
    shapes.sort_unstable();
    // The second use of an id that is still under way is refused; the first one is answered.
    assert_eq!(shapes, [(Some(2), false), (Some(2), true)], "{answers:?}");
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn too_many_slow_calls_are_refused_and_the_end_cancels_the_rest() {
    let calls: Vec<Value> = (0..20)
        .map(|id| {
            json!({"jsonrpc":"2.0","id":id,"method":"tools/call","params":
            {"name":"run","arguments":{"program":"sleep","args":["30"]},"_meta":meta("2026-07-28")}})
        })
        .collect();
    let begun = std::time::Instant::now();
    let answers = talk(&calls);
    assert_eq!(answers.len(), 4, "{answers:?}");
    assert!(answers.iter().all(|answer| answer["error"]["code"] == -32600));
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn a_line_that_is_too_long_is_answered_and_dropped() {
    let mut input = vec![b'a'; 97 * 1024 * 1024];
    input.extend_from_slice(b"\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    let answers = talk_bytes(&input);
    assert_eq!(answers[0]["error"]["message"], "the line is longer than 96 MiB");
    assert_eq!(answers[1]["result"], json!({}));
}

#[test]
fn large_messages_come_back_whole() {
    let text = "A".repeat(16 * 1024 * 1024);
    let answer = modern("tools/call", &json!({"name":"echo","arguments":{"message":text}}));
    assert_eq!(answer["result"]["content"][0]["text"], json!(text));
}

#[test]
fn the_fuzz_entry_takes_anything() {
    for bytes in [
        &b""[..],
        b"\xff\n{\n[",
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run","arguments":{"program":"/bin/false"},"_meta":{}}}"#,
    ] {
        fuzz_session(bytes);
    }
}
