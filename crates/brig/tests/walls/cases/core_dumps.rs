//! No core dumps, not even through a handler of the host (rule 19).

use std::fs;
use std::process::Command;

use rustix::process::{Resource, getrlimit};

use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, token};

pub(super) const CASE: Case =
    Case { wall: "core-dumps", proofs: &[Proof::both("limit", limit), Proof::both("crash", crash)] };

/// 1 and not 0, which a handler behind a pipe would not respect; and the box cannot make it 0.
fn limit(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["limits"]);
    let callers = getrlimit(Resource::Core);
    if scene.held {
        assert_eq!(told.of("core"), "1 1");
    } else {
        let show = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        assert_eq!(told.of("core"), format!("{} {}", show(callers.current), show(callers.maximum)));
    }
    assert_eq!(told.of("core to 0"), "EPERM", "by the system call list");
    Ok(())
}

/// A program that crashes in a writable grant with a token in its memory.
fn crash(scene: &Scene<'_>) -> Outcome {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.starts_with('|') || pattern.contains('/') || pattern.trim().is_empty() {
        return Err(Skip(format!("core files go to {pattern:?}, not into the working folder")));
    }
    if !Command::new("sh").args(["-c", "ulimit -c unlimited"]).status().unwrap().success() {
        return Err(Skip("this user may not ask for core files at all".to_owned()));
    }
    let (folder, token) = (scene.place.fresh(), token());
    let backwards: String = token.chars().rev().collect();
    let boxed = scene.boxed().after("ulimit -c unlimited").grant(&folder, "rw").flags(&["--workdir", "/data"]);
    let told = boxed.probe(&["crash", &backwards]);
    const SIGABRT: i32 = 6;
    assert_eq!(told.status.code(), Some(128 + SIGABRT), "{told:?}");
    let cores = fs::read_dir(&folder).unwrap().flatten().filter_map(|entry| fs::read(entry.path()).ok());
    let holds = |core: &Vec<u8>| core.windows(token.len()).any(|window| window == token.as_bytes());
    let found: Vec<bool> = cores.map(|core| holds(&core)).collect();
    assert_eq!(found, if scene.held { vec![] } else { vec![true] }, "core files with the token");
    Ok(())
}
