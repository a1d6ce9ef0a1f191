//! A file holds one idea: about 400 lines, at most 600, its tests not counted.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "sizes",
    why: "past 600 lines a file hides two ideas; the better crates of this field keep nine of ten below 400",
    check,
};

const AIM: usize = 400;
const MOST: usize = 600;

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|it| !it.is_test()) {
        let lines = lines_but_tests(&file.text, &file.code);
        let text = format!("{lines} lines without tests; split it by the ideas that it holds");
        if lines > MOST {
            found.push(Finding::refuse(&file.path, 0, text));
        } else if lines > AIM {
            found.push(Finding::warn(&file.path, 0, text));
        }
    }
    found
}

/// Lines of the file, less those of inline tests: those have text and no code where code would be.
fn lines_but_tests(text: &str, code: &str) -> usize {
    let start = text.find("\n#[cfg(test)]\nmod ").map(|it| text[..=it].lines().count());
    start.filter(|start| code.lines().skip(*start).all(|it| it.trim().is_empty())).unwrap_or(text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Weight;

    fn weight(code: usize, tests: usize) -> Option<Weight> {
        let text =
            format!("{}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(code), "fn g() {}\n".repeat(tests));
        check(&Tree::of(&[("crates/x/src/a.rs", &text)])).first().map(|it| it.weight)
    }

    #[test]
    fn long_files_are_warned_of_and_refused_and_tests_do_not_count() {
        assert_eq!(weight(390, 500), None);
        assert_eq!(weight(450, 0), Some(Weight::Warned));
        assert_eq!(weight(601, 0), Some(Weight::Refused));
    }
}
