//! The words that brig says to itself, and to those who package it.

use std::ffi::OsString;
use std::process::ExitCode;

use brig_engine::native;
use clap::CommandFactory;

use crate::args::Args;

/// Enters a hidden command, when the first word names one. Comes before everything else: the helper
/// must not read settings, and has nowhere to print.
pub(crate) fn enter(words: &[OsString]) -> Option<ExitCode> {
    match words.get(1)?.to_str()? {
        native::HELPER_ARG => Some(native::helper_main()),
        "__man" => Some(man()),
        "__completions" => completions(words.get(2)?.to_str()?),
        _ => None,
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
