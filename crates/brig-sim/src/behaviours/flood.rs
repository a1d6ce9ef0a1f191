//! `flood`: writes lines that are not JSON, as fast as they are taken, and reads nothing.

use std::io;
use std::time::Instant;

use super::{Behaviour, LIFETIME, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "flood", about: "writes lines that are not JSON as fast as they are taken", run };

/// Written at once: many short lines, as from a program stuck in a loop.
const LINES: usize = 1024;

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    let lines = "still here\n".repeat(LINES);
    let end = Instant::now() + LIFETIME;
    while Instant::now() < end {
        stage.send(lines.as_bytes())?;
    }
    Ok(0)
}
