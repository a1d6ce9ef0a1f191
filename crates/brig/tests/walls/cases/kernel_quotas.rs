//! What the kernel counts per user is limited for the box alone (rule 21).

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case {
    wall: "kernel-quotas",
    proofs: &[Proof::both("watches", watches), Proof::beside("new_namespaces", new_namespaces)],
};

/// Each of them is taken from what the caller may have.
fn watches(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["watches", "100"]);
    assert_eq!(told.of("watches"), if scene.held { "64" } else { "100" });
    Ok(())
}

/// The system call list would refuse it first.
fn new_namespaces(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().beside(&["system-calls"]).probe(&["calls"]);
    assert_eq!(told.of("user namespace"), if scene.held { "ENOSPC" } else { "ok" });
    Ok(())
}
