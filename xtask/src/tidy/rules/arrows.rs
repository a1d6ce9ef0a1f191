//! Crates use only what the table in ARCHITECTURE.md allows, and the table points down.

use std::collections::BTreeMap;

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "arrows", why: "a mechanism that knows another cannot be tested, replaced or trusted alone", check };

const BOOK: &str = "ARCHITECTURE.md";
const OPEN: &str = "<!-- arrows: read by `cargo xtask tidy` -->";

/// One line of the table.
#[derive(Debug)]
struct Row {
    line: usize,
    layer: u32,
    uses: Vec<String>,
    /// What only tests may use: in the table, a name followed by "in tests".
    tests_use: Vec<String>,
}

fn check(tree: &Tree) -> Vec<Finding> {
    let Some(book) = tree.file(BOOK) else {
        return vec![Finding::refuse(BOOK, 0, "the table of crates is missing")];
    };
    let mut found = Vec::new();
    let table = read_table(&book.text, &mut found);
    for (name, row) in &table {
        for used in row.uses.iter().chain(&row.tests_use) {
            match table.get(used) {
                None => {
                    found.push(Finding::refuse(BOOK, row.line, format!("{name} may use {used}, which has no line")))
                }
                Some(other) if other.layer >= row.layer => {
                    let text = format!("{name} (layer {}) may not use {used} (layer {})", row.layer, other.layer);
                    found.push(Finding::refuse(BOOK, row.line, text));
                }
                Some(_) => {}
            }
        }
        if !tree.crates.iter().any(|it| it.name == *name) {
            found.push(Finding::refuse(BOOK, row.line, format!("there is no crate {name}")));
        }
    }
    let ours: Vec<&str> = tree.crates.iter().map(|it| it.name.as_str()).collect();
    for member in &tree.crates {
        let manifest = format!("{}/Cargo.toml", member.folder);
        let Some(row) = table.get(&member.name) else {
            found.push(Finding::refuse(&manifest, 0, format!("{} has no line in {BOOK}'s table", member.name)));
            continue;
        };
        let built = member.uses.iter().filter(|it| !row.uses.contains(it));
        let tested = member.tests_use.iter().filter(|it| !row.uses.contains(it) && !row.tests_use.contains(it));
        for used in built.chain(tested).filter(|it| ours.contains(&it.as_str())) {
            let text = format!("{} uses {used}, which {BOOK}:{} does not allow", member.name, row.line);
            found.push(Finding::refuse(&manifest, 0, text));
        }
    }
    found
}

fn read_table(text: &str, found: &mut Vec<Finding>) -> BTreeMap<String, Row> {
    let mut table = BTreeMap::new();
    let lines = text.lines().enumerate().skip_while(|(_, line)| line.trim() != OPEN).skip(1);
    let rows =
        lines.skip_while(|(_, line)| line.trim().is_empty()).take_while(|(_, line)| line.starts_with('|')).skip(2);
    for (index, line) in rows {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let layer = cells.get(1).and_then(|it| it.parse().ok());
        match (cells.as_slice(), layer) {
            ([name, _, uses, _reason], Some(layer)) => {
                let (tests, built): (Vec<&str>, Vec<&str>) = uses.split(',').partition(|it| it.contains("in tests"));
                let [uses, tests_use] = [built, tests].map(|cells| names(&cells.concat()));
                table.insert(names(name).concat(), Row { line: index + 1, layer, uses, tests_use });
            }
            _ => found.push(Finding::refuse(BOOK, index + 1, "a line of the table is: crate, layer, may use, why")),
        }
    }
    if table.is_empty() {
        found.push(Finding::refuse(BOOK, 0, format!("no table follows {OPEN}")));
    }
    table
}

/// What stands between backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Crate;

    fn tree(table: &str, uses: &[&str]) -> Tree {
        let text = format!("{OPEN}\n\n| crate | layer | may use | why |\n|---|---|---|---|\n{table}");
        let mut tree = Tree::of(&[(BOOK, &text)]);
        let uses = uses.iter().map(|it| (*it).to_owned()).collect();
        tree.crates.push(Crate {
            name: "low".into(),
            folder: "crates/low".into(),
            uses: vec!["serde".into()],
            tests_use: vec![],
        });
        tree.crates.push(Crate { name: "high".into(), folder: "crates/high".into(), uses, tests_use: vec![] });
        tree
    }

    #[test]
    fn an_arrow_in_the_table_passes_and_another_is_refused() {
        let good = "| `low` | 0 | – | x |\n| `high` | 1 | `low` | x |";
        assert_eq!(check(&tree(good, &["low", "tokio"])), []);
        let bad = "| `low` | 0 | – | x |\n| `high` | 1 | – | x |";
        let found = check(&tree(bad, &["low"]));
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("high uses low"), "{found:?}");
    }

    #[test]
    fn what_only_tests_may_use_does_not_reach_the_build() {
        let table = "| `low` | 0 | – | x |\n| `high` | 1 | `low` in tests | x |";
        assert_eq!(check(&tree(table, &["low"])).len(), 1);
        let mut tested = tree(table, &[]);
        tested.crates[1].tests_use.push("low".into());
        assert_eq!(check(&tested), []);
    }

    #[test]
    fn the_table_points_down_and_names_every_crate_and_no_other() {
        let found = check(&tree("| `low` | 1 | – | x |\n| `high` | 1 | `low` | x |", &[]));
        assert!(found[0].text.contains("may not use"), "{found:?}");
        let found = check(&tree("| `low` | 0 | – | x |\n| `ghost` | 1 | – | x |", &[]));
        assert!(found.iter().any(|it| it.text.contains("no crate ghost")), "{found:?}");
        assert!(found.iter().any(|it| it.text.contains("high has no line")), "{found:?}");
    }
}
