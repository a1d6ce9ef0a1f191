//! The round trip of a small request: pinned to one processor, and as it comes.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::client::{Client, call};
use super::contenders::{Contender, Field, Server};
use super::report::{Section, row};
use super::{Rounds, stats};
use crate::{process, screen};

/// The size of a request.
const BYTES: usize = 200;
/// Round trips of one turn; before them a tenth as many warm up.
const TRIPS: usize = 5000;

/// Lets the contenders take turns, each in a client process of its own.
pub(super) fn run(field: &Field, rounds: Rounds) -> Result<Section> {
    let mut section = Section::new(
        "Round trip of a 200-byte request",
        "A `tools/call` that comes back unchanged. *Pinned*: client, contender and server on one processor, so that \
         no wake-up of another one is measured. Each number is the median of the turns' own.",
        "pinned: at most 15 µs added to plain pipes; unpinned: at most half of Docker's",
        &["where", "contender", "median µs", "p95 µs", "added µs"],
    );
    let pinned = [Contender::Plain, Contender::Relay, Contender::Brig];
    let unpinned = [Contender::Plain, Contender::Relay, Contender::Brig, Contender::Bubblewrap, Contender::Docker];
    for (place, wanted) in [("pinned", &pinned[..]), ("unpinned", &unpinned[..])] {
        let contenders = field.present(wanted);
        let mut medians = vec![Vec::new(); contenders.len()];
        let mut tails = vec![Vec::new(); contenders.len()];
        for _ in 0..rounds.of(20) {
            for (at, contender) in contenders.iter().enumerate() {
                let (median, tail) = turn(field, *contender, place == "pinned")?;
                medians[at].push(median);
                tails[at].push(tail);
            }
        }
        for (at, contender) in contenders.iter().enumerate() {
            let added = stats::median(&stats::added(&medians[at], &medians[0]));
            section.rows.push(row(&[
                place,
                contender.name(),
                &format!("{:.1}", stats::median(&medians[at])),
                &format!("{:.1}", stats::median(&tails[at])),
                &if at == 0 { "–".to_owned() } else { format!("{added:.1}") },
            ]));
        }
    }
    Ok(section)
}

/// Median and p95 of one turn, in microseconds.
fn turn(field: &Field, contender: Contender, pinned: bool) -> Result<(f64, f64)> {
    let server = field.command(contender, Server::Static)?;
    let mut client = if pinned {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "0"]).arg(&field.this);
        command
    } else {
        Command::new(&field.this)
    };
    client.args(["__bench", "round-trips", "--count", &TRIPS.to_string(), "--bytes", &BYTES.to_string(), "--"]);
    client.arg(server.get_program()).args(server.get_args());
    client.envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let text = process::output(&mut client)?;
    let times: Vec<f64> =
        text.split_whitespace().filter_map(|it| it.parse::<f64>().ok()).map(|it| it / 1000.0).collect();
    Ok((stats::median(&times), stats::p95(&times)))
}

/// The client of one turn: prints the nanoseconds of each round trip.
pub(super) fn measure(command: &[String], count: usize, bytes: usize) -> Result<()> {
    let (program, arguments) = command.split_first().context("a client needs a command")?;
    let mut client = Client::start(Command::new(program).args(arguments))?;
    let empty = call(10_000, r#"{"text":""}"#).len();
    let text = "x".repeat(bytes.saturating_sub(empty));
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    for number in 0..count + count / 10 {
        let message = call(10_000 + number, &format!(r#"{{"text":"{text}"}}"#));
        let took = client.round_trip(message.as_bytes())?;
        if number >= count / 10 {
            times.push(took);
        }
    }
    let lines: Vec<String> = times.iter().map(|it| it.as_nanos().to_string()).collect();
    screen::data(&lines.join("\n"));
    Ok(())
}
