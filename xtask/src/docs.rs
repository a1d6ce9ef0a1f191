//! `cargo xtask docs`: the man page, the completions and the page of commands, all printed by the
//! brig binary from its own definitions, so that they cannot differ from what it does.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{artifact, process, screen, workspace};

/// Write the generated pages of docs/.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail when a page differs from what would be written
    #[arg(long)]
    check: bool,
}

/// A file, and what to ask the binary for it.
const PRINTED: &[(&str, &[&str])] = &[
    ("docs/brig.1", &["__man"]),
    ("docs/completions/brig.bash", &["__completions", "bash"]),
    ("docs/completions/_brig", &["__completions", "zsh"]),
    ("docs/completions/brig.fish", &["__completions", "fish"]),
];

/// The page that is put together from every command's own help.
const COMMANDS: &str = "docs/commands.md";

/// Writes the pages, or compares them.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace::root()?;
    let brig = artifact::build(&root, &["--package", "brig"], "brig")?;
    let mut stale = Vec::new();
    for (path, text) in pages(&brig)? {
        let place = root.join(path);
        if fs::read_to_string(&place).is_ok_and(|found| found == text) {
            continue;
        }
        stale.push(path);
        if !arguments.check {
            let folder = place.parent().context("a page lies in a folder")?;
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            fs::write(&place, text).with_context(|| format!("cannot write {}", place.display()))?;
        }
    }
    if arguments.check && !stale.is_empty() {
        bail!("these pages differ from what the binary says: {}; run `cargo xtask docs`", stale.join(", "));
    }
    screen::note(&format!("docs: {} pages written", if arguments.check { 0 } else { stale.len() }));
    Ok(())
}

fn pages(brig: &Path) -> Result<Vec<(&'static str, String)>> {
    let mut pages = Vec::new();
    for (path, arguments) in PRINTED {
        pages.push((*path, ask(brig, arguments)?));
    }
    let help = ask(brig, &["--help"])?;
    let mut page =
        String::from("# Commands\n\nWritten by `cargo xtask docs` from what the binary says; do not edit it.\n");
    for name in subcommands(&help) {
        let text = ask(brig, &[&name, "--help"])?;
        page.push_str(&format!("\n## brig {name}\n\n```text\n{}\n```\n", text.trim_end()));
    }
    pages.push((COMMANDS, page));
    Ok(pages)
}

/// Asks the binary, with nothing in its environment that could change its answer.
fn ask(brig: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(brig);
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("COLUMNS", "100").env("NO_COLOR", "1");
    process::output(&mut command)
}

/// The names below `Commands:` in the help of the whole program.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| line.trim() != "Commands:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    // A name stands two columns in; the rest of a wrapped description stands further in.
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_a_help_text_are_found() {
        let help = "Puts\n\nCommands:\n  run     Run a server, in\n            a box\n  image   Images\n  help    Print\n\nOptions:\n  -q  quiet\n";
        assert_eq!(subcommands(help), ["run", "image"]);
    }
}
