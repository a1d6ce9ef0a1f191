//! A limit on the memory of all processes together; on each of them where there is no cgroup.

use super::cpu::groups_can_be_made;
use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "memory", proofs: &[Proof::both("too_much", too_much)] };

fn too_much(scene: &Scene<'_>) -> Outcome {
    let boxed = scene.boxed().flags(&["-m", "64m"]);
    if groups_can_be_made("memory") {
        let told = boxed.probe(&["touch-memory", "256"]);
        assert_eq!(told.out.is_empty(), scene.held, "{told:?}");
        assert_eq!(told.status.success(), !scene.held, "{told:?}");
        if scene.held {
            assert_eq!(told.wall("memory"), "enforced");
            assert!(!boxed.probe(&["touch-memory", "16"]).out.is_empty(), "less is allowed");
        }
        return Ok(());
    }
    // At least 4 GiB of addresses, since language runtimes set more aside than they use.
    let told = boxed.probe(&["reserve-memory", "5120"]);
    assert_eq!(told.of("reserved"), if scene.held { "ENOMEM" } else { "ok" });
    if scene.held {
        assert!(told.wall("memory").starts_with("weaker: no cgroup to be had: a limit on each process ("), "{told:?}");
        assert_eq!(boxed.probe(&["reserve-memory", "1024"]).of("reserved"), "ok", "less is allowed");
        let strict = boxed.flags(&["--strict"]).probe(&["identity"]);
        assert!(strict.out.is_empty() && strict.err.contains("memory"), "{strict:?}");
    }
    Ok(())
}
