//! The words that brig says to itself, and to those who package it.

use std::ffi::OsString;
use std::process::ExitCode;

use brig_engine::native;
use clap::CommandFactory;

use crate::args::Args;
use crate::settings;

/// Makes brig's binary the simulated server.
pub(crate) const SIM: &str = "__sim";

/// Enters a hidden command, when the first word names one. Comes before everything else: the helper
/// must not read settings, and has nowhere to print.
pub(crate) fn enter(words: &[OsString]) -> Option<ExitCode> {
    match words.get(1)?.to_str()? {
        native::HELPER_ARG => Some(native::helper_main()),
        SIM => Some(sim(&words[2..])),
        "__man" => Some(man()),
        "__completions" => completions(words.get(2)?.to_str()?),
        _ => None,
    }
}

/// Whatever it is told, it is told by brig's own demo and tests.
fn sim(words: &[OsString]) -> ExitCode {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let facts = brig_sim::Facts { env: settings::whole_environment(), words: vec![SIM.to_owned()] };
    match brig_sim::enter(&words, std::io::stdin().lock(), std::io::stdout(), &facts) {
        Ok(status) => ExitCode::from(status),
        Err(_) => ExitCode::from(2),
    }
}

fn man() -> ExitCode {
    let page = clap_mangen::Man::new(Args::command());
    match page.render(&mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn completions(shell: &str) -> Option<ExitCode> {
    let shell: clap_complete::Shell = shell.parse().ok()?;
    clap_complete::generate(shell, &mut Args::command(), "brig", &mut std::io::stdout().lock());
    Some(ExitCode::SUCCESS)
}
