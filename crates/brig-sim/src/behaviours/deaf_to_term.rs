//! `deaf_to_term`: honest, but neither the end of its input nor SIGTERM ends it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Behaviour, LIFETIME, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "deaf_to_term", about: "stays when its input ends and when SIGTERM comes", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    // A flag that nobody looks at takes the place of the signal's default.
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::new(AtomicBool::new(false)))?;
    while let Some(answer) = stage.next_answer()? {
        stage.send_line(&answer)?;
    }
    std::thread::sleep(LIFETIME);
    Ok(0)
}
