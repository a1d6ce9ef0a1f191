//! `exits_with_code`: answers once, then exits with status 7.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "exits_with_code", about: "answers once, then exits with status 7", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    if let Some(answer) = stage.next_answer()? {
        stage.send_line(&answer)?;
    }
    Ok(7)
}
