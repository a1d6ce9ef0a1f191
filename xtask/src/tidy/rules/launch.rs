//! Only the planner makes the order to start a box.

use crate::tidy::lexer::line_of;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "launch",
    why: "a second place that makes a Launch is a second policy, and one of them is forgotten",
    check,
};

/// Where a `Launch` is made.
const PLANNER: &str = "crates/brig-runtime/src/plan";
/// What stands before `Launch {` where it is not a value that is made.
const NOT_MADE: &[&str] = &["struct", "impl", "for", "let", "->", "&", "|", "("];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|it| !it.is_test() && !it.path.starts_with(PLANNER)) {
        for (at, _) in file.code.match_indices("Launch {") {
            let before = file.code[..at].trim_end_matches(|it: char| it.is_alphanumeric() || it == '_' || it == ':');
            let part_of_a_word = file.code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
            let excused = NOT_MADE.iter().any(|it| before.trim_end().ends_with(it));
            if !part_of_a_word && !excused {
                let text = format!("a Launch is made only in {PLANNER}*");
                found.push(Finding::refuse(&file.path, line_of(&file.code, at), text));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_planner_and_tests_make_one() {
        let make = "fn f() { start(\n brig_engine::launch::Launch { name }) }\nfn g() { let x = Launch { name }; }";
        let good = [
            ("crates/brig-runtime/src/plan/image.rs", make),
            ("crates/brig-engine/tests/walls.rs", make),
            (
                "crates/brig-engine/src/launch.rs",
                "pub struct Launch { a: u8 } impl Launch { } fn f() -> Launch { g() }",
            ),
            ("crates/brig-engine/src/start.rs", "let Launch { name, .. } = launch; PreLaunch { }"),
        ];
        assert_eq!(check(&Tree::of(&good)), []);
        assert!(
            !check(&Tree::of(&[("crates/brig/src/commands/run.rs", "fn g() { let x = Launch { name }; }")])).is_empty()
        );
    }
}
