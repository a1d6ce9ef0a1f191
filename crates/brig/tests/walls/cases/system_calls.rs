//! The seccomp allow-list.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::net::{AddressFamily, SocketType, socket};

use brig_engine::seccomp;

use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, installed};

pub(super) const CASE: Case = Case {
    wall: "system-calls",
    proofs: &[
        Proof::both("filter", filter),
        Proof::both("calls", calls),
        Proof::both("refused_ones", refused_ones),
        Proof::both("foreign_convention", foreign_convention),
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

/// Makes each call with arguments that no call takes, and prints the error number.
const CALL: &str = "for my $n (@ARGV) { $! = 0; syscall($n + 0, -1, -1, -1, -1, -1, -1); print $! + 0, \"\\n\" }";

/// Every call that the list refuses by name, asked of the kernel.
fn refused_ones(scene: &Scene<'_>) -> Outcome {
    const EPERM: &str = "1";
    const ENOSYS: &str = "38";
    if !installed("perl") {
        return Err(Skip("no perl, which can make any system call".to_owned()));
    }
    let refused: Vec<_> = seccomp::list(true).into_iter().filter(|line| line.verdict == "refused").collect();
    let numbers: Vec<String> = refused.iter().map(|line| line.number.to_string()).collect();
    let words = ["perl", "-e", CALL].into_iter().chain(numbers.iter().map(String::as_str));
    let told = scene.boxed().run(&words.collect::<Vec<_>>());
    let answers: Vec<&str> = told.out.lines().collect();
    assert_eq!(answers.len(), refused.len(), "{told:?}");
    let as_listed = refused
        .iter()
        .zip(&answers)
        .filter(|(line, answer)| **answer == if ["clone3", "openat2"].contains(&line.name) { ENOSYS } else { EPERM });
    if scene.held {
        assert_eq!(as_listed.count(), refused.len(), "{:?}", refused.iter().zip(&answers).collect::<Vec<_>>());
    } else {
        // The rest is refused for want of capabilities.
        assert!(as_listed.count() < refused.len() / 2, "the kernel itself answers");
    }
    Ok(())
}

/// The x32 convention has numbers of its own, which no list of ours knows (rule 20).
fn foreign_convention(scene: &Scene<'_>) -> Outcome {
    const SIGSYS: i32 = 31;
    const X32_GETPID: &str = "1073741863";
    if !cfg!(target_arch = "x86_64") || !installed("perl") {
        return Err(Skip("it needs x86-64, and perl, which can make any system call".to_owned()));
    }
    let told = scene.boxed().run(&["perl", "-e", CALL, X32_GETPID]);
    assert_eq!(told.status.code(), Some(if scene.held { 128 + SIGSYS } else { 0 }), "{told:?}");
    assert_eq!(told.out.is_empty(), scene.held, "{told:?}");
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
