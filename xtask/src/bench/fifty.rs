//! Fifty boxes at once.

use std::time::Instant;

use anyhow::{Context, Result};

use super::client::{Client, Started};
use super::contenders::{Contender, Field, Server};
use super::report::{Section, milliseconds, row};
use super::{Rounds, memory, procs, stats};

const BOXES: usize = 50;

/// Starts fifty, one right after another without waiting, and waits until all have answered.
pub(super) fn run(field: &Field, rounds: Rounds) -> Result<Section> {
    let mut section = Section::new(
        "Fifty boxes at once",
        "Fifty are started one right after another; the time is that until the last one has given its first answer. \
         Memory as above, of all of them together.",
        "all answer",
        &["contender", "answered", "until the last, ms", "median start, ms", "MiB in all"],
    );
    for contender in field.present(&[Contender::Plain, Contender::Brig, Contender::Bubblewrap, Contender::Docker]) {
        let (mut lasts, mut starts, mut sizes, mut answered) = (Vec::new(), Vec::new(), Vec::new(), BOXES);
        for _ in 0..rounds.of(5) {
            let begin = Instant::now();
            let clients = start_all(field, contender)?;
            lasts.push(milliseconds(begin.elapsed()));
            answered = answered.min(clients.len());
            starts.extend(clients.iter().map(|it| milliseconds(it.first_answer)));
            sizes.push(together(field, contender, &clients));
            end_all(clients);
        }
        section.rows.push(row(&[
            contender.name(),
            &answered.to_string(),
            &format!("{:.0}", stats::median(&lasts)),
            &format!("{:.0}", stats::median(&starts)),
            &format!("{:.0}", stats::median(&sizes)),
        ]));
    }
    Ok(section)
}

/// Those that answered.
fn start_all(field: &Field, contender: Contender) -> Result<Vec<Client>> {
    let mut started = Vec::new();
    for _ in 0..BOXES {
        started.push(Started::spawn(&mut field.command(contender, Server::Static)?)?);
    }
    std::thread::scope(|scope| {
        let greeting: Vec<_> = started.into_iter().map(|it| scope.spawn(|| it.greet())).collect();
        let mut clients = Vec::new();
        for thread in greeting {
            clients.extend(thread.join().ok().context("a client panicked")?.ok());
        }
        Ok(clients)
    })
}

#[allow(clippy::cast_precision_loss, reason = "mebibytes for a table")]
fn together(field: &Field, contender: Contender, clients: &[Client]) -> f64 {
    let mut ids: Vec<u32> = clients.iter().flat_map(|it| memory::around(field, contender, it.id())).collect();
    ids.sort_unstable();
    ids.dedup();
    procs::pss(&ids) as f64 / 1024.0
}

/// Ends them together: one after another would take fifty times as long.
fn end_all(clients: Vec<Client>) {
    std::thread::scope(|scope| {
        for client in clients {
            scope.spawn(move || drop(client));
        }
    });
}
