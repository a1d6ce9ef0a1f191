//! Batches, counts and lengths.

use super::*;
use crate::session::PENDING_LIMIT;

#[test]
fn batches_only_where_they_were_agreed_on() {
    let batch = json!([request(1), {"jsonrpc":"2.0","method":"notifications/x"}, request(2)]).to_string();
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut s = Both::legacy(version);
        assert_eq!(refused(s.client(&batch)), (Rule::Batch, vec![json!(1), json!(2)], NOTHING));
        s.client_ok(&request(1));
        assert_eq!(refused(s.server(&json!([answer(1)]).to_string())), (Rule::Batch, NOTHING, vec![json!(1)]));
    }
    assert_eq!(refused(Both::new().client(&batch)).0, Rule::Batch);
    let mut s = Both::legacy("2025-03-26");
    assert_eq!(s.client(&batch), Verdict::Forward);
    s.server_ok(&json!([answer(2), answer(1)]));
    assert_eq!(refused(s.server(&answer(1).to_string())).0, Rule::UnknownAnswer);
}

#[test]
fn a_batch_is_taken_as_a_whole_or_not_at_all() {
    let mut s = Both::legacy("2025-03-26");
    s.client_ok(&request(1));
    for (batch, rule, ids) in [
        (json!([request(5), request(1)]), Rule::IdReused, vec![json!(5), Value::Null]),
        (json!([request(5), request(5)]), Rule::IdReused, vec![json!(5), json!(5)]),
        (
            json!([request(5), {"jsonrpc":"2.0","id":6,"method":"initialize"}]),
            Rule::InitializeInBatch,
            vec![json!(5), json!(6)],
        ),
        (json!([request(5), {"jsonrpc":"2.0","id":6,"method":7}]), Rule::Method, vec![json!(5), json!(6)]),
        (json!([request(5), 3]), Rule::NotJsonRpc, vec![json!(5)]),
        (json!([]), Rule::EmptyBatch, vec![Value::Null]),
    ] {
        assert_eq!(refused(s.client(&batch.to_string())), (rule, ids, NOTHING), "{batch}");
    }
    s.client_ok(&request(5));
    let answers = json!([answer(1), answer(1)]).to_string();
    assert_eq!(refused(s.server(&answers)), (Rule::UnknownAnswer, NOTHING, vec![json!(1)]));
    s.server_ok(&answer(5));
}

#[test]
fn open_requests_are_bounded_and_cancelled_ones_make_room() {
    let mut s = Both::legacy("2025-11-25");
    for id in 0..PENDING_LIMIT {
        s.client_ok(&request(id));
    }
    assert_eq!(refused(s.client(&request("more").to_string())), (Rule::Pending, vec![json!("more")], NOTHING));
    s.client_ok(&json!({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":17}}));
    s.client_ok(&request("more"));
    assert_eq!(refused(s.client(&request("again").to_string())).0, Rule::Pending);
    assert_eq!(refused(s.server(&answer(17).to_string())).0, Rule::UnknownAnswer);
    s.server_ok(&answer(18));
    s.client_ok(&request("again"));
    // The server's space is its own.
    s.server_ok(&request(0));
}

#[test]
fn a_cancellation_reaches_only_its_senders_requests() {
    let mut s = Both::legacy("2025-11-25");
    s.client_ok(&request(1));
    s.server_ok(&json!({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}));
    for id in 2..=PENDING_LIMIT {
        s.client_ok(&request(id));
    }
    assert_eq!(refused(s.client(&request("x").to_string())).0, Rule::Pending);
}

fn head(text: &str) -> FrameError {
    FrameError::TooLong { limit: 10, head: text.as_bytes().to_vec() }
}

fn tail(text: &str) -> FrameError {
    FrameError::Resumed { bytes: 100, tail: text.as_bytes().to_vec() }
}

#[test]
fn an_overlong_line_is_answered_where_its_id_can_be_seen() {
    let mut s = Both::legacy("2025-11-25");
    let first = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"arguments":{"id":9,"x":"aaa"#;
    assert_eq!(refused(s.client.judge_overlong(&head(first))), (Rule::TooLong, vec![json!(3)], NOTHING));
    assert_eq!(refused(s.client.judge_overlong(&tail("aaa\"}}}"))), (Rule::TooLong, NOTHING, NOTHING));
}

#[test]
fn an_overlong_line_is_answered_where_its_id_comes_last() {
    let mut s = Both::legacy("2025-11-25");
    // An id inside the arguments is not taken for it.
    assert_eq!(
        refused(s.client.judge_overlong(&head(r#"{"method":"tools/call","params":{"id":9,"x":"aaa"#))).1,
        NOTHING
    );
    assert_eq!(refused(s.client.judge_overlong(&tail(r#"aa"}},"jsonrpc":"2.0","id":3}"#))).1, vec![json!(3)]);
    assert_eq!(refused(s.client.judge_overlong(&tail(r#"aa","id":3}}"#))).1, NOTHING);
    s.client_ok(&request("r"));
    assert_eq!(refused(s.server.judge_overlong(&head(r#"{"result":{"x":"aaa"#))), (Rule::TooLong, NOTHING, NOTHING));
    assert_eq!(refused(s.server.judge_overlong(&tail(r#"aa"},"jsonrpc":"2.0","id":"r"}"#))).2, vec![json!("r")]);
    s.client_ok(&request(8));
    assert_eq!(
        refused(s.server.judge_overlong(&head(r#"{"jsonrpc":"2.0","id":8,"result":{"x":"aaa"#))).2,
        vec![json!(8)]
    );
    s.client_ok(&request(8));
}

#[test]
fn ids_at_the_end() {
    for (tail, id) in [
        (r#","id":7}"#, Some("7")),
        (r#", "id" : 7 } "#, Some("7")),
        (r#","id":"a b"}"#, Some("\"a b\"")),
        (r#"{"id":-1}"#, Some("-1")),
        (r#","id":7}}"#, None),
        (r#","id":[7]}"#, None),
        (r#","xid":7}"#, None),
        (r#"\"id":7}"#, None),
        (r#","id":"a\"b"}"#, None),
        (r#","id":true}"#, None),
        (r#"7}"#, None),
        ("", None),
    ] {
        let found = id_at_end(tail.as_bytes());
        assert_eq!(found.as_ref().map(Id::json), id.map(str::as_bytes), "{tail}");
    }
}

#[test]
fn the_two_judges_work_on_two_threads() {
    let (mut client, mut server) = Judge::pair();
    assert_eq!(client.sender(), Sender::Client);
    let (send, receive) = std::sync::mpsc::channel::<Vec<u8>>();
    let answers =
        std::thread::spawn(move || receive.iter().all(|line| server.judge(Line::new(&line)) == Verdict::Forward));
    for id in 0..2000 {
        assert_eq!(client.judge(Line::new(request(id).to_string().as_bytes())), Verdict::Forward);
        send.send(answer(id).to_string().into_bytes()).unwrap();
    }
    drop(send);
    assert!(answers.join().unwrap());
}
