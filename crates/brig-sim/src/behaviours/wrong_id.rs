//! `wrong_id`: each answer comes twice: under an id that nobody used, then under the right one.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "wrong_id", about: "answers under an id that nobody used, then under the right one", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while let Some(answer) = stage.next_answer()? {
        stage.send_line(&answer.replacen(r#""id":"#, r#""id":"nobody-asked","was":"#, 1))?;
        stage.send_line(&answer)?;
    }
    Ok(0)
}
