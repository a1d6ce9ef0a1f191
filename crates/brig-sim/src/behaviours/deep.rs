//! `deep`: each answer holds lists within lists, far deeper than any reader should follow.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "deep", about: "answers with 100,000 lists within one another", run };

/// Enough to overflow the stack of a reader that recurses without a limit.
const DEPTH: usize = 100_000;

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while let Some(answer) = stage.next_answer()? {
        let lists = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
        let deep = answer.replacen('{', &format!(r#"{{"x":{lists},"#), 1);
        stage.send_line(&deep)?;
    }
    Ok(0)
}
