//! `never_reads`: leaves its input alone until it is killed.

use std::io;

use super::{Behaviour, LIFETIME, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "never_reads", about: "never reads its input and never ends by itself", run };

fn run(_stage: &mut Stage<'_>) -> io::Result<u8> {
    std::thread::sleep(LIFETIME);
    Ok(0)
}
