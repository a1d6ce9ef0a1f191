//! What one idle box costs beside its server.

use std::time::Duration;

use anyhow::Result;

use super::client::Client;
use super::contenders::{Contender, Field, Server};
use super::report::{Section, row};
use super::{Rounds, procs, stats};

/// Starts a box, waits until it is quiet, and adds up what does not belong to the server.
pub(super) fn run(field: &Field, rounds: Rounds) -> Result<Section> {
    let mut section = Section::new(
        "Idle memory of one box",
        "Proportional set size a second after the first answer, the server itself left out: brig, its helper and init; \
         bubblewrap's own processes; Docker's client and shim (its daemons, which run once, are left out too).",
        "at most 12 MiB",
        &["contender", "processes", "median MiB", "p95 MiB"],
    );
    for contender in field.present(&[Contender::Brig, Contender::Bubblewrap, Contender::Docker]) {
        let (mut sizes, mut count) = (Vec::new(), 0);
        for _ in 0..rounds.of(10) {
            let client = Client::start(&mut field.command(contender, Server::Static)?)?;
            std::thread::sleep(Duration::from_secs(1));
            let ids = around(field, contender, client.id());
            count = ids.len();
            #[allow(clippy::cast_precision_loss, reason = "mebibytes for a table")]
            sizes.push(procs::pss(&ids) as f64 / 1024.0);
        }
        let numbers = [stats::median(&sizes), stats::p95(&sizes)].map(|it| format!("{it:.1}"));
        section.rows.push(row(&[contender.name(), &count.to_string(), &numbers[0], &numbers[1]]));
    }
    Ok(section)
}

/// The processes that a contender needs beside the server.
pub(super) fn around(field: &Field, contender: Contender, id: u32) -> Vec<u32> {
    let mut ids = procs::tree(id, &field.this);
    if let (Contender::Docker, Some(docker)) = (contender, &field.docker) {
        ids.extend(procs::named("containerd-shim", &docker.mark()));
    }
    ids
}
