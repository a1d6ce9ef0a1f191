//! The walls stand exactly as this user can have them here, and `brig doctor` says so.

use crate::cases::{groups_can_be_made, kernel_has_it};
use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "states", proofs: &[Proof::held("doctor", doctor)] };

fn doctor(scene: &Scene<'_>) -> Outcome {
    let doctor = scene.boxed().doctor();
    let own = rustix::process::getegid();
    let only_own_group = rustix::process::getgroups().unwrap().into_iter().all(|group| group == own);
    let user = !rustix::process::geteuid().is_root();
    for wall in doctor["walls"].as_array().unwrap() {
        let id = wall["id"].as_str().unwrap();
        if id == "landlock" && !kernel_has_it() {
            assert!(["weaker", "missing"].contains(&wall["state"].as_str().unwrap()), "{wall}");
            continue;
        }
        let weaker = match id {
            "memory" => !groups_can_be_made("memory"),
            "groups" => user && !only_own_group,
            _ => false,
        };
        assert_eq!(wall["state"], if weaker { "weaker" } else { "enforced" }, "{wall}");
        assert_eq!(wall["why"].is_null(), !weaker, "{wall}");
    }
    let said = doctor["walls"].as_array().unwrap().iter().map(|wall| wall["id"].as_str().unwrap());
    assert_eq!(said.collect::<Vec<_>>(), brig_engine::walls::WALLS.iter().map(|wall| wall.id).collect::<Vec<_>>());
    Ok(())
}
