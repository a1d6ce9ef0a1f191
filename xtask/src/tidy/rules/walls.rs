//! Each wall of the box has a file, a line in ARCHITECTURE.md, and a proof in THREATS.md.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "walls",
    why: "a wall that no document names is not missed when it falls, and one that has no code was never there",
    check,
};

const FOLDER: &str = "crates/brig-engine/src/walls/";
const OPEN: &str = "<!-- walls: read by `cargo xtask tidy` -->";
const BOOKS: &[&str] = &["ARCHITECTURE.md", "THREATS.md"];

fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.files.iter().filter_map(|it| it.path.strip_prefix(FOLDER)?.strip_suffix(".rs"));
    let built: Vec<&str> = files.filter(|it| !it.contains('/')).collect();
    let mut found = Vec::new();
    for book in BOOKS {
        let Some(file) = tree.file(book) else {
            found.push(Finding::refuse(book, 0, "the document is missing"));
            continue;
        };
        let named = table(&file.text);
        for wall in built.iter().filter(|wall| !named.iter().any(|(_, name)| name == **wall)) {
            found.push(Finding::refuse(book, 0, format!("the wall {wall} has no line in the table after {OPEN}")));
        }
        for (line, name) in named.iter().filter(|(_, name)| !built.contains(&name.as_str())) {
            found.push(Finding::refuse(book, *line, format!("there is no {FOLDER}{name}.rs")));
        }
    }
    found
}

/// The wall that each line of the table names first, as its file is called, with the number of the
/// line. An id has `-` where its file has `_`.
fn table(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate().skip_while(|(_, line)| line.trim() != OPEN).skip(1);
    let rows =
        lines.skip_while(|(_, line)| line.trim().is_empty()).take_while(|(_, line)| line.starts_with('|')).skip(2);
    rows.filter_map(|(index, line)| Some((index + 1, line.split('`').nth(1)?.replace('-', "_")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_without_a_line_and_a_line_without_a_wall_are_refused() {
        let book = |rows: &str| format!("{OPEN}\n\n| wall | native |\n|---|---|\n{rows}\n");
        let findings = |architecture: &str, threats: &str| {
            let (architecture, threats) = (book(architecture), book(threats));
            let wall = "crates/brig-engine/src/walls/no_root.rs";
            check(&Tree::of(&[(wall, ""), ("ARCHITECTURE.md", &architecture), ("THREATS.md", &threats)])).len()
        };
        assert_eq!(findings("| `no-root` | enforced |", "| `no-root` | x |"), 0);
        assert_eq!(findings("| `no-root` | x |\n| `moat` | x |", "| `no-root` | x |"), 1);
        assert_eq!(findings("", "| `no-root` | x |"), 1);
    }
}
