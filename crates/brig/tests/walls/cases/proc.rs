//! `/proc` shows the box's own processes and nothing of the machine; there is no `/sys`.

use std::fs;
use std::process::{Command, Stdio};

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "proc",
    proofs: &[
        Proof::both("machine", machine),
        Proof::held("other_processes", other_processes),
        Proof::held("full", full),
    ],
};

/// A random number that the kernel of this machine made when it started.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

fn machine(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["read", BOOT, "/proc/meminfo", "/proc/version", "/sys/kernel/notes"]);
    let boot = fs::read_to_string(BOOT).unwrap();
    if scene.held {
        assert_eq!((told.of(BOOT), told.of("/proc/meminfo"), told.of("/proc/version")), ("ENOENT", "ENOENT", "ENOENT"));
    } else {
        assert_eq!(told.of(BOOT), format!("ok {}", boot.trim()));
        assert!(told.of("/proc/meminfo").starts_with("ok MemTotal:"));
    }
    assert_eq!(told.of("/sys/kernel/notes"), "ENOENT");
    Ok(())
}

/// A token in the environment of another process of the same user.
fn other_processes(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let mut other = Command::new("sleep").arg("60").env("PLANTED", &token).stdin(Stdio::null()).spawn().unwrap();
    let told = scene.boxed().probe(&["search-environments", &token]);
    // Its own environment holds the text when it is asked for, which shows that the search finds.
    let own = scene.boxed().flags(&["-e", &format!("OWN={token}")]).probe(&["search-environments", &token]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(told.of("found"), "0");
    assert_ne!(own.of("found"), "0");
    Ok(())
}

/// `--proc full` shows what programs ask for, and neither the kernel's memory, keys nor settings.
fn full(scene: &Scene<'_>) -> Outcome {
    let boxed = scene.boxed().flags(&["--proc", "full"]);
    let told =
        boxed.probe(&["read", "/proc/meminfo", "/proc/cpuinfo", BOOT, "/proc/keys", "/proc/kcore", "/proc/kallsyms"]);
    assert!(told.of("/proc/meminfo").starts_with("ok MemTotal:"));
    assert!(told.of("/proc/cpuinfo").starts_with("ok "));
    assert_eq!(
        told.wall("proc"),
        "weaker: --proc full shows processor, memory and load of the machine (leave --proc full out)"
    );
    for covered in [BOOT, "/proc/keys", "/proc/kcore", "/proc/kallsyms"] {
        // Covered by the empty device, by an unreadable folder, or never there.
        assert!(["ok", "EACCES", "ENOENT"].contains(&told.of(covered)), "{covered}: {}", told.of(covered));
    }
    let strict = boxed.flags(&["--strict"]).probe(&["identity"]);
    assert!(strict.out.is_empty() && strict.err.contains("proc"), "{strict:?}");
    Ok(())
}
