//! Rule 9: the program is of init's own user and still cannot look into it.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "rule-9", proofs: &[Proof::held("closed", closed)] };

fn closed(scene: &Scene<'_>) -> Outcome {
    const FILES: &[&str] = &["/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/1/stack"];
    const LINKS: &[&str] = &["/proc/1/exe", "/proc/1/root", "/proc/1/cwd", "/proc/1/ns/mnt"];
    let probe = |words: &[&str], more: &[&str]| scene.boxed().probe(&[words, more].concat());
    let files = probe(&["read"], FILES);
    for path in FILES {
        assert!(["EACCES", "EPERM"].contains(&files.of(path)), "{path}: {files:?}");
    }
    let links = probe(&["links"], LINKS);
    for path in LINKS {
        assert!(["EACCES", "EPERM"].contains(&links.of(path)), "{path}: {links:?}");
    }
    assert_eq!(probe(&["list"], &["/proc/1/fd"]).of("/proc/1/fd"), "EACCES");
    // The allowed case: what everybody may know of a process, and all of its own.
    let own = probe(&["links"], &["/proc/self/exe", "/proc/self/root"]);
    assert_eq!(own.of("/proc/self/root"), "ok /");
    assert!(probe(&["read"], &["/proc/1/status"]).of("/proc/1/status").starts_with("ok Name:"));
    Ok(())
}
