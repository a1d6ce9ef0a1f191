//! Copying from a real Docker daemon and a real Podman, which these tests start for themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brig_image::{Fetch, Lease, ObtainError, Platform, Reference, Registry, RegistrySettings};
use brig_image::{Sources, Tree, Wish, obtain};
use fixture::{Bench, Tar, docker_archive};

/// A daemon without network, whose folders go with it.
struct Daemon {
    folder: tempfile::TempDir,
    child: Child,
}

impl Daemon {
    fn start() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() || !Path::new("/usr/sbin/dockerd").exists() {
            return Err("needs root and /usr/sbin/dockerd (Debian: docker.io)".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(folder.path().join("config.json"), "{}").unwrap();
        let child = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "/usr/sbin/dockerd"])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec")])
            .args(["--pidfile", &at("pid"), "--host", &format!("unix://{}", at("socket"))])
            .args(["--bridge", "none", "--iptables=false", "--ip6tables=false"])
            .args(["--storage-driver", "vfs", "--config-file", &at("config.json")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let daemon = Self { folder, child };
        let deadline = Instant::now() + Duration::from_secs(40);
        while !daemon.docker(&["version"], b"") {
            if Instant::now() > deadline {
                return Err("dockerd does not start here".to_owned());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(daemon)
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("socket")
    }

    /// Runs Docker's own client.
    fn docker(&self, args: &[&str], input: &[u8]) -> bool {
        use std::io::Write;
        let mut child = Command::new("docker")
            .arg("--host")
            .arg(format!("unix://{}", self.socket().display()))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait().unwrap().success()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The first process of its namespace: with it all others go.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(bench: &Bench, socket: &Path, name: &str) -> Result<Lease, ObtainError> {
    let registry = Registry::new(RegistrySettings::default());
    obtain(
        &bench.store,
        Wish { reference: &Reference::parse(name).unwrap(), platform: &Platform::host(), fetch: Fetch::Never },
        Sources { registry: &registry, daemons: &[bench.path("no-such-socket"), socket.to_owned()] },
        &|_| {},
    )
}

fn content(lease: &Lease) -> Vec<u8> {
    let tree = Tree::open(&lease.image.layers).unwrap();
    tree.read(Path::new("/a"), 10).unwrap().unwrap()
}

#[test]
fn an_image_that_only_docker_has() {
    let daemon = match Daemon::start() {
        Ok(daemon) => daemon,
        Err(why) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIP an_image_that_only_docker_has: {why}\n"),
            );
            return;
        }
    };
    let archive = |text: &[u8]| {
        let layer = Tar::new().file("a", text).end();
        docker_archive(&[layer], r#""Cmd":["/a"]"#, &["local/thing:1"])
    };
    let bench = Bench::new();
    let socket = daemon.socket();
    let error = get(&bench, &socket, "local/thing:1").unwrap_err();
    assert!(matches!(error, ObtainError::Absent(_)), "{error}");
    assert_eq!(error.hint().unwrap(), "brig pull docker.io/local/thing:1");
    assert!(daemon.docker(&["load"], &archive(b"one")));
    let lease = get(&bench, &socket, "local/thing:1").unwrap();
    assert_eq!(content(&lease), b"one");
    assert_eq!(lease.image.config.cmd, ["/a"]);
    let first = lease.image.id;
    // Copied once: the second time takes no copy (the layers keep their inode).
    let again = get(&bench, &socket, "local/thing:1").unwrap();
    assert_eq!(again.image, lease.image);
    // Built again under the same name, it is copied again.
    assert!(daemon.docker(&["load"], &archive(b"two")));
    let lease = get(&bench, &socket, "local/thing:1").unwrap();
    assert_eq!(content(&lease), b"two");
    assert_ne!(lease.image.id, first);
    bench.assert_clean();
    // Gone from the daemon, or the daemon gone: the copy stays.
    drop(daemon);
    let kept = get(&bench, &socket, "local/thing:1").unwrap();
    assert_eq!(content(&kept), b"two");
}

/// Podman speaks the same interface; its storage and its socket are this test's own.
#[test]
fn an_image_that_only_podman_has() {
    if !Path::new("/usr/bin/podman").exists() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP an_image_that_only_podman_has: /usr/bin/podman is missing\n"),
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let podman = || {
        let mut command = Command::new("podman");
        command
            .arg("--root")
            .arg(at("root"))
            .arg("--runroot")
            .arg(at("runroot"))
            .args(["--storage-driver", "vfs"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let layer = Tar::new().file("a", b"pod").end();
    let archive = docker_archive(&[layer], "", &["docker.io/local/thing:1"]);
    std::fs::write(at("image.tar"), archive).unwrap();
    let loaded = podman().args(["load", "-i"]).arg(at("image.tar")).status();
    if !loaded.is_ok_and(|status| status.success()) {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP an_image_that_only_podman_has: podman cannot load an image here\n"),
        );
        return;
    }
    let socket = at("socket");
    let mut service = podman()
        .args(["system", "service", "--time", "0"])
        .arg(format!("unix://{}", socket.display()))
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline, "podman's service does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    let bench = Bench::new();
    let copied = get(&bench, &socket, "local/thing:1");
    let absent = get(&bench, &socket, "local/other:1");
    let _ = service.kill();
    let _ = service.wait();
    assert_eq!(content(&copied.unwrap()), b"pod");
    assert!(matches!(absent, Err(ObtainError::Absent(_))));
    bench.assert_clean();
}
