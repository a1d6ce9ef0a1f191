//! Nothing but the granted mounts and memory folders can be written.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "read-only-root", proofs: &[Proof::both("new_files", new_files)] };

fn new_files(scene: &Scene<'_>) -> Outcome {
    let told =
        scene.boxed().probe(&["make", "/payload", "/etc/payload", "/usr/payload", "/dev/payload", "/tmp/payload"]);
    for path in ["/payload", "/etc/payload"] {
        assert_eq!(told.of(path), if scene.held { "EROFS" } else { "ok true" }, "{path}");
    }
    assert_eq!(told.of("/usr/payload"), "EROFS", "a mount of its own, which stays read-only");
    assert_eq!(told.of("/dev/payload"), "EROFS", "a mount of its own, which stays read-only");
    assert_eq!(told.of("/tmp/payload"), "ok true", "memory can be written");
    Ok(())
}
