//! A share of the processor, when one was asked for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Living, Scene, token};

pub(super) const CASE: Case =
    Case { wall: "cpu", proofs: &[Proof::both("share", share), Proof::held("unasked", unasked)] };

/// Where control groups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// A tenth of one processor: written down in the box's group, where the kernel counts how often it
/// held the box back.
fn share(scene: &Scene<'_>) -> Outcome {
    let name = token();
    let boxed = scene.boxed().flags(&["--name", &name, "--cpus", ".1"]);
    let mut living: Living = boxed.start(&["burn", "1000"]);
    assert_eq!(living.line(), "ready");
    let limits = limits_of(&name);
    assert_eq!(living.line(), "done");
    let held_back = held_back(&name);
    let told = living.finish();
    if !scene.held {
        assert_eq!((limits, held_back), (Vec::new(), 0));
        assert!(told.wall("cpu").starts_with("missing: "), "{told:?}");
    } else if groups_can_be_made("cpu") {
        assert_eq!(limits, ["10000"]);
        assert!(held_back > 0, "two busy threads for a second");
        assert_eq!(told.wall("cpu"), "enforced");
    } else {
        assert_eq!(limits, Vec::<String>::new());
        assert!(told.wall("cpu").starts_with("missing: no cgroup with a cpu controller ("), "{told:?}");
        let strict = boxed.flags(&["--strict"]).probe(&["identity"]);
        assert!(strict.out.is_empty() && strict.err.contains("cpu"), "{strict:?}");
    }
    assert_eq!(folders_of(&name), Vec::<PathBuf>::new(), "nothing is left");
    Ok(())
}

/// Who asked for no limit gets what was asked for.
fn unasked(scene: &Scene<'_>) -> Outcome {
    assert_eq!(scene.boxed().probe(&["identity"]).wall("cpu"), "enforced");
    Ok(())
}

/// The quotas of a box's groups.
fn limits_of(name: &str) -> Vec<String> {
    let quota = |folder: PathBuf| {
        let old = fs::read_to_string(folder.join("cpu.cfs_quota_us"));
        let new = fs::read_to_string(folder.join("cpu.max"));
        old.or(new).ok()?.split_whitespace().next().map(str::to_owned)
    };
    folders_of(name).into_iter().filter_map(quota).filter(|quota| quota != "max" && quota != "-1").collect()
}

/// How often the kernel made a box wait for its share.
fn held_back(name: &str) -> u64 {
    let stats = folders_of(name).into_iter().filter_map(|folder| fs::read_to_string(folder.join("cpu.stat")).ok());
    stats
        .flat_map(|text| {
            text.lines().filter_map(|line| line.strip_prefix("nr_throttled ")?.parse::<u64>().ok()).collect::<Vec<_>>()
        })
        .sum()
}

/// A box's folders anywhere below the mount, found by its name.
pub(super) fn folders_of(name: &str) -> Vec<PathBuf> {
    // The box's name, and digits that are this run's alone.
    let wanted = format!("brig-{name}-");
    let (mut found, mut rest) = (Vec::new(), vec![PathBuf::from(MOUNT)]);
    while let Some(folder) = rest.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let path = entry.path();
                let found_it = entry.file_name().to_string_lossy().starts_with(&wanted);
                if found_it { found.push(path) } else { rest.push(path) }
            }
        }
    }
    found
}

/// Whether this user may make a group with this controller: tried, in the places where brig's own
/// process is or, with cgroup v2, beside it.
pub(crate) fn groups_can_be_made(controller: &str) -> bool {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    own.lines().any(|line| {
        let parts: Vec<&str> = line.splitn(3, ':').collect();
        let path = parts[2].trim_start_matches('/');
        if parts[1].is_empty() {
            let here = Path::new(MOUNT).join(path);
            let parents = [here.parent().map(Path::to_owned), Some(here)];
            parents.into_iter().flatten().any(|parent| {
                let handed = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
                handed.split_whitespace().any(|one| one == controller) && can_make_in(&parent)
            })
        } else {
            parts[1].split(',').any(|one| one == controller) && can_make_in(&Path::new(MOUNT).join(parts[1]).join(path))
        }
    })
}

fn can_make_in(folder: &Path) -> bool {
    let try_out = folder.join(token());
    fs::create_dir(&try_out).is_ok() && fs::remove_dir(&try_out).is_ok()
}
