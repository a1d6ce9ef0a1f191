//! `asks_client`: a request from the server comes before each answer, which the modern era forbids.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "asks_client", about: "sends a request of its own before each answer", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    let mut asked = 0;
    while let Some(answer) = stage.next_answer()? {
        asked += 1;
        stage.send_line(&format!(
            r#"{{"jsonrpc":"2.0","id":"ask-{asked}","method":"sampling/createMessage","params":{{"messages":[],"maxTokens":1}}}}"#
        ))?;
        stage.send_line(&answer)?;
    }
    Ok(0)
}
