//! Only what was granted is mounted: nosuid, nodev, read-only unless granted.

use std::fs;

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "mounts",
    proofs: &[
        Proof::both("planted_file", planted_file),
        Proof::held("granted", granted),
        Proof::held("options", options),
    ],
};

/// A file of the host that everybody may read, looked for below every mount.
fn planted_file(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let file = scene.place.file(&token);
    let told = scene.boxed().probe(&["everywhere", file.to_str().unwrap()]);
    assert!(told.of("mounts").parse::<usize>().unwrap() > 5, "{told:?}");
    if scene.held {
        assert_eq!(told.of("found"), "nothing");
    } else {
        assert_eq!(told.of("found"), format!("/breach{} {token}", file.display()));
    }
    Ok(())
}

/// The allowed case: the same file is seen when its folder was granted, and cannot be changed.
fn granted(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let file = scene.place.file(&token);
    let boxed = scene.boxed().grant(file.parent().unwrap(), "ro");
    assert_eq!(boxed.probe(&["read", "/data/planted.txt"]).of("/data/planted.txt"), format!("ok {token}"));
    assert_eq!(boxed.probe(&["make", "/data/new"]).of("/data/new"), "EROFS");
    assert_eq!(boxed.probe(&["fill", "1", "/data/planted.txt"]).of("fill"), "EROFS");
    assert_eq!(fs::read_to_string(&file).unwrap(), token);
    let boxed = scene.boxed().grant(file.parent().unwrap(), "rw");
    assert_eq!(boxed.probe(&["make", "/data/new"]).of("/data/new"), "ok true");
    assert_eq!(fs::read_to_string(file.with_file_name("new")).unwrap(), "/data/new");
    Ok(())
}

/// The options of every mount, as the box's own kernel table has them.
fn options(scene: &Scene<'_>) -> Outcome {
    const WRITABLE: &[&str] = &["/tmp", "/dev/shm", "/home/box", "/data"];
    const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
    let told = scene.boxed().grant(&scene.place.fresh(), "rw").run(&["cat", "/proc/self/mountinfo"]);
    for line in told.out.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (top, options) = (fields[4], fields[5].split(',').collect::<Vec<_>>());
        let device = DEVICES.contains(&top);
        assert!(options.contains(&"nosuid"), "{line}");
        assert!(options.contains(if device { &"noexec" } else { &"nodev" }), "{line}");
        assert!(options.contains(&"ro") || device || WRITABLE.contains(&top), "{line}");
    }
    for top in WRITABLE.iter().chain(DEVICES).chain(&["/", "/usr", "/proc"]) {
        assert!(told.out.lines().any(|line| line.split(' ').nth(4) == Some(top)), "{top}: {told:?}");
    }
    Ok(())
}
