//! No file grows past the limit.

use std::fs;

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "file-size", proofs: &[Proof::both("in_a_grant", in_a_grant)] };

/// Written by the box, measured on the host.
fn in_a_grant(scene: &Scene<'_>) -> Outcome {
    const SIGXFSZ: i32 = 25;
    let folder = scene.place.fresh();
    let boxed = scene.boxed().flags(&["--file-size", "1m"]).grant(&folder, "rw");
    assert_eq!(boxed.probe(&["fill", "1048576", "/data/fits"]).of("fill"), "ok 1048576");
    let told = boxed.probe(&["fill", "2097152", "/data/more"]);
    let size = fs::metadata(folder.join("more")).unwrap().len();
    if scene.held {
        assert_eq!((told.status.code(), size), (Some(128 + SIGXFSZ), 1_048_576), "{told:?}");
    } else {
        assert_eq!((told.of("fill"), size), ("ok 2097152", 2_097_152));
    }
    Ok(())
}
