//! Null, zero, full, random and urandom, and no other device.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case =
    Case { wall: "devices", proofs: &[Proof::both("names", names), Proof::both("host_folder", host_folder)] };

fn names(scene: &Scene<'_>) -> Outcome {
    const ALL: &str = "ok fd full null random shm stderr stdin stdout urandom zero";
    let told = scene.boxed().probe(&["list", "/dev"]);
    if scene.held {
        assert_eq!(told.of("/dev"), ALL);
    } else {
        assert!(told.of("/dev").split(' ').any(|name| name == "tty"), "{told:?}");
    }
    let read = scene.boxed().run(&["sh", "-c", "head -c 5 /dev/zero | wc -c; echo x >/dev/null && echo wrote"]);
    assert_eq!(read.out, "5\nwrote\n", "the five work");
    Ok(())
}

/// What another program put into the host's `/dev/shm`.
fn host_folder(scene: &Scene<'_>) -> Outcome {
    let (name, token) = (token(), token());
    let path = format!("/dev/shm/{name}");
    fs::write(&path, &token).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let told = scene.boxed().probe(&["read", &path]);
    fs::remove_file(&path).unwrap();
    assert_eq!(told.of(&path), if scene.held { "ENOENT".to_owned() } else { format!("ok {token}") });
    Ok(())
}
