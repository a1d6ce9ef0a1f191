//! The runner that needs nothing but the project's own compiler: mutates the seeds without looking
//! at what they reach.
//!
//! `blind TARGET SECONDS [START]`, `blind --list`, `blind --seeds TARGET FOLDER`,
//! `blind --replay TARGET FILE`.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use brig_fuzz::mutate::{Dice, input};
use brig_fuzz::targets::{self, Target};

/// An input that takes longer is a finding: nobody may hold brig up with a message. This build is
/// hardly optimised.
const MOST: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["--list"] => {
            targets::ALL.iter().for_each(|it| println!("{}", it.name));
            Ok(())
        }
        ["--seeds", name, folder] => write_seeds(find(name)?, Path::new(folder)),
        ["--replay", name, file] => {
            let bytes = std::fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))?;
            try_one(find(name)?, &bytes)
        }
        [name, seconds] => search(find(name)?, seconds, now()),
        [name, seconds, start] => {
            search(find(name)?, seconds, start.parse().map_err(|_| format!("{start} is no number"))?)
        }
        _ => {
            Err("usage: blind TARGET SECONDS [START] | --list | --seeds TARGET FOLDER | --replay TARGET FILE"
                .to_owned())
        }
    }
}

fn find(name: &str) -> Result<&'static Target, String> {
    targets::find(name).ok_or_else(|| format!("there is no target {name}; --list shows them"))
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or(1)
}

fn write_seeds(target: &Target, folder: &Path) -> Result<(), String> {
    for (number, seed) in target.seeds.iter().enumerate() {
        let place = folder.join(format!("seed-{number}"));
        std::fs::write(&place, seed).map_err(|error| format!("cannot write {}: {error}", place.display()))?;
    }
    Ok(())
}

fn search(target: &Target, seconds: &str, start: u64) -> Result<(), String> {
    let seconds: u64 = seconds.parse().map_err(|_| format!("{seconds} is no number of seconds"))?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut dice = Dice::new(start);
    let mut count = 0_u64;
    println!("{}: started from {start}", target.name);
    while Instant::now() < end {
        let bytes = input(target.seeds, &mut dice);
        if let Err(problem) = try_one(target, &bytes) {
            let folder = Path::new("artifacts").join(target.name);
            let place = folder.join(format!("blind-{start}-{count}"));
            std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(&place, &bytes))
                .map_err(|error| error.to_string())?;
            return Err(format!("{problem}; the input is fuzz/{}", place.display()));
        }
        count += 1;
    }
    println!("{}: {count} inputs, no finding", target.name);
    Ok(())
}

fn try_one(target: &Target, bytes: &[u8]) -> Result<(), String> {
    let start = Instant::now();
    catch_unwind(AssertUnwindSafe(|| (target.entry)(bytes))).map_err(|_| format!("{} broke a promise", target.name))?;
    if start.elapsed() > MOST {
        return Err(format!("{} took {} ms for one input", target.name, start.elapsed().as_millis()));
    }
    Ok(())
}
