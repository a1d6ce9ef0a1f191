//! MCP through the box: both eras, byte for byte; what is refused, and that the session goes on.

use serde_json::Value;

use crate::boxed::{INITIALIZE, everyone};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn both_eras_are_served() {
    for place in everyone() {
        let mut talk = place.sim(&[]);
        assert_eq!(json(&talk.ask(INITIALIZE))["result"]["protocolVersion"], "2025-06-18");
        talk.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        let tools = json(&talk.ask(r#"{"jsonrpc":"2.0","id":"list","method":"tools/list"}"#));
        assert!(tools["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "echo"));
        let call = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"message":"grüße 日本 🙂"}}}"#;
        assert_eq!(json(&talk.ask(call))["result"]["content"][0]["text"], "grüße 日本 🙂");
        assert_eq!(talk.leave().status, 0);

        let mut talk = place.sim(&[]);
        let found =
            json(&talk.ask(&format!(r#"{{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{{{META}}}}}"#)));
        assert_eq!(found["result"]["supportedVersions"][0], "2026-07-28");
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"x"}},{META}}}}}"#
        );
        assert_eq!(json(&talk.ask(&call))["result"]["resultType"], "complete");
        let end = talk.leave();
        assert_eq!((end.status, end.errors.as_str()), (0, ""));
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn what_is_forwarded_is_what_came() {
    for place in everyone() {
        // `cat` sends the client's notifications back: both directions, every byte.
        let lines = [
            "{\"jsonrpc\":\"2.0\",\"method\":\"n/x\"}\n",
            "  {  \"method\" :\t\"n/\\u00e4\\/\" , \"jsonrpc\":\"2.0\",\"params\":{\"a\":1.0,\"b\":1e2,\"c\":\"ä🙂\"}  }  \n",
            "{\"jsonrpc\":\"2.0\",\"method\":\"n/x\",\"params\":{\"z\":1,\"a\":2}}\r\n",
        ];
        let mut talk = place.open(&["run", "--", "cat"]);
        for line in lines {
            talk.send(line.as_bytes());
            assert_eq!(String::from_utf8(talk.bytes()).unwrap(), line);
        }
        // The last one without its end.
        talk.send(br#"{"jsonrpc":"2.0","method":"n/last"}"#);
        let end = talk.leave();
        assert_eq!((end.status, end.output.as_slice()), (0, &br#"{"jsonrpc":"2.0","method":"n/last"}"#[..]));

        // Ids keep their spelling; the answer's own spelling of everything else is kept, too.
        for id in ["1", "1.0", "\"1\"", "-0"] {
            let answer = format!("{{ \"id\" : {id}, \"jsonrpc\":\"2.0\",\"result\":{{\"v\":1.50}} }}\r\n");
            let script = "read -r line; printf '%s' \"$1\"";
            let mut talk = place.open(&["run", "--", "sh", "-c", script, "sh", &answer]);
            talk.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
            assert_eq!(String::from_utf8(talk.bytes()).unwrap(), answer);
            assert_eq!(talk.leave().status, 0);
        }
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_its_id() {
    let deep =
        format!(r#"{{"jsonrpc":"2.0","id":4,"method":"m","params":{{"x":{}{}}}}}"#, "[".repeat(200), "]".repeat(200));
    let cases: [(&[u8], Value, &str); 6] = [
        (br#"{"jsonrpc":"2.0","id":2,"method":"tools/call","method":"ping"}"#, 2.into(), "duplicate-key"),
        (
            br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo","arguments":{"message":"1","message":"2"}}}"#,
            "a".into(),
            "duplicate-key",
        ),
        (b"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"m\",\"params\":{\"x\":\"\xff\"}}", 3.into(), "utf-8"),
        (deep.as_bytes(), 4.into(), "too-deep"),
        (b"hello", Value::Null, "not-json"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"m","result":{}}"#, 1.into(), "both"),
    ];
    for place in everyone() {
        let mut talk = place.sim(&[]);
        talk.ask(INITIALIZE);
        for (line, id, rule) in &cases {
            talk.send(&[line, &b"\n"[..]].concat());
            let reply = json(&talk.line());
            assert_eq!((&reply["id"], &reply["error"]["data"]["rule"]), (id, &Value::from(*rule)), "{reply}");
            // The session goes on.
            assert_eq!(json(&talk.ask(r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#))["id"], 9);
        }
        let end = talk.leave();
        assert_eq!(end.status, 0);
        assert_eq!(end.errors.matches("brig: refused a message of the client").count(), cases.len(), "{}", end.errors);
    }
}

#[test]
fn the_servers_stderr_is_marked_and_harmless() {
    for place in everyone() {
        let script = r"printf '\033[31mred\007\nover\rwrite\nno end' >&2; cat";
        let end = place.run(&["run", "--", "sh", "-c", script], b"");
        assert_eq!(end.status, 0);
        assert_eq!(end.errors, "server: \\x1b[31mred\\x07\nserver: over\\rwrite\nserver: no end\n");
        assert!(end.output.is_empty());
    }
}

#[test]
fn raw_bytes_pass_unjudged() {
    let every: Vec<u8> = (0..=255_u8).cycle().take(300_000).collect();
    for place in everyone() {
        let end = place.run(&["run", "--stdio", "raw", "--", "cat"], &every);
        assert!(end.status == 0 && end.output == every, "{} of {}", end.output.len(), every.len());
        for status in [0, 3, 255] {
            let script = format!("printf out; printf err >&2; exit {status}");
            let end = place.run(&["run", "--stdio", "raw", "--", "sh", "-c", &script], b"");
            assert_eq!((end.status, end.output.as_slice()), (status, &b"out"[..]));
            assert!(end.errors.starts_with("err"), "{}", end.errors);
        }
    }
}
