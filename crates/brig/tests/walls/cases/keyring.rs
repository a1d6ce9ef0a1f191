//! A session keyring of its own.

use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, installed, token};

pub(super) const CASE: Case = Case { wall: "keyring", proofs: &[Proof::beside("callers_key", callers_key)] };

/// A key of the session that brig was started in. The system call list would refuse the question.
fn callers_key(scene: &Scene<'_>) -> Outcome {
    if !installed("keyctl") {
        return Err(Skip("no keyctl (package keyutils)".to_owned()));
    }
    let token = token();
    let plant = format!("keyctl add user brig-walls {token} @s >&2; exec \"$@\"");
    let boxed = scene.boxed().beside(&["system-calls"]).through(&["keyctl", "session", "-", "sh", "-c", &plant, "sh"]);
    let told = boxed.run(&["sh", "-c", "keyctl print $(keyctl search @s user brig-walls)"]);
    assert_eq!(told.out.trim(), if scene.held { "" } else { &token }, "{told:?}");
    if scene.held {
        assert!(told.err.contains("keyctl_search"), "{told:?}");
    }
    Ok(())
}
