//! From the start of the command to the first MCP answer.

use anyhow::Result;

use super::client::Client;
use super::contenders::{Contender, Field, Server};
use super::report::{Section, milliseconds, row};
use super::{Rounds, stats};

const FIELD: &[Contender] = &[Contender::Plain, Contender::Brig, Contender::Bubblewrap, Contender::Docker];

/// Starts every contender in turn, round by round.
pub(super) fn run(field: &Field, rounds: Rounds) -> Result<Section> {
    let mut section = Section::new(
        "Start to the first answer",
        "`initialize` is sent at once; the clock stops when its answer is read. Warm store, no grant. \
         *Added* is the difference to the plain process within the same round.",
        "at most 15 ms added, and 12 times less than Docker adds",
        &["server", "contender", "median ms", "p95 ms", "added ms", "added, against brig"],
    );
    for (server, count) in [(Server::Static, 60), (Server::Everything, 20)] {
        let contenders = field.present(FIELD);
        let mut times = vec![Vec::new(); contenders.len()];
        for round in 0..rounds.of(count) + 1 {
            for (at, contender) in contenders.iter().enumerate() {
                let client = Client::start(&mut field.command(*contender, server)?)?;
                // The first round warms caches up.
                if round > 0 {
                    times[at].push(milliseconds(client.first_answer));
                }
            }
        }
        rows(&mut section, server, &contenders, &times);
    }
    Ok(section)
}

fn rows(section: &mut Section, server: Server, contenders: &[Contender], times: &[Vec<f64>]) {
    let added = |at: usize| stats::median(&stats::added(&times[at], &times[0]));
    let brig = contenders.iter().position(|it| *it == Contender::Brig).map(added);
    for (at, contender) in contenders.iter().enumerate() {
        let ratio =
            brig.filter(|it| at > 0 && *it > 0.0).map_or("–".to_owned(), |brig| format!("{:.1}", added(at) / brig));
        let extra = if at == 0 { "–".to_owned() } else { format!("{:.1}", added(at)) };
        section.rows.push(row(&[
            server.name(),
            contender.name(),
            &format!("{:.1}", stats::median(&times[at])),
            &format!("{:.1}", stats::p95(&times[at])),
            &extra,
            &ratio,
        ]));
    }
}
