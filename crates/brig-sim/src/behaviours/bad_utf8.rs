//! `bad_utf8`: each answer holds a byte that is not UTF-8, inside a string.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "bad_utf8", about: "answers with bytes that are not UTF-8", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while let Some(answer) = stage.next_answer()? {
        // Every answer begins with this member; its value gets the stray byte.
        let rest = answer.trim_start_matches(r#"{"jsonrpc":"2.0","#);
        stage.send(b"{\"jsonrpc\":\"2.0\",\"x\":\"\xff\",")?;
        stage.send_line(rest)?;
    }
    Ok(0)
}
