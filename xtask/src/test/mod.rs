//! `cargo xtask test`: everything that the tests need, then every test, as root and as a user.
//!
//! A test that this machine cannot run writes a line `SKIP name: why` straight to standard error and
//! passes; the lines are listed at the end, counted as skipped, and on CI only those in
//! `skips::EXPECTED` are accepted. A test that takes minutes is `#[ignore = "long: why"]`.

mod built;
mod debian;
mod images;
mod leg;
mod npm;
mod ordinary_user;
mod pypi;
mod skips;
mod tally;
mod vm;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{process, screen, settings, workspace};
use leg::Leg;
use tally::Tally;

/// Install what the tests need, build, and run every test.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run the long tests too
    #[arg(long)]
    long: bool,
    /// Run the cases that need another kernel or another init, in virtual machines
    #[arg(long)]
    vm: bool,
    /// Run nothing but those cases
    #[arg(long)]
    only_vm: bool,
    /// Install and download nothing; what is missing is skipped
    #[arg(long)]
    offline: bool,
    /// Run only tests whose name contains this
    filter: Option<String>,
}

/// Where the npm packages lie that tests and benchmarks use.
pub(crate) use npm::servers as npm_servers;

/// The image of server-everything as a docker-archive, for the benchmarks.
pub(crate) fn everything_image() -> Result<std::path::PathBuf> {
    Ok(images::prepare()?.join("everything.tar"))
}

/// Installs Debian packages that a benchmark needs.
pub(crate) fn install_for_bench() -> Result<Vec<String>> {
    debian::ensure(debian::FOR_BENCH)
}

/// Prepares, builds and runs. The last line is `N passed, N failed, N skipped`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace::root()?;
    let mut legs = Vec::new();
    let mut missing = Vec::new();
    if !arguments.offline {
        legs.push(timed("prepare", || prepare(&mut missing))?);
    }
    legs.push(timed("build", || build(&root))?);
    if !arguments.only_vm {
        legs.extend(here(&root, arguments, &mut missing)?);
    }
    if arguments.vm || arguments.only_vm {
        legs.extend(vm::legs(&root)?);
    }
    close(&legs, &missing)
}

/// Every test on this machine: as whoever we are, and as root as an ordinary user besides.
fn here(root: &Path, arguments: &Arguments, missing: &mut Vec<String>) -> Result<Vec<Leg>> {
    let filter = arguments.filter.as_deref();
    let mut legs = vec![leg::workspace(root, arguments.long, filter)?];
    if process::is_root() {
        legs.extend(ordinary_user::leg(root, arguments.long, filter)?);
    } else {
        missing.push("SKIP as_root: these tests ran as an ordinary user; run them once more with sudo".to_owned());
    }
    Ok(legs)
}

fn prepare(missing: &mut Vec<String>) -> Result<Tally> {
    for package in debian::ensure(debian::FOR_TESTS)? {
        missing.push(format!("SKIP debian_{package}: it is not installed"));
    }
    for (name, step) in [
        ("npm_servers", npm::servers as fn() -> Result<std::path::PathBuf>),
        ("npm_clients", npm::clients),
        ("pypi_servers", pypi::servers),
        ("pypi_clients", pypi::clients),
        ("images", images::prepare),
    ] {
        let start = Instant::now();
        match step() {
            Ok(_) => screen::note(&format!("{name}: ready after {:.1} s", start.elapsed().as_secs_f64())),
            // Offline, on another system: the tests that need it say so one by one.
            Err(error) if !settings::on_ci() => missing.push(format!("SKIP {name}: {error:#}")),
            Err(error) => return Err(error),
        }
    }
    Ok(Tally::default())
}

fn build(root: &Path) -> Result<Tally> {
    process::run(process::cargo(root).args(["build", "--workspace", "--features", leg::FEATURES]))?;
    process::run(process::cargo(root).args(["test", "--workspace", "--features", leg::FEATURES, "--no-run"]))?;
    Ok(Tally::default())
}

fn timed(name: &str, work: impl FnOnce() -> Result<Tally>) -> Result<Leg> {
    screen::heading(name);
    let start = Instant::now();
    let tally = work()?;
    Ok(Leg { name: name.to_owned(), took: start.elapsed(), tally, broken: false })
}

fn close(legs: &[Leg], missing: &[String]) -> Result<()> {
    screen::heading("time of each leg");
    let mut sum = Tally::default();
    for leg in legs {
        screen::note(&format!("{:>8.1} s  {}{}", leg.took.as_secs_f64(), leg.name, leg.summary()));
        sum.add(&leg.tally);
    }
    sum.skips.extend(missing.iter().cloned());
    let unexpected = skips::show(&sum.skips);
    let broken: Vec<&str> = legs.iter().filter(|it| it.broken).map(|it| it.name.as_str()).collect();
    let skipped = sum.skips.len() + sum.ignored;
    screen::data(&format!("{} passed, {} failed, {skipped} skipped", sum.really_passed(), sum.failed));
    if sum.failed > 0 || !broken.is_empty() {
        bail!("tests failed in: {}", broken.join(", "));
    }
    if settings::on_ci() && unexpected > 0 {
        bail!("{unexpected} skips are not in xtask/src/test/skips.rs; on CI each one needs a line with its reason");
    }
    Ok(())
}
