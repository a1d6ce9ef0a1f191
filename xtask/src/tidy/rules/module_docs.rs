//! Every file says first what it does.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "module_docs",
    why: "the tree is the table of contents; a file without a first sentence has to be read to be found",
    check,
};

fn check(tree: &Tree) -> Vec<Finding> {
    let silent = tree.rust().filter(|file| !file.text.starts_with("//! "));
    silent
        .map(|file| Finding::refuse(&file.path, 1, "the file does not start with `//! ` and what it is for"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_sentence_is_refused() {
        assert_eq!(check(&Tree::of(&[("a.rs", "//! Does x.\nfn f() {}")])), []);
        assert_eq!(check(&Tree::of(&[("a.rs", "fn f() {}"), ("b.rs", "#![x]\n//! Late.")])).len(), 2);
    }
}
