//! A session of its own without a terminal.

use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, installed, token};

pub(super) const CASE: Case = Case {
    wall: "terminal",
    proofs: &[Proof::both("session", session), Proof::beside("callers_terminal", callers_terminal)],
};

/// Init leads a session; 0 stands for one outside of the box.
fn session(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["terminal"]);
    assert_eq!(told.of("session"), if scene.held { "1" } else { "0" });
    Ok(())
}

/// A line written to the terminal that brig was started from. It is given backwards, so that only
/// the terminal can show it; the host's devices are there and Landlock is not, in both halves.
fn callers_terminal(scene: &Scene<'_>) -> Outcome {
    if !installed("script") {
        return Err(Skip("no script (package bsdutils), which gives brig a terminal".to_owned()));
    }
    let token = token();
    let backwards: String = token.chars().rev().collect();
    let boxed = scene.boxed().beside(&["devices", "landlock"]);
    let line = r#"for word; do line="$line '$word'"; done; exec script -qec "$line" /dev/null"#;
    let told = boxed.through(&["sh", "-c", line, "sh"]).probe(&["terminal", &backwards]);
    assert_eq!(told.out.contains(&token), !scene.held, "{told:?}");
    assert_eq!(told.out.contains("typed\tENXIO"), scene.held, "{told:?}");
    Ok(())
}
