//! No file or folder has a name that says nothing.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "names", why: "a grab-bag grows: what has one user lives with it, what has two earns a noun", check };

const EMPTY_WORDS: &[&str] = &["utils", "util", "common", "helpers", "types", "manager", "core", "misc"];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        let word = file.path.trim_end_matches(".rs").split('/').find(|it| EMPTY_WORDS.contains(it));
        if let Some(word) = word {
            found.push(Finding::refuse(&file.path, 0, format!("`{word}` says nothing; name what it holds")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_are_refused_as_file_and_as_folder() {
        assert_eq!(check(&Tree::of(&[("crates/x/src/score.rs", "")])), []);
        assert_eq!(check(&Tree::of(&[("crates/x/src/utils.rs", ""), ("crates/x/src/core/a.rs", "")])).len(), 2);
    }
}
