//! `never_answers`: reads everything, says nothing, ends when its input ends.

use std::io;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "never_answers", about: "reads everything and says nothing", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    while stage.next_answer()?.is_some() {}
    Ok(0)
}
