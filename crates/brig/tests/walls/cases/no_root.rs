//! One user, 65532, is all that the box's user namespace knows.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "no-root", proofs: &[Proof::both("uid", uid)] };

/// Who the box is inside, and that nobody else exists there.
fn uid(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["identity"]);
    let inside = if scene.held { "65532" } else { "0" };
    assert_eq!((told.of("uid"), told.of("gid")), (inside, inside));
    for map in ["uid_map", "gid_map"] {
        let ids: Vec<&str> = told.of(map).split(' ').collect();
        assert_eq!((ids.len(), ids[0], ids[2]), (3, inside, "1"), "{map}: one id, and no other");
    }
    Ok(())
}
