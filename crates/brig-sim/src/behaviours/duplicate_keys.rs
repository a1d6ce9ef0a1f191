//! `duplicate_keys`: each answer holds two results: a harmless one, and the real one.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "duplicate_keys", about: "answers with two results under one key", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while let Some(answer) = stage.next_answer()? {
        let twice = answer.replacen(r#""result":"#, r#""result":{"content":[]},"result":"#, 1);
        stage.send_line(&twice)?;
    }
    Ok(0)
}
