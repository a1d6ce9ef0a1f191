//! Turns what was found in a grant into the engine's words. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use brig_engine::launch::{Inside, Treat};

use super::report::Treated;

/// Keeps the strongest treatment of each path, leaves out what lies under a mask, and, in a
/// writable grant, holds every folder between the root and a treated part: else the box renames
/// that folder and puts another in its place. Parents come before children.
pub(super) fn arrange(treated: &mut Vec<Treated>, writable: bool) -> Vec<Inside> {
    treated.sort_by(|a, b| a.path.cmp(&b.path).then(rank(a.treat).cmp(&rank(b.treat))));
    treated.dedup_by(|later, first| later.path == first.path);
    let masked = paths(treated, Treat::Mask);
    treated.retain(|part| !under(&part.path, &masked));
    let read_only = paths(treated, Treat::ReadOnly);
    treated.retain(|part| part.treat == Treat::Mask || !under(&part.path, &read_only));

    let mut inside: BTreeMap<PathBuf, Treat> = BTreeMap::new();
    for part in treated.iter() {
        inside.insert(part.path.clone(), part.treat);
    }
    if writable {
        for part in treated.iter() {
            // What lies in a read-only part cannot be renamed anyway.
            for folder in part.path.ancestors().skip(1) {
                let root = folder.as_os_str().is_empty();
                if !root && !read_only.contains(folder) && !under(folder, &read_only) {
                    inside.entry(folder.to_path_buf()).or_insert(Treat::Hold);
                }
            }
        }
    }
    inside.into_iter().map(|(path, treat)| Inside { path, treat }).collect()
}

/// A mask is stronger than read-only.
fn rank(treat: Treat) -> u8 {
    match treat {
        Treat::Mask => 0,
        Treat::ReadOnly => 1,
        Treat::Hold => 2,
    }
}

fn paths(treated: &[Treated], treat: Treat) -> BTreeSet<PathBuf> {
    let matching = treated.iter().filter(|part| part.treat == treat);
    matching.map(|part| part.path.clone()).collect()
}

/// Whether a path lies below, and not at, one of these.
fn under(path: &Path, folders: &BTreeSet<PathBuf>) -> bool {
    path.ancestors().skip(1).any(|folder| folders.contains(folder))
}

#[cfg(test)]
mod tests {
    use super::super::report::Why;
    use super::*;

    fn arranged(parts: &[(&str, Treat)], writable: bool) -> Vec<(String, Treat)> {
        let mut treated =
            parts.iter().map(|(path, treat)| Treated { path: path.into(), treat: *treat, why: Why::Socket }).collect();
        arrange(&mut treated, writable)
            .into_iter()
            .map(|inside| (inside.path.display().to_string(), inside.treat))
            .collect()
    }

    #[test]
    fn every_folder_above_a_treated_part_is_held() {
        let got = arranged(&[("a/b/.git/config", Treat::ReadOnly), ("a/.env", Treat::Mask)], true);
        let want = [
            ("a", Treat::Hold),
            ("a/.env", Treat::Mask),
            ("a/b", Treat::Hold),
            ("a/b/.git", Treat::Hold),
            ("a/b/.git/config", Treat::ReadOnly),
        ];
        assert_eq!(got, want.map(|(path, treat)| (path.to_string(), treat)));
    }

    #[test]
    fn nothing_is_held_where_nothing_can_be_renamed() {
        let parts = [("a/b/.env", Treat::Mask), (".vscode/x/.env", Treat::Mask)];
        assert!(arranged(&parts, false).iter().all(|(_, treat)| *treat == Treat::Mask));
        let got = arranged(&[(".vscode", Treat::ReadOnly), (".vscode/x/.env", Treat::Mask)], true);
        let want = [(".vscode", Treat::ReadOnly), (".vscode/x/.env", Treat::Mask)];
        assert_eq!(got, want.map(|(path, treat)| (path.to_string(), treat)));
    }

    #[test]
    fn a_mask_wins_and_covers_what_lies_below() {
        let got = arranged(
            &[
                (".envrc", Treat::ReadOnly),
                (".envrc", Treat::Mask),
                (".aws", Treat::Mask),
                (".aws/x.key", Treat::Mask),
                (".vscode", Treat::ReadOnly),
                (".vscode/mcp.json", Treat::ReadOnly),
            ],
            true,
        );
        let want = [(".aws", Treat::Mask), (".envrc", Treat::Mask), (".vscode", Treat::ReadOnly)];
        assert_eq!(got, want.map(|(path, treat)| (path.to_string(), treat)));
    }

    #[test]
    fn children_follow_their_parents_whatever_their_names() {
        let got = arranged(&[("a-b/x", Treat::Mask), ("a/x", Treat::Mask), ("a", Treat::ReadOnly)], true);
        let position = |path: &str| got.iter().position(|(other, _)| other == path);
        assert!(position("a") < position("a/x"));
        assert!(position("a-b") < position("a-b/x"));
    }
}
