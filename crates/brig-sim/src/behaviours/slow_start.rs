//! `slow_start`: honest, but reads nothing for its first seconds, as a large program that loads.

use std::io;
use std::time::Duration;

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "slow_start", about: "reads nothing for its first three seconds", run };

/// Longer than the 2.9 s after which one client gives up its first question.
const LOADING: Duration = Duration::from_secs(3);

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    std::thread::sleep(LOADING);
    while let Some(answer) = stage.next_answer()? {
        stage.send_line(&answer)?;
    }
    Ok(0)
}
