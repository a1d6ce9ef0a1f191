//! `dies_by_signal`: answers once, then dies of SIGABRT.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "dies_by_signal", about: "answers once, then dies of SIGABRT", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    if let Some(answer) = stage.next_answer()? {
        stage.send_line(&answer)?;
    }
    std::process::abort();
}
