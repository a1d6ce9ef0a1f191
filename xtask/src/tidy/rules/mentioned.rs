//! Commands that documents mention exist, and what README tells a newcomer to run is what CI runs.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mentioned",
    why: "the first command that a newcomer copies must work, and CI must run that very command",
    check,
};

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.markdown() {
        for (index, line) in file.text.lines().enumerate() {
            for word in words_after(line, "cargo xtask ").filter(|it| !tree.jobs.contains(it)) {
                found.push(Finding::refuse(&file.path, index + 1, format!("there is no `cargo xtask {word}`")));
            }
            for word in words_after(line, "cargo run --release -- ").filter(|it| !has_command(tree, it)) {
                let text = format!("there is no crates/brig/src/commands/{word}.rs");
                found.push(Finding::refuse(&file.path, index + 1, text));
            }
        }
    }
    let told = tree.file("README.md").is_some_and(|it| it.text.contains("cargo xtask test"));
    let run = tree.file(".ci/run").is_some_and(|it| it.text.contains("cargo xtask test"));
    if !told || !run {
        let text = "README.md and .ci/run both have to run `cargo xtask test`, the same words";
        found.push(Finding::refuse("README.md", 0, text));
    }
    found
}

fn has_command(tree: &Tree, name: &str) -> bool {
    let place = format!("crates/brig/src/commands/{name}");
    tree.has(&format!("{place}.rs")) || tree.has(&place)
}

/// The word that follows each mention of `prefix`; options are passed over.
fn words_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    line.match_indices(prefix).filter_map(|(at, _)| {
        let rest = line[at + prefix.len()..].split_whitespace().next()?;
        let word: String = rest.chars().take_while(|it| it.is_ascii_lowercase() || *it == '-').collect();
        (!word.is_empty() && !word.starts_with('-')).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(readme: &str, ci: &str) -> usize {
        let files = [("README.md", readme), (".ci/run", ci), ("crates/brig/src/commands/demo.rs", "")];
        check(&Tree { jobs: vec!["test".into()], ..Tree::of(&files) }).len()
    }

    #[test]
    fn commands_that_do_not_exist_are_refused() {
        let good = "`cargo run --release -- demo` and `cargo xtask test`; `cargo xtask NAME`";
        assert_eq!(findings(good, "cargo xtask test"), 0);
        assert_eq!(findings(good, "cargo test"), 1);
        assert_eq!(findings("cargo run --release -- gone; cargo xtask gone; cargo xtask test", "cargo xtask test"), 2);
    }
}
