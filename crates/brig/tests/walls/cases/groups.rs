//! The caller's supplementary groups are dropped, where the caller is root; else they are named.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use crate::runner::{Case, Outcome, Proof, Who};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "groups",
    proofs: &[
        Proof::both("file_of_a_group", file_of_a_group).by(Who::Root),
        Proof::held("kept_ones_are_named", kept_ones_are_named).by(Who::Root),
        Proof::held("state_of_this_user", state_of_this_user).by(Who::User),
    ],
};

/// A user that owns nothing else, so that no mapping shows its files as the box's.
const STRANGER: u32 = 54321;
/// Debian's adm, which reads logs; any number would do.
const GROUP: u32 = 4;

/// A token that only members of a group may read.
fn file_of_a_group(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let folder = scene.place.fresh();
    let file = folder.join("token");
    fs::write(&file, &token).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    chown(&file, Some(STRANGER), Some(GROUP)).unwrap();
    chown(&folder, Some(STRANGER), Some(STRANGER)).unwrap();
    let told =
        scene.boxed().through(&["setpriv", "--groups", "4,24"]).grant(&folder, "ro").probe(&["read", "/data/token"]);
    if scene.held {
        assert_eq!(told.of("/data/token"), "EACCES");
        assert_eq!(told.wall("groups"), "enforced");
    } else {
        assert_eq!(told.of("/data/token"), format!("ok {token}"));
    }
    Ok(())
}

/// Nobody but root may drop groups: the box says which ones it keeps, and does not start if strict.
fn kept_ones_are_named(scene: &Scene<'_>) -> Outcome {
    let home = scene.place.fresh();
    chown(&home, Some(STRANGER), Some(STRANGER)).unwrap();
    let user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--groups", "4,24"];
    let boxed = scene.boxed().through(&user).env("HOME", home.to_str().unwrap());
    let told = boxed.probe(&["status"]);
    assert!(
        told.wall("groups").starts_with("weaker: the kernel lets nobody but root drop groups; the box keeps 4, 24")
    );
    assert_eq!(told.of("Groups").split_whitespace().count(), 2, "{told:?}");
    let strict = boxed.flags(&["--strict"]).probe(&["status"]);
    assert!(strict.out.is_empty() && !strict.status.success(), "{strict:?}");
    assert!(strict.err.contains("groups"), "{strict:?}");
    Ok(())
}

fn state_of_this_user(scene: &Scene<'_>) -> Outcome {
    let own = rustix::process::getegid();
    let others: Vec<String> = rustix::process::getgroups()
        .unwrap()
        .into_iter()
        .filter(|group| *group != own)
        .map(|group| group.as_raw().to_string())
        .collect();
    let told = scene.boxed().probe(&["identity"]);
    if others.is_empty() {
        assert_eq!(told.wall("groups"), "enforced");
    } else {
        assert!(told.wall("groups").contains(&format!("the box keeps {} (", others.join(", "))), "{told:?}");
    }
    Ok(())
}
