//! Every public item has a user besides its tests.

use std::collections::HashMap;

use crate::tidy::lexer::words;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "unused_pub",
    why: "the compiler is silent on a public item that no crate uses; dead code in a security tool is read as if it protected",
    check,
};

/// Items without a user in our code, and who uses them.
const EXCUSED: &[(&str, &str)] = &[];

const KINDS: &[&str] = &["fn", "struct", "enum", "trait", "const", "static", "type"];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for file in tree.rust().filter(|it| !it.is_test()) {
        for (_, word) in words(&file.code) {
            *uses.entry(word).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    for file in tree.rust().filter(|it| !it.is_test() && it.path.starts_with("crates/")) {
        for (line, name) in public_items(&file.code) {
            let alone = uses.get(name).copied().unwrap_or(0) < 2;
            if alone && !EXCUSED.iter().any(|(excused, _)| *excused == name) {
                let text = format!("`{name}` is public and nothing but tests uses it: use it, or remove it");
                found.push(Finding::refuse(&file.path, line, text));
            }
        }
    }
    found
}

fn public_items(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().filter_map(|(index, line)| {
        let rest = line.trim_start().strip_prefix("pub ")?;
        let mut words = rest.split(|it: char| !it.is_alphanumeric() && it != '_').filter(|it| !it.is_empty());
        let mut kind = words.next()?;
        let mut name = words.next()?;
        while matches!(kind, "async" | "unsafe" | "const") && KINDS.contains(&name) {
            (kind, name) = (name, words.next()?);
        }
        KINDS.contains(&kind).then_some((index + 1, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_item_that_only_tests_use_is_refused() {
        let library = "pub fn used() {}\npub const fn lonely() {}\npub(crate) fn inner() {}\npub struct Word;\n#[cfg(test)]\nmod tests { fn t() { lonely() } }";
        let user = "fn f() { x::used(); x::Word }";
        let found = check(&Tree::of(&[("crates/x/src/lib.rs", library), ("crates/y/src/a.rs", user)]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].text.contains("`lonely`") && found[0].line == 2, "{found:?}");
    }
}
