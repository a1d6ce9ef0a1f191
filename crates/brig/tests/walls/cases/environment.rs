//! The environment is built from nothing.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "environment",
    proofs: &[Proof::both("callers_variable", callers_variable), Proof::held("asked_for", asked_for)],
};

fn callers_variable(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let told = scene.boxed().env("PLANTED", &token).probe(&["environment"]);
    assert_eq!(told.find("PLANTED"), (!scene.held).then_some(&*token));
    assert_eq!(told.out.contains(&token), !scene.held);
    Ok(())
}

/// The allowed case: a variable that was asked for is there.
fn asked_for(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().env("PLANTED", "plain").flags(&["-e", "PLANTED"]).probe(&["environment"]);
    assert_eq!(told.of("PLANTED"), "plain");
    assert_eq!(told.of("HOME"), "/home/box");
    Ok(())
}
