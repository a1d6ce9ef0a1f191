//! One file of each program prints.

use crate::tidy::lexer::line_of;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "printing", why: "standard output belongs to MCP; one stray line there breaks the client", check };

const PRINTERS: &[&str] = &["crates/brig/src/screen.rs", "xtask/src/screen.rs"];
const CALLS: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!"];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|it| it.ships() && !it.is_test() && !PRINTERS.contains(&it.path.as_str())) {
        for call in CALLS {
            for (at, _) in file.code.match_indices(call) {
                let longer = file.code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
                if !longer {
                    let text = format!("`{call}` stands only in {}", PRINTERS.join(" and "));
                    found.push(Finding::refuse(&file.path, line_of(&file.code, at), text));
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
    fn printing_elsewhere_is_refused_once_a_call() {
        let print = "fn f() { eprintln!(\"x\"); }";
        assert_eq!(check(&Tree::of(&[("crates/brig/src/screen.rs", print), ("crates/x/tests/a.rs", print)])), []);
        assert_eq!(check(&Tree::of(&[("crates/x/src/a.rs", print)])).len(), 1);
    }
}
