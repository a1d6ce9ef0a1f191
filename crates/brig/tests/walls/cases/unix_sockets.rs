//! `socket(AF_UNIX)` is refused while a host folder is mounted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use super::network::tell_everybody;
use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "unix-sockets",
    proofs: &[
        Proof::both("in_a_granted_folder", in_a_granted_folder),
        Proof::both("own", own),
        Proof::held("without_a_folder", without_a_folder),
    ],
};

/// A service that puts its socket into a read-only grant when the box already runs (rule 13).
fn in_a_granted_folder(scene: &Scene<'_>) -> Outcome {
    let (folder, token) = (scene.place.fresh(), token());
    let mut living = scene.boxed().grant(&folder, "ro").start(&["unix-later", "/data/agent.sock"]);
    assert_eq!(living.line(), "ready");
    // Bound beside and moved: it is never seen before everybody may connect.
    let listener = UnixListener::bind(folder.join("new")).unwrap();
    fs::set_permissions(folder.join("new"), fs::Permissions::from_mode(0o777)).unwrap();
    tell_everybody(&token, move || listener.accept().map(|(stream, _)| stream));
    fs::rename(folder.join("new"), folder.join("agent.sock")).unwrap();
    let (there, said) = (living.line(), living.line());
    living.finish();
    assert_eq!(there, "there\ttrue");
    let expected = if scene.held { "EAFNOSUPPORT".to_owned() } else { format!("ok {token}") };
    assert_eq!(said, format!("said\t{expected}"));
    Ok(())
}

/// Pairs reach nobody and always work.
fn own(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().grant(&scene.place.fresh(), "ro").probe(&["unix"]);
    assert_eq!((told.of("pair"), told.of("own")), ("ok", if scene.held { "EAFNOSUPPORT" } else { "ok" }));
    Ok(())
}

fn without_a_folder(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["unix"]);
    assert_eq!((told.of("pair"), told.of("own")), ("ok", "ok"));
    Ok(())
}
