//! Tables: each fault beside the nearest line that has none; and the scanner against serde_json.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::fuzz::strict;
use crate::rule::Rule;

fn fault(line: &[u8]) -> Option<Rule> {
    Scanner::new().scan(line).fault.map(|reason| reason.rule)
}

fn deep(levels: usize) -> Vec<u8> {
    [vec![b'['; levels], vec![b']'; levels]].concat()
}

/// A line with a fault, the fault, and the nearest line without one.
const FAULTS: &[(&[u8], Rule, &[u8])] = &[
    (b"\xef\xbb\xbf{}", Rule::ByteOrderMark, "{\"a\":\"\u{feff}\"}".as_bytes()),
    (b"{\"a\":\"\xff\"}", Rule::Utf8, "{\"a\":\"ÿ\"}".as_bytes()),
    (b"{\"a\":\"\xc0\xaf\"}", Rule::Utf8, b"{\"a\":\"/\"}"),
    (b"{\"a\":\"\xed\xa0\x80\"}", Rule::Utf8, b"{\"a\":\"\xed\x9f\xbf\"}"),
    (b"{\"\xfe\":1}", Rule::Utf8, "{\"þ\":1}".as_bytes()),
    (br#"{"a":"\ud83d"}"#, Rule::Surrogate, br#"{"a":"\ud83d\ude00"}"#),
    (br#"{"a":"\ude00\ud83d"}"#, Rule::Surrogate, br#"{"a":"\\ud83d"}"#),
    (br#"{"\udc00":1}"#, Rule::Surrogate, br#"{"\uffff":1}"#),
    (br#"{"a\u0000":1}"#, Rule::Nul, br#"{"a":"\u0000"}"#),
    (b"{\"a\":\"x\ty\"}", Rule::Control, b"{\"a\":\t\"x\\ty\"}"),
    (b"{\"a\":\"\0\"}", Rule::Control, b"{\"a\":\"\x7f\"}"),
    (b"{\"a\":\"\r\"}", Rule::Control, b"{\"a\":\"\\r\"}"),
    (b"{\"a\":\r{}\r}", Rule::CarriageReturn, b"{\"a\": {} }"),
    (b"{\"a\":1e309}", Rule::HugeNumber, b"{\"a\":1e307}"),
    (br#"{"a":1,"a":1}"#, Rule::DuplicateKey, br#"{"a":1,"b":{"a":1}}"#),
    (br#"{"a":1,"\u0061":1}"#, Rule::DuplicateKey, br#"{"a":1,"\\u0061":1}"#),
    (br#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#, Rule::DuplicateKey, br#"{"x":[{"y":{"a":1,"b":2,"A":3}}]}"#),
    (br#"{"":1,"":1}"#, Rule::DuplicateKey, br#"{"":1," ":1}"#),
    ("{\"é\":1,\"\\u00e9\":2}".as_bytes(), Rule::DuplicateKey, "{\"é\":1,\"e\u{301}\":2}".as_bytes()),
    (b"[]", Rule::EmptyBatch, b"[{}]"),
    (b"[1]", Rule::NotJsonRpc, b"[{}]"),
    (b"[{},[{}]]", Rule::NotJsonRpc, b"[{},{}]"),
    (b"[{},\"x\",{}]", Rule::NotJsonRpc, b"[{},{},{}]"),
];

#[test]
fn each_fault_and_its_innocent_twin() {
    for (bad, rule, good) in FAULTS {
        assert_eq!(fault(bad), Some(*rule), "{}", String::from_utf8_lossy(bad));
        assert_eq!(fault(good), None, "{}", String::from_utf8_lossy(good));
    }
}

#[test]
fn keys_that_readers_without_case_take_for_one() {
    for (bad, good) in [
        (r#"{"Method":"a"}"#, r#"{"method":"a"}"#),
        (r#"{"method":"a","METHOD":"b"}"#, r#"{"method":"a","x":{"METHOD":"b"}}"#),
        ("{\"param\u{17f}\":{}}", r#"{"params":{}}"#),
        (r#"{"params":{"name":"a","Name":"b"}}"#, r#"{"params":{"name":"a","x":{"Name":"b"}}}"#),
        (r#"{"params":{"\u004eame":"b"}}"#, r#"{"params":{"title":"b"}}"#),
        (r#"{"params":{"arguments":{"path":1,"Path":2}}}"#, r#"{"params":{"arguments":{"path":1,"paths":2}}}"#),
        // A map deeper in the arguments may hold both: the environment has http_proxy and HTTP_PROXY.
        (r#"{"params":{"arguments":{"a":1,"A":2}}}"#, r#"{"params":{"arguments":{"env":{"a":1,"A":2}}}}"#),
        (r#"{"result":{"tools":[{"name":"a","NAME":"b"}]}}"#, r#"{"result":{"tools":[{"name":"a"},{"name":"b"}]}}"#),
        (r#"{"result":{"tools":[{"Description":"b"}]}}"#, r#"{"result":{"tools":[{"description":"b"}]}}"#),
        (r#"{"result":{"Tools":[]}}"#, r#"{"result":{"x":{"Tools":[]}}}"#),
        (r#"{"error":{"Message":"x"}}"#, r#"{"error":{"data":{"Message":"x"}}}"#),
        (r#"[{"Id":1}]"#, r#"[{"id":1}]"#),
    ] {
        assert_eq!(fault(bad.as_bytes()), Some(Rule::KeySpelling), "{bad}");
        assert_eq!(fault(good.as_bytes()), None, "{good}");
    }
}

#[test]
fn repeated_keys_where_the_protocol_looks() {
    for line in [
        r#"{"id":1,"id":2}"#,
        r#"{"params":{"name":"a","name":"b"}}"#,
        r#"{"params":{"arguments":{},"arguments":{}}}"#,
        r#"{"params":{"arguments":{"a":1,"a":2}}}"#,
        r#"{"params":{"_meta":{"k":1,"k":2}}}"#,
        r#"{"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"a","io.modelcontextprotocol/protocolVersion":"b"}}}"#,
        r#"{"result":{"tools":[],"tools":[]}}"#,
        r#"{"result":{"tools":[{"name":"a","name":"b"}]}}"#,
        r#"{"result":{"tools":[{"inputSchema":{"properties":{"p":{},"p":{}}}}]}}"#,
        r#"[{"id":1},{"id":2,"id":3}]"#,
    ] {
        assert_eq!(fault(line.as_bytes()), Some(Rule::DuplicateKey), "{line}");
    }
}

#[test]
fn what_is_not_json() {
    for line in [
        "",
        " ",
        "hello",
        "{",
        "}",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":truee}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"",
        "{} {}",
        "{}x",
        "{}\n{}",
        "// c\n{}",
        "{\"a\":1}/**/",
        "{\"a\":\"\\u12g4\"}",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "\u{a0}{}",
        "{}\0",
    ] {
        assert_eq!(fault(line.as_bytes()), Some(Rule::NotJson), "{line}");
        assert!(serde_json::from_str::<Value>(line).is_err() || line.contains('\n'), "{line}");
    }
}

#[test]
fn depth_at_the_limit_and_over_it() {
    let at = |levels: usize| [b"{\"a\":".to_vec(), deep(levels - 1), b"}".to_vec()].concat();
    assert_eq!(fault(&at(DEPTH_LIMIT)), None);
    assert_eq!(fault(&at(DEPTH_LIMIT + 1)), Some(Rule::TooDeep));
    assert_eq!(fault(&at(100_000)), Some(Rule::TooDeep));
    // The id behind it is found all the same, even if the depth holds brackets in strings.
    let line = [br#"{"a":"#.to_vec(), vec![b'['; 200], br#""]\"]""#.to_vec(), vec![b']'; 200], br#","id":7}"#.to_vec()]
        .concat();
    let mut scanner = Scanner::new();
    let scan = scanner.scan(&line);
    assert_eq!(scan.fault.map(|f| f.rule), Some(Rule::TooDeep));
    let span = scan.outlines[0].get(Slot::Id).unwrap();
    assert_eq!(&line[span.from as usize..span.to as usize], b"7");
}

#[test]
fn batches_have_a_limit() {
    let batch = |n: usize| format!("[{}]", vec!["{}"; n].join(","));
    assert_eq!(fault(batch(BATCH_LIMIT).as_bytes()), None);
    assert_eq!(fault(batch(BATCH_LIMIT + 1).as_bytes()), Some(Rule::LongBatch));
    assert_eq!(Scanner::new().scan(batch(BATCH_LIMIT * 2).as_bytes()).outlines.len(), BATCH_LIMIT);
}

#[test]
fn the_id_is_known_after_most_faults() {
    for line in [
        &b"{\"result\":{\"a\":1,\"a\":2},\"id\":7}"[..],
        b"{\"result\":\"\xff\",\"id\":7}",
        b"{\"result\":\"\\ud800\",\"id\":7}",
        b"{\"result\":1e999,\r\"id\":7}",
        b"\xef\xbb\xbf{\"result\":1,\"id\":7}",
        b"{\"id\":7,\"result\":{\"broken",
    ] {
        let mut scanner = Scanner::new();
        let scan = scanner.scan(line);
        assert!(scan.fault.is_some());
        let span = scan.outlines[0].get(Slot::Id).unwrap();
        assert_eq!(&line[span.from as usize..span.to as usize], b"7");
    }
    let mut scanner = Scanner::new();
    assert_eq!(scanner.scan(br#"{"id":7,"id":8}"#).outlines[0].get(Slot::Id), None);
}

#[test]
fn a_flood_of_equal_keys_is_noticed_before_it_takes_memory() {
    let flood = format!("{{{}\"z\":0}}", "\"a\":0,".repeat(1_000_000));
    let mut scanner = Scanner::new();
    let scan = scanner.scan(flood.as_bytes());
    let fault = scan.fault.unwrap();
    assert_eq!(fault.rule, Rule::DuplicateKey);
    assert!(fault.at.unwrap() < 10_000, "noticed only at {:?}", fault.at);
}

#[test]
fn large_objects_without_repeats_pass_and_with_one_do_not() {
    let object = |last: &str| {
        let members: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\":{n}")).collect();
        format!("{{{},\"{last}\":0}}", members.join(","))
    };
    assert_eq!(fault(object("new").as_bytes()), None);
    assert_eq!(fault(object("k777").as_bytes()), Some(Rule::DuplicateKey));
}

#[test]
fn scratch_memory_is_given_back() {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let mut scanner = Scanner::new();
    assert_eq!(scanner.scan(format!("{{{}}}", members.join(",")).as_bytes()).fault, None);
    assert_eq!(scanner.scratch.keys.len(), 0);
    assert!(scanner.scratch.keys.capacity() <= 1024);
}

/// JSON values as other programs write them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("small", |n| n.abs() < 1e307).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::hash_map("[a-z\u{0}-\u{7f}é😀]{0,6}", inner, 0..20)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_json_writes_passes(value in value()) {
        let line = format!("{{\"content\":{value}}}");
        let mut scanner = Scanner::new();
        let fault = scanner.scan(line.as_bytes()).fault.map(|f| f.rule);
        prop_assert!(fault.is_none() || (fault == Some(Rule::Nul) && line.contains("\\u0000")), "{:?} {}", fault, line);
        let pretty = serde_json::to_string_pretty(&value).unwrap().replace('\n', " \t ");
        let line = format!(" {{ \"content\" : {pretty} }} ");
        prop_assert!(matches!(scanner.scan(line.as_bytes()).fault.map(|f| f.rule), None | Some(Rule::Nul)));
    }

    #[test]
    fn one_byte_changed_is_read_as_serde_json_reads_it(value in value(), at in any::<usize>(), byte in any::<u8>()) {
        let mut line = format!("{{\"content\":{value}}}").into_bytes();
        let at = at % line.len();
        line[at] = byte;
        let ours = fault(&line);
        if ours.is_none() {
            prop_assert!(strict(&line), "{}", String::from_utf8_lossy(&line));
        } else if strict(&line) {
            // What is refused though serde_json takes it: what others read differently.
            let stricter = [Rule::Nul, Rule::CarriageReturn, Rule::KeySpelling, Rule::HugeNumber, Rule::NotJsonRpc, Rule::EmptyBatch];
            let scalar_or_line_end = line.contains(&b'\n');
            prop_assert!(scalar_or_line_end || ours.is_some_and(|rule| stricter.contains(&rule)), "{ours:?} {}", String::from_utf8_lossy(&line));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if fault(&bytes).is_none() {
            prop_assert!(strict(&bytes));
        }
    }
}
