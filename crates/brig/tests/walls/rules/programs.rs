//! Rule 25: what real servers miss when they are boxed naively.

use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, installed};

pub(super) const CASE: Case = Case {
    wall: "rule-25",
    proofs: &[Proof::held("node", node), Proof::held("python", python), Proof::held("folders", folders)],
};

/// `os.userInfo` throws without a passwd entry; processors are counted from `/proc/cpuinfo`.
fn node(scene: &Scene<'_>) -> Outcome {
    if !installed("node") {
        return Err(Skip("no node".to_owned()));
    }
    let script = "const os = require('os'); const u = os.userInfo(); \
                  console.log([u.username, u.uid, u.homedir, os.homedir(), os.cpus().length > 0].join(' '))";
    let told = scene.boxed().flags(&["--proc", "full"]).run(&["node", "-e", script]);
    assert_eq!(told.out.trim(), "box 65532 /home/box /home/box true", "{told:?}");
    Ok(())
}

/// Pools need /dev/shm and pipes, with a grant as well as without.
fn python(scene: &Scene<'_>) -> Outcome {
    if !installed("python3") {
        return Err(Skip("no python3".to_owned()));
    }
    let script = "import multiprocessing as m, getpass\nwith m.Pool(2) as p: print(sum(p.map(abs, [-1, -2])), getpass.getuser())";
    for boxed in [scene.boxed(), scene.boxed().grant(&scene.place.fresh(), "ro")] {
        let told = boxed.run(&["python3", "-c", script]);
        assert_eq!(told.out.trim(), "3 box", "{told:?}");
    }
    Ok(())
}

/// Places that programs write to, and files that they read.
fn folders(scene: &Scene<'_>) -> Outcome {
    let written = ["/home/box/new", "/tmp/new", "/dev/shm/new"];
    let told = scene.boxed().probe(&[&["make"], &written[..]].concat());
    for path in written {
        assert_eq!(told.of(path), "ok true", "{path}");
    }
    let read = ["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf"];
    let told = scene.boxed().probe(&[&["read"], &read[..]].concat());
    for path in read {
        assert!(told.of(path).starts_with("ok"), "{path}: {told:?}");
    }
    Ok(())
}
