//! `cargo xtask bench`: brig against what people use instead, in one run, alternating.
//!
//! Each benchmark is one file and stands in one list. Contenders take turns round by round, so that
//! a noisy machine is noisy for all of them; what is shown is medians and 95th percentiles, and
//! differences are taken within a round.

mod client;
mod contenders;
mod dockerd;
mod fifty;
mod memory;
mod messages;
mod procs;
mod report;
mod round_trip;
mod serve;
mod start;
mod stats;

use anyhow::{Result, bail};

use crate::{screen, workspace};
use contenders::Field;
use report::Section;

/// Measure brig against its alternatives.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these benchmarks
    names: Vec<String>,
    /// A tenth of the rounds, to see that everything runs; BENCHMARKS.md is left alone
    #[arg(long)]
    quick: bool,
    /// Leave Docker out
    #[arg(long)]
    no_docker: bool,
    /// Leave brig out: this checks the benchmarks themselves
    #[arg(long)]
    no_brig: bool,
}

/// The small programs that benchmarks run.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Program {
    /// An MCP server that answers at once
    Serve,
    /// A relay that only copies bytes: the least that any relay costs
    Relay {
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// A client that prints the time of each round trip, in nanoseconds
    RoundTrips {
        #[arg(long)]
        count: usize,
        #[arg(long)]
        bytes: usize,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

/// One benchmark.
struct Bench {
    id: &'static str,
    run: fn(&Field, Rounds) -> Result<Section>,
}

const ALL: &[Bench] = &[
    Bench { id: "start", run: start::run },
    Bench { id: "round_trip", run: round_trip::run },
    Bench { id: "messages", run: messages::run },
    Bench { id: "memory", run: memory::run },
    Bench { id: "fifty", run: fifty::run },
];

/// How often to repeat.
#[derive(Debug, Clone, Copy)]
struct Rounds {
    quick: bool,
}

impl Rounds {
    /// That many rounds, or a tenth of them and at least two.
    fn of(self, full: usize) -> usize {
        if self.quick { (full / 10).max(2) } else { full }
    }
}

/// Runs the benchmarks and writes BENCHMARKS.md when all of them ran in full.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let chosen: Vec<&Bench> = ALL
        .iter()
        .filter(|it| arguments.names.is_empty() || arguments.names.iter().any(|name| name == it.id))
        .collect();
    if chosen.is_empty() {
        bail!("there is no such benchmark; there are: {}", ALL.iter().map(|it| it.id).collect::<Vec<_>>().join(", "));
    }
    let root = workspace::root()?;
    let field = Field::prepare(&root, !arguments.no_brig, !arguments.no_docker)?;
    let mut sections = Vec::new();
    for bench in &chosen {
        screen::heading(bench.id);
        let section = (bench.run)(&field, Rounds { quick: arguments.quick })?;
        screen::data(&section.text());
        sections.push(section);
    }
    let complete = chosen.len() == ALL.len() && !arguments.quick && !arguments.no_brig && !arguments.no_docker;
    if complete {
        std::fs::write(root.join("BENCHMARKS.md"), report::page(&field, &sections)?)?;
        screen::note("BENCHMARKS.md is written");
    } else {
        screen::note("BENCHMARKS.md is left alone: not everything ran in full");
    }
    Ok(())
}

/// Runs one of the small programs.
pub(crate) fn program(program: &Program) -> Result<()> {
    match program {
        Program::Serve => serve::serve(),
        Program::Relay { command } => serve::relay(command),
        Program::RoundTrips { count, bytes, command } => round_trip::measure(command, *count, *bytes),
    }
}
