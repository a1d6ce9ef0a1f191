//! The server as a plain process: what every client of today starts.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::plants::Plants;
use super::{DemoError, Order, Talk};

/// How long it may take to end after its input has.
const GRACE: Duration = Duration::from_millis(500);
/// How often its end is looked for.
const SLICE: Duration = Duration::from_millis(2);

/// Starts it as a client would: with the whole environment, the user's home folder (the made-up
/// one) and the project as its working folder.
pub(super) fn start(order: &Order<'_>, plants: &Plants) -> Result<Talk, DemoError> {
    let failed = |source| DemoError::Plain { program: order.program.to_owned(), source };
    let mut child = Command::new(order.program)
        .args(order.words)
        .env("HOME", plants.home())
        .envs(plants.environment())
        .current_dir(plants.project())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
    };
    let end = move || {
        let limit = Instant::now() + GRACE;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < limit {
            std::thread::sleep(SLICE);
        }
        // It may have ended by itself.
        let _ended = child.kill();
        let _reaped = child.wait();
    };
    Ok(Talk { input: Box::new(input), output: Box::new(output), end: Box::new(end) })
}
