//! `chatty`: log lines that are not JSON stand between its answers, as from a forgotten print statement.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "chatty", about: "prints log lines between its answers", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while let Some(answer) = stage.next_answer()? {
        stage.send_line("INFO \u{1b}[32mready\u{1b}[0m")?;
        stage.send_line("")?;
        stage.send_line(&answer)?;
    }
    Ok(0)
}
