//! One leg of the test run: a command whose output is shown as it comes, and counted.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::tally::Tally;
use crate::{process, screen};

/// What one leg did.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) name: String,
    pub(super) took: Duration,
    pub(super) tally: Tally,
    /// Whether its command failed, counted tests or not.
    pub(super) broken: bool,
}

impl Leg {
    /// Its counts, for the table at the end.
    pub(super) fn summary(&self) -> String {
        if self.tally == Tally::default() && !self.broken {
            return String::new();
        }
        let failed =
            if self.broken && self.tally.failed == 0 { "broken".to_owned() } else { self.tally.failed.to_string() };
        format!(": {} passed, {failed} failed, {} skipped", self.tally.really_passed(), self.tally.skips.len())
    }
}

/// What tests are built with: the feature with which a test leaves a wall out, to be seen to fail.
pub(super) const FEATURES: &str = "brig/breach";

/// Every test of the workspace, as whoever we are.
pub(super) fn workspace(root: &Path, long: bool, filter: Option<&str>) -> Result<Leg> {
    let mut command = process::cargo(root);
    command.args(["test", "--workspace", "--features", FEATURES, "--no-fail-fast"]).args(filter).arg("--");
    if long {
        command.arg("--include-ignored");
    }
    let who = if process::is_root() { "cargo test as root" } else { "cargo test as an ordinary user" };
    run(who, &mut command)
}

/// Runs a command as a leg.
pub(super) fn run(name: &str, command: &mut Command) -> Result<Leg> {
    screen::heading(name);
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", process::shown(command)))?;
    let mut tally = Tally::default();
    let (sender, lines) = channel();
    let stdout = child.stdout.take().context("a piped stdout is there")?;
    let stderr = child.stderr.take().context("a piped stderr is there")?;
    std::thread::scope(|scope| {
        let second = sender.clone();
        scope.spawn(move || forward(stdout, &sender, true));
        scope.spawn(move || forward(stderr, &second, false));
        for (line, is_data) in lines {
            tally.read(&line);
            if is_data { screen::data(&line) } else { screen::note(&line) }
        }
    });
    let status = child.wait().with_context(|| format!("cannot wait for {}", process::shown(command)))?;
    Ok(Leg { name: name.to_owned(), took: start.elapsed(), broken: !status.success(), tally })
}

fn forward(stream: impl Read, lines: &Sender<(String, bool)>, is_data: bool) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        if lines.send((text, is_data)).is_err() {
            return;
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_counts_both_streams_and_says_when_its_command_broke() {
        let script = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; echo 'SKIP a: b' >&2; exit 3";
        let leg = run("x", Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!((leg.tally.passed, leg.tally.skips.len(), leg.broken), (2, 1, true));
        assert!(leg.summary().contains("1 passed, broken failed, 1 skipped"), "{}", leg.summary());
    }
}
