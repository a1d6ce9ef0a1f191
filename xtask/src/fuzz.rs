//! `cargo xtask fuzz`: every parser of foreign bytes, fed with what nobody would send in good faith.
//!
//! With a nightly toolchain libFuzzer runs, which sees what each input reaches; without one, a small
//! runner of the fuzz crate itself mutates the seeds blindly. Either way a crash leaves its input in
//! `fuzz/artifacts/`, and the last line says how to run it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{artifact, process, screen, workspace};

/// Feed each parser of foreign bytes with random and mutated input.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this target
    target: Option<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Use the runner that needs no nightly toolchain
    #[arg(long)]
    stable: bool,
}

/// What libFuzzer needs of the compiler: coverage in every branch, and the address sanitizer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address --cfg fuzzing";

/// A slower input is a finding: nobody may hold brig up with a message.
const SECONDS_FOR_ONE_INPUT: &str = "-timeout=5";
/// So is one that takes more memory, in MiB.
const MEMORY: &str = "-rss_limit_mb=1024";

/// Builds the fuzz crate and runs its targets, one after another.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = workspace::root()?.join("fuzz");
    let blind = build_blind(&folder)?;
    let names = process::output(Command::new(&blind).arg("--list"))?;
    let chosen: Vec<&str> =
        names.lines().filter(|name| arguments.target.as_deref().is_none_or(|only| only == *name)).collect();
    if chosen.is_empty() {
        bail!("there is no such target; the targets are: {}", names.split_whitespace().collect::<Vec<_>>().join(", "));
    }
    let nightly =
        !arguments.stable && process::succeeds(Command::new("rustup").args(["run", "nightly", "rustc", "-V"]));
    let guided = if nightly { Some(build_guided(&folder)?) } else { None };
    let mut found = Vec::new();
    for name in &chosen {
        screen::note(&format!("fuzz {name}: {} s, {}", arguments.seconds, if nightly { "libFuzzer" } else { "blind" }));
        let outcome = match &guided {
            Some(program) => run_guided(&folder, &blind, program, name, arguments.seconds),
            None => {
                process::run(Command::new(&blind).current_dir(&folder).args([*name, &arguments.seconds.to_string()]))
            }
        };
        if let Err(error) = outcome {
            screen::note(&format!("{error:#}"));
            found.push(*name);
        }
    }
    if !found.is_empty() {
        bail!("fuzzing found something in: {}", found.join(", "));
    }
    screen::note(&format!("fuzz: {} targets, no finding", chosen.len()));
    Ok(())
}

/// The runner of the fuzz crate itself, built as the project is.
fn build_blind(folder: &Path) -> Result<PathBuf> {
    // In the project's own target folder, where the dependencies are built already.
    artifact::build(folder, &["--bin", "blind", "--target-dir", "../target"], "blind")
}

fn build_guided(folder: &Path) -> Result<PathBuf> {
    let target = host()?;
    let mut build = process::command("rustup", folder);
    build.args([
        "run",
        "nightly",
        "cargo",
        "build",
        "--quiet",
        "--profile",
        "guided",
        "--bin",
        "guided",
        "--features",
        "libfuzzer",
    ]);
    build.args(["--target", &target, "--target-dir", "target/libfuzzer"]).env("RUSTFLAGS", COVERAGE);
    build.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC").env_remove("CARGO");
    process::run(&mut build)?;
    Ok(folder.join("target/libfuzzer").join(target).join("guided/guided"))
}

fn run_guided(folder: &Path, blind: &Path, program: &Path, name: &str, seconds: u32) -> Result<()> {
    let corpus = folder.join("corpus").join(name);
    let artifacts = folder.join("artifacts").join(name);
    for place in [&corpus, &artifacts] {
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    }
    process::run(Command::new(blind).arg("--seeds").arg(name).arg(&corpus))?;
    let log = artifacts.join("log");
    let mut fuzz = process::command(program, folder);
    fuzz.env("BRIG_FUZZ_TARGET", name).args([SECONDS_FOR_ONE_INPUT, MEMORY, "-print_final_stats=1"]);
    fuzz.arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&corpus);
    let outcome = process::run(fuzz.stderr(fs::File::create(&log)?));
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if outcome.is_ok() {
        let stat = "stat::number_of_executed_units:";
        let count = text.lines().find_map(|line| line.strip_prefix(stat)).unwrap_or(" unknown").trim();
        screen::note(&format!("{name}: {count} inputs, no finding"));
        return Ok(());
    }
    let lines: Vec<&str> = text.lines().collect();
    screen::note(&lines[lines.len().saturating_sub(60)..].join("\n"));
    let again = format!("{} --replay {name} {}/FILE", blind.display(), artifacts.display());
    outcome.with_context(|| format!("{name} has a finding; run it again with: {again}"))
}

fn host() -> Result<String> {
    let text = process::output(Command::new("rustup").args(["run", "nightly", "rustc", "-vV"]))?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc names no host")
}
