//! The seccomp allow-list.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::net::{AddressFamily, SocketType, socket};

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case {
    wall: "system-calls",
    proofs: &[
        Proof::both("filter", filter),
        Proof::both("calls", calls),
        Proof::beside("new_namespaces", new_namespaces),
        Proof::beside("mount", mount),
        Proof::both("set_id_files", set_id_files),
    ],
};

fn filter(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["status"]);
    assert_eq!(told.of("Seccomp"), if scene.held { "2" } else { "0" });
    Ok(())
}

/// Limits of other processes, and sockets that a network namespace does not confine (rule 20).
fn calls(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["calls"]);
    for allowed in ["prlimit of itself", "routes", "udp"] {
        assert_eq!(told.of(allowed), "ok", "{allowed}");
    }
    let (other, family) = if scene.held { ("EPERM", "EAFNOSUPPORT") } else { ("ok", "ok") };
    assert_eq!(told.of("prlimit of another"), other);
    assert_eq!(told.of("uevents"), family);
    // A kernel without virtual sockets has none to refuse.
    let here = socket(AddressFamily::VSOCK, SocketType::STREAM, None).is_ok();
    assert_eq!(told.of("vsock"), if here { family } else { "EAFNOSUPPORT" });
    // Told apart from the quota, which answers ENOSPC.
    assert_eq!(told.of("user namespace"), if scene.held { "EPERM" } else { "ENOSPC" });
    Ok(())
}

fn new_namespaces(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().beside(&["kernel-quotas"]).probe(&["calls"]);
    assert_eq!(told.of("user namespace"), if scene.held { "EPERM" } else { "ok" });
    Ok(())
}

fn mount(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().beside(&["no-root", "capabilities", "landlock"]).probe(&["mount"]);
    let expected = if scene.held { ("EPERM", "false") } else { ("ok", "true") };
    assert_eq!((told.of("mount"), told.of("covered")), expected);
    Ok(())
}

/// A set-user-id file in a writable grant would be the caller's own on the host (rule 18).
fn set_id_files(scene: &Scene<'_>) -> Outcome {
    let folder = scene.place.fresh();
    let told = scene.boxed().grant(&folder, "rw").probe(&["set-id", "/data"]);
    let set_id = |name: &str| is_set_id(&folder.join(name));
    for (way, file) in [("chmod", "by-chmod"), ("open", "by-open"), ("mknod", "by-mknod")] {
        assert_eq!(told.of(way), if scene.held { "EPERM" } else { "ok" }, "{way}");
        assert_eq!(set_id(file), !scene.held, "{file} on the host");
    }
    assert_eq!(told.of("fifo"), "ok", "FIFOs are allowed");
    // By this list, and without it by Landlock.
    assert_eq!(told.of("device"), if scene.held { "EPERM" } else { "EACCES" }, "devices never are");
    assert!(!folder.join("null").exists());
    Ok(())
}

fn is_set_id(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o6000 != 0)
}
