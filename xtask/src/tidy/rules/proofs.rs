//! Each test that a document names as a proof exists.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "proofs",
    why: "THREATS.md promises a proof for each claim; a renamed test would leave a promise without one",
    check,
};

/// A proof is written as `path/to/file.rs::name_of_the_test` between backticks.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.markdown() {
        for (index, line) in file.text.lines().enumerate() {
            for proof in line.split('`').skip(1).step_by(2) {
                let Some((path, test)) = proof.split_once(".rs::") else { continue };
                let path = format!("{path}.rs");
                let holds = tree.file(&path).is_some_and(|it| it.text.contains(&format!("fn {test}(")));
                if !holds {
                    found.push(Finding::refuse(&file.path, index + 1, format!("there is no test `{test}` in {path}")));
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
    fn a_proof_that_is_gone_is_refused() {
        let test = ("crates/x/tests/walls.rs", "#[test]\nfn no_root() {}");
        assert_eq!(check(&Tree::of(&[test, ("THREATS.md", "`crates/x/tests/walls.rs::no_root`")])), []);
        assert_eq!(check(&Tree::of(&[test, ("THREATS.md", "`crates/x/tests/walls.rs::no_net`")])).len(), 1);
        assert_eq!(check(&Tree::of(&[test, ("THREATS.md", "`crates/y/tests/walls.rs::no_root`")])).len(), 1);
    }
}
