//! No program that the box starts gains anything by being started. What it could gain is kept from
//! it by nosuid mounts too, so the flag itself is what is looked at.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "no-new-privileges", proofs: &[Proof::both("flag", flag)] };

fn flag(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["status"]);
    assert_eq!(told.of("NoNewPrivs"), if scene.held { "1" } else { "0" });
    assert_eq!(scene.boxed().probe(&["keep-privileges"]).of("unset"), "EINVAL", "it can never be unset");
    Ok(())
}
