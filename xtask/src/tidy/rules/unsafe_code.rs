//! Unsafe code stands in one file of one crate; every other crate forbids it.

use crate::tidy::lexer::words;
use crate::tidy::tree::{File, Tree};
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "unsafe_code", why: "who reviews the unsafe code must be able to read all of it in one place", check };

/// The one crate that may.
const CRATE: &str = "crates/brig-engine";
/// The one file in it.
const FILE: &str = "crates/brig-engine/src/sys.rs";
const FORBID: &str = "#![forbid(unsafe_code)]";

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        if is_root(file) && !file.path.starts_with(CRATE) && !file.text.contains(FORBID) {
            found.push(Finding::refuse(&file.path, 1, format!("the crate's root lacks {FORBID}")));
        }
        if file.path == FILE {
            continue;
        }
        // Tests count too, so the whole text is read; `forbid(unsafe_code)` is another word.
        let code = crate::tidy::lexer::blank(&file.text);
        for (line, _) in words(&code).filter(|(_, word)| *word == "unsafe") {
            found.push(Finding::refuse(&file.path, line, format!("unsafe code stands only in {FILE}")));
        }
    }
    found
}

fn is_root(file: &File) -> bool {
    matches!(file.in_crate(), Some((_, "src/lib.rs" | "src/main.rs")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_must_forbid_it_and_only_sys_may_hold_it() {
        let good = [
            ("crates/x/src/lib.rs", "//! X.\n#![forbid(unsafe_code)]\n// unsafe"),
            ("crates/brig-engine/src/lib.rs", "//! E."),
            (FILE, "fn f() { unsafe { g() } }"),
        ];
        assert_eq!(check(&Tree::of(&good)), []);
        let bad = [("crates/x/src/lib.rs", "//! X."), ("crates/brig-engine/src/other.rs", "fn f() { unsafe { g() } }")];
        assert_eq!(check(&Tree::of(&bad)).len(), 2);
    }
}
