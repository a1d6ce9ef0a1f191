//! A lint is switched off only with a reason.

use crate::tidy::lexer::{blank, line_of};
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "reasons", why: "an exception without its reason cannot be judged later, so it stays for ever", check };

const ATTRIBUTES: &[&str] = &["#[allow(", "#![allow(", "#[expect(", "#![expect(", "#[ignore"];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        let code = blank(&file.text);
        for attribute in ATTRIBUTES {
            for (at, _) in code.match_indices(attribute) {
                let end = code[at..].find(']').map_or(code.len(), |it| at + it);
                let argued = code[at..end].contains("reason =") || code[at..end].starts_with("#[ignore =");
                if !argued {
                    let text = format!("`{attribute}…` gives no reason");
                    found.push(Finding::refuse(&file.path, line_of(&code, at), text));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_needs_its_reason() {
        let good = "#[allow(dead_code, reason = \"x\")]\nfn f() {}\n// #[allow(y)]\n#[ignore = \"slow\"]\nfn g() {}";
        assert_eq!(check(&Tree::of(&[("a.rs", good)])), []);
        assert_eq!(check(&Tree::of(&[("a.rs", "#[allow(dead_code)]\nfn f() {}\n#[ignore]\nfn g() {}")])).len(), 2);
    }
}
