//! `endless_line`: begins an answer that never ends, as fast as it is taken, and reads nothing.

use std::io;
use std::time::Instant;

use super::{Behaviour, LIFETIME, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "endless_line", about: "writes one line that never ends", run };

/// Written at once.
const PIECE: usize = 64 * 1024;

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    let piece = "A".repeat(PIECE);
    let end = Instant::now() + LIFETIME;
    stage.send(br#"{"jsonrpc":"2.0","id":1,"result":{"text":""#)?;
    while Instant::now() < end {
        stage.send(piece.as_bytes())?;
    }
    Ok(0)
}
