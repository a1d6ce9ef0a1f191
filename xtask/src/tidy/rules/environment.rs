//! One file of each program reads the environment.

use crate::tidy::lexer::line_of;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "environment",
    why: "what a variable may change must be visible in one list, and a library that reads one cannot be tested",
    check,
};

/// The last is empty in a release: it is how tests leave a wall out.
const READERS: &[&str] = &["crates/brig/src/settings.rs", "xtask/src/settings.rs", "crates/brig-engine/src/breach.rs"];
const CALLS: &[&str] =
    &["env::var(", "env::var_os(", "env::vars(", "env::vars_os(", "env::set_var(", "env::remove_var("];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|it| it.ships() && !it.is_test() && !READERS.contains(&it.path.as_str())) {
        for call in CALLS {
            for (at, _) in file.code.match_indices(call) {
                let text = format!("`{call}…)` stands only in {}", READERS.join(" and "));
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
    fn reading_the_environment_elsewhere_is_refused() {
        let read = "fn f() { std::env::var(\"HOME\"); }";
        assert_eq!(check(&Tree::of(&[("crates/brig/src/settings.rs", read), ("crates/x/tests/a.rs", read)])), []);
        assert_eq!(check(&Tree::of(&[("crates/x/src/a.rs", read)])).len(), 1);
    }
}
