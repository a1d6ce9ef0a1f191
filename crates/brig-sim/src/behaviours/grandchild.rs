//! `grandchild`: honest, but leaves a process behind that holds its output open.

use std::io;
use std::process::{Command, Stdio};

use super::{Behaviour, Stage};

pub(super) const BEHAVIOUR: Behaviour =
    Behaviour { name: "grandchild", about: "leaves a process behind that holds its output open for a minute", run };

fn run(stage: &mut Stage<'_>) -> io::Result<u8> {
    // Its standard output is ours, by inheritance; it says one line that is not JSON.
    let left_behind =
        Command::new("/proc/self/exe").args(&stage.facts.words).args(["hold", "60"]).stdin(Stdio::null()).spawn()?;
    drop(left_behind);
    while let Some(answer) = stage.next_answer()? {
        stage.send_line(&answer)?;
    }
    Ok(0)
}
