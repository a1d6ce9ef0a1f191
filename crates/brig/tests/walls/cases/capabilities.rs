//! All capabilities dropped, and none to be had again.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case =
    Case { wall: "capabilities", proofs: &[Proof::both("sets", sets), Proof::beside("mount", mount)] };

fn sets(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["status"]);
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(told.of(set), "0000000000000000", "{set}");
    }
    let bounding = u64::from_str_radix(told.of("CapBnd"), 16).unwrap();
    assert_eq!(bounding == 0, scene.held, "{bounding:#x}");
    Ok(())
}

/// A uid 0 gets its capabilities at execve, and with them it mounts, but not past an empty set.
fn mount(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().beside(&["no-root", "system-calls", "landlock"]).probe(&["mount"]);
    let expected = if scene.held { ("EPERM", "false") } else { ("ok", "true") };
    assert_eq!((told.of("mount"), told.of("covered")), expected);
    Ok(())
}
