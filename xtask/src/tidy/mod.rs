//! `cargo xtask tidy`: what the compiler does not check.
//!
//! Each rule is one file in `rules/`, a function from the tree of files to what it found, and stands
//! in one list. Each has a test that shows it failing.

mod lexer;
mod rules;
mod tree;

use anyhow::{Result, bail};

use crate::{screen, workspace};
use tree::Tree;

/// Check what the compiler does not.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only this rule
    rule: Option<String>,
    /// List the rules and why they exist
    #[arg(long)]
    list: bool,
}

/// One rule.
struct Rule {
    /// Its name, which is also its file's.
    id: &'static str,
    /// What would go wrong without it.
    why: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1; 0 means the whole file.
    line: usize,
    text: String,
    weight: Weight,
}

/// What follows from a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Refused,
    Warned,
}

impl Finding {
    fn refuse(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into(), weight: Weight::Refused }
    }

    fn warn(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { weight: Weight::Warned, ..Self::refuse(path, line, text) }
    }
}

/// Runs the rules; a refused finding is an error. `jobs` are the subcommands that documents may name.
pub(crate) fn run(arguments: &Arguments, jobs: Vec<String>) -> Result<()> {
    if arguments.list {
        for rule in rules::ALL {
            screen::data(&format!("{:<16} {}", rule.id, rule.why));
        }
        return Ok(());
    }
    let chosen: Vec<&Rule> =
        rules::ALL.iter().filter(|rule| arguments.rule.as_deref().is_none_or(|only| only == rule.id)).collect();
    if chosen.is_empty() {
        bail!("there is no such rule; `cargo xtask tidy --list` shows them all");
    }
    let tree = Tree { jobs, ..Tree::load(&workspace::root()?)? };
    let refused = chosen.iter().map(|rule| report(rule, &(rule.check)(&tree))).sum::<usize>();
    if refused > 0 {
        bail!("tidy refused {refused} places; `cargo xtask tidy --list` says why each rule exists");
    }
    screen::note(&format!("tidy: {} rules hold over {} files", chosen.len(), tree.files.len()));
    Ok(())
}

fn report(rule: &Rule, findings: &[Finding]) -> usize {
    for finding in findings {
        let word = if finding.weight == Weight::Refused { "refused" } else { "warning" };
        screen::note(&format!("{word}[{}] {}:{}: {}", rule.id, finding.path, finding.line, finding.text));
    }
    findings.iter().filter(|it| it.weight == Weight::Refused).count()
}
