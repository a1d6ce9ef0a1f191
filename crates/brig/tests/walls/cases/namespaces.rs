//! User, mount, pid, network, ipc, uts and cgroup namespaces of its own.

use std::process::{Command, Stdio};

use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, installed, token};

pub(super) const CASE: Case = Case {
    wall: "namespaces",
    proofs: &[
        Proof::both("links", links),
        Proof::both("shared_memory", shared_memory),
        Proof::held("processes", processes),
        Proof::held("name", name),
    ],
};

/// Each of them is another one than the tester's. The tests leave one of the seven out: the engine
/// could not go on without the others.
fn links(scene: &Scene<'_>) -> Outcome {
    const ALL: &[&str] = &["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
    let paths: Vec<String> = ALL.iter().map(|name| format!("/proc/self/ns/{name}")).collect();
    let words: Vec<&str> = ["links"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let told = scene.boxed().probe(&words);
    let host = |path: &str| format!("ok {}", std::fs::read_link(path).unwrap().display());
    for (name, path) in ALL.iter().zip(&paths) {
        let shared = *name == "ipc" && !scene.held;
        assert_eq!(told.of(path) == host(path), shared, "{path}: {}", told.of(path));
    }
    Ok(())
}

/// A System V segment of the host that everybody may read.
fn shared_memory(scene: &Scene<'_>) -> Outcome {
    if !installed("perl") {
        return Err(Skip("no perl, whose shmread is what reads the segment".to_owned()));
    }
    let token = token();
    let key = (std::process::id() | 0x6200_0000).to_string();
    let segment = Segment::make(&key, &token);
    let read = "my $id = shmget($ARGV[0], 64, 0); defined $id or print(\"none\"), exit; \
                shmread($id, my $text, 0, 64); $text =~ s/\\0//g; print $text";
    let told = scene.boxed().run(&["perl", "-e", read, &key]);
    drop(segment);
    assert_eq!(told.out, if scene.held { "none".to_owned() } else { token }, "{told:?}");
    Ok(())
}

/// A segment that goes when it is dropped.
struct Segment(String);

impl Segment {
    fn make(key: &str, text: &str) -> Self {
        let make =
            "my $id = shmget($ARGV[0], 64, 01666) // die $!; shmwrite($id, $ARGV[1], 0, 64) or die $!; print $id";
        let made = Command::new("perl").args(["-e", make, key, text]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        Self(String::from_utf8(made.stdout).unwrap())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        drop(Command::new("ipcrm").args(["-m", &self.0]).status());
    }
}

/// A process of the host has no number in the box.
fn processes(scene: &Scene<'_>) -> Outcome {
    let mut sleeper = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let told = scene.boxed().probe(&["process", &sleeper.id().to_string()]);
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert_eq!(told.of("process"), "ESRCH");
    assert_eq!(scene.boxed().probe(&["process", "2"]).of("process"), "ok", "its own have");
    Ok(())
}

fn name(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().flags(&["--name", "a-name-of-its-own"]).probe(&["identity"]);
    assert_eq!((told.of("node"), told.of("host")), ("a-name-of-its-own", "a-name-of-its-own"));
    assert_ne!(rustix::system::uname().nodename().to_string_lossy(), "a-name-of-its-own");
    Ok(())
}
