//! A limit on the number of processes and threads.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "processes", proofs: &[Proof::both("threads", threads)] };

fn threads(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().flags(&["--pids-limit", "16"]).probe(&["threads", "100"]);
    let count: usize = told.of("threads").parse().unwrap();
    if scene.held {
        assert!((8..16).contains(&count), "{count} threads beside init and the probe");
        assert_eq!(told.wall("processes"), "enforced");
    } else {
        assert_eq!(count, 100);
    }
    Ok(())
}
