//! Open files of each process, below what the caller has.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case =
    Case { wall: "open-files", proofs: &[Proof::both("asked_for", asked_for), Proof::both("callers", callers)] };

fn asked_for(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().flags(&["--nofile", "64"]).probe(&["open", "200"]);
    // Its three pipes are among the 64.
    assert_eq!(told.of("open"), if scene.held { "61" } else { "200" });
    Ok(())
}

/// Descriptors in flight are counted per user, so the box has fewer than its caller (rule 21).
fn callers(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().after("ulimit -n 400").probe(&["limits"]);
    assert_eq!(told.of("open files"), if scene.held { "350 350" } else { "400 400" });
    assert_eq!(told.of("more open files"), "EPERM");
    Ok(())
}
