//! Three pipes are all that the program has open.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "descriptors",
    proofs: &[Proof::beside("hosts_root", hosts_root), Proof::held("callers_file", callers_file)],
};

/// A descriptor of the host's root, which the engine keeps open without this wall. Landlock would
/// still refuse what lies behind it.
fn hosts_root(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let file = scene.place.file(&token);
    let told = scene.boxed().beside(&["landlock"]).probe(&["descriptors", file.to_str().unwrap()]);
    assert_eq!(told.of("open").is_empty(), scene.held, "{told:?}");
    assert_eq!(told.find("leads-to"), (!scene.held).then_some(&*token));
    Ok(())
}

/// A file that brig's caller forgot to close.
fn callers_file(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let file = scene.place.file(&token);
    let boxed = scene.boxed().after(&format!("exec 9<'{}'", file.display()));
    assert_eq!(boxed.probe(&["descriptors", "/nowhere"]).of("open"), "");
    Ok(())
}
