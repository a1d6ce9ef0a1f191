//! /tmp, /dev/shm and HOME are memory of a fixed size.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "tmp", proofs: &[Proof::both("size", size), Proof::held("others", others)] };

const MIB: u64 = 1024 * 1024;

fn size(scene: &Scene<'_>) -> Outcome {
    let boxed = scene.boxed().flags(&["--tmp-size", "1m"]);
    assert_eq!(boxed.probe(&["fill", "524288", "/tmp/half"]).of("fill"), "ok 524288");
    let more = boxed.probe(&["fill", "2097152", "/tmp/more"]);
    assert_eq!(more.of("fill"), if scene.held { "ENOSPC" } else { "ok 2097152" });
    Ok(())
}

/// The other memory folders have a size too, and room for a number of files that goes with it.
fn others(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().flags(&["--shm-size", "1m", "--tmp-size", "3m"]).probe(&[
        "rooms",
        "/tmp",
        "/dev/shm",
        "/home/box",
    ]);
    for (folder, expected) in [("/tmp", 3 * MIB), ("/dev/shm", MIB), ("/home/box", 256 * MIB)] {
        let said: Vec<u64> =
            told.of(folder).trim_start_matches("ok ").split(' ').map(|number| number.parse().unwrap()).collect();
        assert_eq!(said[0], expected, "{folder}");
        assert!(said[1] >= 512 && said[1] <= 131_072, "{folder} has room for {} files", said[1]);
    }
    Ok(())
}
