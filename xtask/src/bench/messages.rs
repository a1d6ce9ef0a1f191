//! Large messages, there and back: their time and the memory that they take in brig.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::client::{Client, call};
use super::contenders::{Contender, Field, Server};
use super::report::{Section, milliseconds, row};
use super::{Rounds, procs, stats};

const MIB: usize = 1 << 20;
const SIZES: &[usize] = &[1, 4, 16, 64];
/// When memory has to be given back.
const REST: Duration = Duration::from_secs(1);

/// What a message is made of.
#[derive(Clone, Copy)]
enum Shape {
    OneString,
    ManyObjects,
}

/// Sends every size in both shapes through every contender in turn.
pub(super) fn run(field: &Field, rounds: Rounds) -> Result<Section> {
    let mut section = Section::new(
        "Large messages",
        "One `tools/call` of that size, whose answer has the same size. *Peak* is the most memory that the brig process \
         had; *after* is what brig, its helper and init hold together a second later.",
        "linear; 16 MiB within 60 ms (one string) and 150 ms (objects); memory at most twice the message, given back within a second",
        &["message", "MiB", "plain ms", "brig ms", "added ms", "peak MiB", "after MiB"],
    );
    for (shape, name) in [(Shape::OneString, "one base64 string"), (Shape::ManyObjects, "small objects")] {
        for size in SIZES {
            let line = measure(field, rounds, message(shape, size * MIB))?;
            let mut cells = vec![name.to_owned(), size.to_string()];
            cells.extend(line);
            section.rows.push(cells);
        }
    }
    Ok(section)
}

fn measure(field: &Field, rounds: Rounds, message: String) -> Result<Vec<String>> {
    let contenders = field.present(&[Contender::Plain, Contender::Brig]);
    let mut times = vec![Vec::new(); contenders.len()];
    let (mut peaks, mut rests) = (Vec::new(), Vec::new());
    for _ in 0..rounds.of(10) {
        for (at, contender) in contenders.iter().enumerate() {
            let mut client = Client::start(&mut field.command(*contender, Server::Static)?)?;
            times[at].push(milliseconds(client.round_trip(message.as_bytes())?));
            ensure!(client.answer().len() > message.len() / 2, "the answer is an error: {}", shown(client.answer()));
            if *contender == Contender::Brig {
                peaks.push(mebibytes(procs::peak(client.id())));
                std::thread::sleep(REST);
                rests.push(mebibytes(procs::pss(&procs::tree(client.id(), &field.this))));
            }
        }
    }
    let plain = stats::median(&times[0]);
    let Some(brig) = times.get(1) else {
        return Ok(row(&[&format!("{plain:.1}"), "–", "–", "–", "–"]));
    };
    let added = stats::median(&stats::added(brig, &times[0]));
    let numbers = [plain, stats::median(brig), added, stats::median(&peaks), stats::median(&rests)];
    Ok(numbers.iter().map(|it| format!("{it:.1}")).collect())
}

fn message(shape: Shape, bytes: usize) -> String {
    match shape {
        Shape::OneString => call(1, &format!(r#"{{"text":"{}"}}"#, "QUJD".repeat(bytes / 4))),
        Shape::ManyObjects => {
            let item = r#"{"line":12345,"path":"src/main.rs","text":"let x = 1;"},"#;
            let items = item.repeat(bytes / item.len());
            call(1, &format!(r#"{{"items":[{}]}}"#, items.trim_end_matches(',')))
        }
    }
}

fn shown(answer: &[u8]) -> String {
    String::from_utf8_lossy(&answer[..answer.len().min(300)]).into_owned()
}

#[allow(clippy::cast_precision_loss, reason = "mebibytes for a table")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
