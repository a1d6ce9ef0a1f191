//! The modules of one crate use one another in one direction.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::tree::{File, Tree};
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    id: "cycles",
    why: "cargo refuses cycles between crates, and nobody refuses them inside one; they grow until nothing can be moved",
    check,
};

type Graph = BTreeMap<String, BTreeSet<String>>;

fn check(tree: &Tree) -> Vec<Finding> {
    let mut graphs: BTreeMap<String, Graph> = BTreeMap::new();
    for file in tree.rust().filter(|it| !it.is_test()) {
        let Some((folder, inside)) = file.in_crate() else { continue };
        let Some(module) = top_module(inside) else { continue };
        let graph = graphs.entry(folder.to_owned()).or_default();
        graph.entry(module.clone()).or_default().extend(used(file, inside));
    }
    let mut found = Vec::new();
    for (folder, graph) in &graphs {
        for circle in circles(graph) {
            let text = format!("modules use one another in a circle: {}", circle.join(" -> "));
            found.push(Finding::refuse(&format!("{folder}/src"), 0, text));
        }
    }
    found
}

/// The module right below the crate's root that a file belongs to; nothing for the root itself.
fn top_module(inside: &str) -> Option<String> {
    let path = inside.strip_prefix("src/")?;
    let first = path.split('/').next()?;
    let name = first.trim_end_matches(".rs");
    (!matches!(first, "main.rs" | "lib.rs" | "bin")).then(|| name.to_owned())
}

/// The top modules that a file names, through `crate::` or through `super::` from the first level.
fn used(file: &File, inside: &str) -> Vec<String> {
    let path = inside.trim_start_matches("src/");
    let depth = path.matches('/').count() + usize::from(!path.ends_with("/mod.rs"));
    let mut names = after(&file.code, "crate::");
    let up = "super::".repeat(depth);
    names.extend(after(&file.code, &up));
    names
}

/// The first names of each path that follows `prefix`, a group in braces included.
fn after(code: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let joined = code[..at].chars().next_back().is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':');
        let rest = &code[at + prefix.len()..];
        if joined {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.push(head(rest)),
        }
    }
    names.retain(|it| !it.is_empty() && it != "super");
    names
}

fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut heads = Vec::new();
    let mut start = 0;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                heads.push(head(group[start..at].trim_start()));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
}

/// One shortest circle through each group of modules that reach themselves.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut seen: BTreeSet<&String> = BTreeSet::new();
    let mut found = Vec::new();
    for start in graph.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(path) = way_back(graph, start) {
            seen.extend(graph.keys().filter(|it| path.contains(it)));
            found.push(path);
        }
    }
    found
}

/// The shortest way from `start` over other modules back to it.
fn way_back(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut ways: Vec<Vec<String>> = vec![vec![start.to_owned()]];
    let mut visited = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            for next in graph.get(last).into_iter().flatten().filter(|it| graph.contains_key(*it) && *it != last) {
                let mut way = way.clone();
                way.push(next.clone());
                if next == start {
                    return Some(way);
                }
                if visited.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_of_three_modules_is_refused() {
        let tree = Tree::of(&[
            ("crates/x/src/lib.rs", "mod a; mod b; mod c;"),
            ("crates/x/src/a.rs", "use crate::{other, b::{B, D}};"),
            ("crates/x/src/b/deep.rs", "use super::super::c::C;"),
            ("crates/x/src/c.rs", "fn f() { super::a::g() }"),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].text.ends_with("a -> b -> c -> a"), "{found:?}");
    }

    #[test]
    fn one_direction_and_a_module_of_tests_pass() {
        let tree = Tree::of(&[
            ("crates/x/src/a.rs", "use crate::b; use crate::a::me;"),
            ("crates/x/src/b.rs", "fn f() {} // crate::a\n#[cfg(test)]\nmod tests { use crate::a; }"),
        ]);
        assert_eq!(check(&tree), []);
    }
}
