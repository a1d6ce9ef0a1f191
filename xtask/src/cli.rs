//! What can be typed after `cargo xtask`, and which file answers it.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{bench, ci, deny, docs, fuzz, release, test, tidy};

/// Checks, tests, benchmarks and docs of the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Check what the compiler does not: arrows, cycles, sizes, docs, where unsafe code may stand
    Tidy(tidy::Arguments),
    /// Install what the tests need, build, and run every test as root and as an ordinary user
    Test(test::Arguments),
    /// Measure brig against its alternatives and write BENCHMARKS.md
    Bench(bench::Arguments),
    /// Write the man page, the completions and the generated pages of docs/
    Docs(docs::Arguments),
    /// Check licences, sources and duplicate versions of every dependency
    Deny,
    /// Feed each parser of foreign bytes with random and mutated input
    Fuzz(fuzz::Arguments),
    /// Build the release binary and check its size, that it is static, and what it must not contain
    Release,
    /// Everything that must pass before a change lands
    Ci(ci::Arguments),
    /// The small programs that benchmarks run: not for people
    #[command(subcommand, hide = true, name = "__bench")]
    BenchProgram(bench::Program),
}

/// Reads the command line and runs what it asks for.
pub(crate) fn run() -> Result<()> {
    match Arguments::parse().job {
        Job::Tidy(arguments) => tidy::run(&arguments, jobs()),
        Job::Test(arguments) => test::run(&arguments),
        Job::Bench(arguments) => bench::run(&arguments),
        Job::Docs(arguments) => docs::run(&arguments),
        Job::Deny => deny::run(),
        Job::Fuzz(arguments) => fuzz::run(&arguments),
        Job::Release => release::run(),
        Job::Ci(arguments) => ci::run(&arguments),
        Job::BenchProgram(program) => bench::program(&program),
    }
}

/// The subcommands that a document may mention.
fn jobs() -> Vec<String> {
    use clap::CommandFactory;
    let names = Arguments::command();
    names.get_subcommands().filter(|job| !job.is_hide_set()).map(|job| job.get_name().to_owned()).collect()
}
