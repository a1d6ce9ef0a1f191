//! Every `fuzz_*` entry of a parser is called by a target of the fuzz crate, and no target is left alone.

use crate::tidy::lexer::words;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "fuzzed", why: "an entry that no target calls is a parser of foreign bytes that nobody attacks", check };

fn check(tree: &Tree) -> Vec<Finding> {
    let mut called: Vec<&str> = Vec::new();
    for file in tree.rust().filter(|it| it.path.starts_with("fuzz/")) {
        called.extend(words(&file.code).map(|(_, word)| word).filter(|it| it.starts_with("fuzz_")));
    }
    let mut found = Vec::new();
    for file in tree.rust().filter(|it| it.path.starts_with("crates/") && !it.is_test()) {
        for (index, line) in file.code.lines().enumerate() {
            let Some(rest) = line.trim_start().strip_prefix("pub fn fuzz_") else { continue };
            let name: String = rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
            let name = format!("fuzz_{name}");
            if !called.contains(&name.as_str()) {
                found.push(Finding::refuse(
                    &file.path,
                    index + 1,
                    format!("{name} has no target in fuzz/src/targets.rs"),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_a_target_is_refused() {
        let entry = ("crates/x/src/frame.rs", "pub fn fuzz_frames(data: &[u8]) {}");
        assert_eq!(check(&Tree::of(&[entry, ("fuzz/src/targets.rs", "x::frame::fuzz_frames,")])), []);
        assert_eq!(check(&Tree::of(&[entry, ("fuzz/src/targets.rs", "// fuzz_frames")])).len(), 1);
    }
}
