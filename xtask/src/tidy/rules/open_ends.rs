//! Nothing unfinished lands: no marker for later, no number that was not measured.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "open_ends",
    why: "a claim that nobody ran, or a step left for later, is found by the user first",
    check,
};

/// What is refused, and where. They are put together here so that this file does not refuse itself.
const IN_DOCUMENTS: &[&str] = &[concat!("[[", "measure")];
const IN_CODE: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        let refused = match file.path.rsplit('.').next() {
            Some("md") => IN_DOCUMENTS,
            Some("rs" | "toml" | "sh") => IN_CODE,
            _ => continue,
        };
        for (index, line) in file.text.lines().enumerate() {
            for word in refused.iter().filter(|it| line.contains(**it)) {
                found.push(Finding::refuse(
                    &file.path,
                    index + 1,
                    format!("`{word}` is still here: finish it or file an issue"),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_to_be_measured_and_a_step_left_for_later_are_refused() {
        assert_eq!(check(&Tree::of(&[("README.md", "12 ms"), ("a.rs", "// done")])), []);
        let number = format!("{} start]]", IN_DOCUMENTS[0]);
        let later = format!("// {} x", IN_CODE[0]);
        assert_eq!(check(&Tree::of(&[("README.md", &number), ("a.rs", &later)])).len(), 2);
    }
}
