//! `huge`: honest, but for its answers to `tools/call`, which are larger than what brig forwards.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "huge", about: "answers a tool call with one line of 100 MiB", run };

/// One piece of the long line.
const PIECE: usize = 1024 * 1024;
/// How many pieces: more than the 80 MiB that brig forwards.
const PIECES: usize = 100;

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while let Some(answer) = stage.next_answer()? {
        // Only the answer to a call holds this member, with the text right before it.
        let Some((before, after)) = answer.split_once(r#""}],"isError""#) else {
            stage.send_line(&answer)?;
            continue;
        };
        stage.send(before.as_bytes())?;
        let piece = "A".repeat(PIECE);
        for _ in 0..PIECES {
            stage.send(piece.as_bytes())?;
        }
        stage.send_line(&format!(r#""}}],"isError"{after}"#))?;
    }
    Ok(0)
}
