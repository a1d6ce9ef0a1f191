//! `half_line`: the first answer breaks off in the middle, without a line end.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour = Behaviour { name: "half_line", about: "writes half an answer and exits", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    if let Some(answer) = stage.next_answer()? {
        let bytes = answer.as_bytes();
        stage.send(&bytes[..bytes.len() / 2])?;
    }
    Ok(0)
}
