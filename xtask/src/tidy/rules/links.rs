//! Relative links of documents lead somewhere, their anchors too.

use crate::tidy::tree::{File, Tree};
use crate::tidy::{Finding, Rule};

pub(super) const RULE: Rule =
    Rule { id: "links", why: "a broken link in a security document makes the reader doubt the rest", check };

fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.markdown() {
        for (index, line) in prose(&file.text) {
            for target in targets(line) {
                if let Some(problem) = broken(tree, file, target) {
                    found.push(Finding::refuse(&file.path, index + 1, problem));
                }
            }
        }
    }
    found
}

/// Lines outside of code blocks, with their index.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next())
}

fn broken(tree: &Tree, from: &File, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let place = if path.is_empty() { from.path.clone() } else { resolve(&from.path, path) };
    if !tree.has(&place) {
        return Some(format!("the link to {target} leads nowhere"));
    }
    let known = tree.file(&place).map(|it| anchors(&it.text));
    match (anchor, known) {
        (Some(anchor), Some(known)) if !known.iter().any(|it| it == anchor) => {
            Some(format!("{place} has no heading for #{anchor}"))
        }
        _ => None,
    }
}

/// `path` as seen from the file `from`, without `.` and `..`.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors that headings get: lower case, words joined by `-`, other signs dropped.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_folders_and_headings_are_followed() {
        let files = |body: &str| {
            let files = [("docs/a.md", body), ("README.md", "# The walls, all\n"), ("crates/x/src/lib.rs", "")];
            check(&Tree::of(&files)).len()
        };
        assert_eq!(
            files("[a](../README.md#the-walls-all) [b](../crates/x/) [c](https://example.org/x) [d](#here)\n## Here"),
            0
        );
        assert_eq!(files("[a](../GONE.md)\n[b](../README.md#gone)\n[c](#gone)"), 3);
        assert_eq!(files("```\n[a](gone.md)\n```"), 0);
    }
}
