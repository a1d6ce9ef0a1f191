//! Versions and lints are written once, in the root's Cargo.toml.

use crate::tidy::tree::Tree;
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "manifests",
    why: "a crate with its own version of a dependency or its own lints escapes what was agreed for all",
    check,
};

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in &tree.crates {
        let path = format!("{}/Cargo.toml", member.folder);
        let Some(file) = tree.file(&path) else { continue };
        if !file.text.contains("[lints]\nworkspace = true") {
            found.push(Finding::refuse(&path, 0, "the crate does not take the workspace's lints"));
        }
        let mut in_dependencies = false;
        for (index, line) in file.text.lines().enumerate() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies && line.contains('=') && !line.contains("workspace = true") {
                let text =
                    "a dependency is written here as `NAME.workspace = true`, its version in the root's Cargo.toml";
                found.push(Finding::refuse(&path, index + 1, text));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Crate;

    fn findings(manifest: &str) -> usize {
        let mut tree = Tree::of(&[("crates/x/Cargo.toml", manifest)]);
        tree.crates.push(Crate { name: "x".into(), folder: "crates/x".into(), uses: vec![], tests_use: vec![] });
        check(&tree).len()
    }

    #[test]
    fn a_version_or_missing_lints_in_a_member_are_refused() {
        assert_eq!(findings("[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n"), 0);
        assert_eq!(findings("[lints]\nworkspace = true\n[dev-dependencies]\nserde = \"1\"\n"), 1);
        assert_eq!(findings("[dependencies]\nserde = { workspace = true, features = [\"rc\"] }\n"), 1);
    }
}
