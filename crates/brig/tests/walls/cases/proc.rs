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

/// `--proc full` shows what programs ask for, and nothing else of what this kernel has there.
fn full(scene: &Scene<'_>) -> Outcome {
    const SHOWN: &[&str] = &["cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version", "vmstat"];
    let boxed = scene.boxed().flags(&["--proc", "full"]);
    let listed = boxed.probe(&["list", "/proc"]);
    let names: Vec<&str> = listed.of("/proc").split(' ').skip(1).collect();
    let machine: Vec<String> = names.iter().filter(|name| !own(name)).map(|name| format!("/proc/{name}")).collect();
    let words = |probe| [probe].into_iter().chain(machine.iter().map(String::as_str)).collect::<Vec<_>>();
    let (files, folders) = (boxed.probe(&words("read")), boxed.probe(&words("list")));
    for path in &machine {
        if SHOWN.contains(&path.trim_start_matches("/proc/")) {
            assert!(files.of(path).len() > "ok ".len(), "{path} is shown");
        } else if folders.of(path) == "ENOTDIR" {
            assert_eq!(files.of(path), "ok", "{path} is covered by the null device");
        } else {
            assert_eq!(folders.of(path), "EACCES", "{path} is covered by a closed folder");
        }
    }
    for name in SHOWN.iter().chain(&["kcore", "keys", "sys", "cmdline", "kallsyms"]) {
        let here = fs::exists(format!("/proc/{name}")).unwrap();
        assert_eq!(names.contains(name), here, "{name} was looked at if this kernel has it");
    }
    assert_eq!(boxed.probe(&["read", BOOT]).of(BOOT), "EACCES");
    assert_eq!(
        files.wall("proc"),
        "weaker: --proc full shows processor, memory and load of the machine (leave --proc full out)"
    );
    let strict = boxed.flags(&["--strict"]).probe(&["identity"]);
    assert!(strict.out.is_empty() && strict.err.contains("proc"), "{strict:?}");
    Ok(())
}

/// The box's own processes, and links to the asking one.
fn own(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit()) || ["self", "thread-self", "mounts", "net"].contains(&name)
}
