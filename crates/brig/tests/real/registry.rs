//! An image from a real registry: Debian's `docker-registry` on loopback, which holds one of the cached images.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::clients::{Entry, call};
use crate::servers::NEEDS;
use crate::world::{World, both, cache, skip, worlds};

const PROGRAM: &str = "/usr/bin/docker-registry";

/// A running registry that holds the image `mcp/time:1`.
struct Registry {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
    /// The digest of the image's manifest, with its algorithm.
    digest: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Registry {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let digest = fill(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("config.yml");
        let root = folder.path().display();
        let text = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {root}\nhttp:\n  addr: 127.0.0.1:{port}\n"
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { child: command.spawn().unwrap(), folder, port, digest };
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return registry;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the registry in {} does not listen", registry.folder.path().display());
    }
}

/// Lays the image of the layout out as the registry keeps it; returns the digest of its manifest.
fn fill(root: &Path) -> String {
    let layout = cache("images/layout");
    let blob = |digest: &str| layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let json = |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let index = json(layout.join("index.json"));
    let is_time = |line: &&Value| line["annotations"]["org.opencontainers.image.ref.name"] == "time";
    let line = index["manifests"].as_array().unwrap().iter().find(is_time).unwrap();
    let manifest = line["digest"].as_str().unwrap();
    let content = json(blob(manifest));
    let layers = content["layers"].as_array().unwrap().iter().chain([&content["config"]]);
    let parts: Vec<&str> = layers.map(|part| part["digest"].as_str().unwrap()).collect();
    let store = root.join("docker/registry/v2");
    let link = |path: String, digest: &str| {
        let place = store.join("repositories/mcp/time").join(path);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("link"), digest).unwrap();
    };
    for digest in parts.iter().chain([&manifest]) {
        let hex = digest.trim_start_matches("sha256:");
        let place = store.join(format!("blobs/sha256/{}/{hex}", &hex[..2]));
        fs::create_dir_all(&place).unwrap();
        std::os::unix::fs::symlink(blob(digest), place.join("data")).unwrap();
        link(format!("_layers/sha256/{hex}"), digest);
    }
    let hex = manifest.trim_start_matches("sha256:");
    link(format!("_manifests/revisions/sha256/{hex}"), manifest);
    link("_manifests/tags/1/current".to_owned(), manifest);
    link(format!("_manifests/tags/1/index/sha256/{hex}"), manifest);
    manifest.to_owned()
}

/// Pulls by the first start, calls a tool, and calls it again when neither the registry nor any network is there.
fn pulled_once(test: &str, reference: impl Fn(&Registry) -> String) {
    if !Path::new(PROGRAM).exists() {
        return skip(test, &format!("{PROGRAM} is missing (Debian: docker-registry)"));
    }
    for mut world in worlds(test, NEEDS) {
        world.own_cache();
        let registry = Registry::start();
        let name = reference(&registry);
        let entry = Entry::new(["-i", "--rm", &name]);
        let asks = |world: &World| call(world, &entry, "get_current_time", &["timezone=Asia/Tokyo"]);
        assert!(asks(&world).contains("Asia/Tokyo"), "{name} as {}", world.who());
        let listed = world.brig(&["image", "ls"]);
        assert!(String::from_utf8_lossy(&listed.stdout).contains("mcp/time"), "{}", both(&listed));
        drop(registry);
        world.go_offline();
        assert!(asks(&world).contains("Asia/Tokyo"), "{name} as {}, offline", world.who());
        let missing = world.brig(&["run", "-i", "--rm", &name.replace("mcp/time", "mcp/other")]);
        let said = String::from_utf8_lossy(&missing.stderr);
        assert!(!missing.status.success() && said.contains("brig: help:"), "{}", both(&missing));
    }
}

#[test]
fn an_image_is_pulled_once_by_tag() {
    pulled_once("registry, by tag", |registry| format!("127.0.0.1:{}/mcp/time:1", registry.port));
}

#[test]
fn an_image_is_pulled_once_by_digest() {
    pulled_once("registry, by digest", |registry| format!("127.0.0.1:{}/mcp/time@{}", registry.port, registry.digest));
}
