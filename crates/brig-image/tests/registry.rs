//! Pulling from a real registry (Debian's `docker-registry`) on loopback: digests, tags, credentials,
//! interruptions, and registries that serve something else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brig_image::{Digest, Lease, Platform, Progress, Registry, RegistryReference, RegistrySettings};
use fixture::{Bench, Blobs, Tar, descriptor, gzip, oci};

/// The program that is tested against.
const PROGRAM: &str = "/usr/bin/docker-registry";
/// `htpasswd -nbB me secret`, of cost 5: the registry takes bcrypt alone.
const HTPASSWD: &str = "me:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

/// A running registry with one image in it.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one; `None` with a notice where the program is missing.
    fn start(auth: bool) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            let _ = Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIP real_program: {PROGRAM} is missing (Debian: docker-registry)\n"),
            );
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let root = folder.path().display();
        let auth = if auth {
            std::fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
            format!("auth:\n  htpasswd:\n    realm: test\n    path: {root}/htpasswd\n")
        } else {
            String::new()
        };
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {root}\nhttp:\n  addr: 127.0.0.1:{port}\n{auth}"
        );
        let path = folder.path().join("config.yml");
        std::fs::write(&path, config).unwrap();
        let child =
            Command::new(PROGRAM).arg("serve").arg(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { folder, child, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the registry does not listen");
    }

    fn storage(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("docker/registry/v2").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn blob_path(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.storage(&format!("blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    /// Puts an image into the registry's own storage.
    fn put(&self, repository: &str, tag: &str, image: &Blobs) {
        let link = |path: String, digest: Digest| {
            std::fs::write(self.storage(&format!("repositories/{repository}/{path}/link")), digest.to_string())
                .unwrap();
        };
        for blob in &image.blobs {
            let digest = Digest::of(blob);
            std::fs::write(self.blob_path(digest), blob).unwrap();
            link(format!("_layers/sha256/{}", digest.hex()), digest);
        }
        let digest = Digest::of(&image.manifest);
        std::fs::write(self.blob_path(digest), &image.manifest).unwrap();
        link(format!("_manifests/revisions/sha256/{}", digest.hex()), digest);
        link(format!("_manifests/tags/{tag}/current"), digest);
        link(format!("_manifests/tags/{tag}/index/sha256/{}", digest.hex()), digest);
    }

    fn name(&self, rest: &str) -> String {
        format!("127.0.0.1:{}/{rest}", self.port)
    }
}

/// A layer that does not pack, so that its blob is large.
fn noise(seed: u32, size: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    })
    .take(size)
    .collect();
    Tar::new().file(&format!("noise-{seed}"), &bytes).end()
}

fn image(size: usize) -> Blobs {
    let layers: Vec<Vec<u8>> = (1..=4).map(|seed| noise(seed, size)).collect();
    oci(&layers, r#""Cmd":["/noise"]"#, gzip)
}

fn pull_with(bench: &Bench, settings: RegistrySettings, name: &str) -> Result<Lease, String> {
    let reference = RegistryReference::parse(name).unwrap();
    Registry::new(settings).pull(&bench.store, &reference, &Platform::host(), &|_| {}).map_err(|error| {
        assert!(error.hint().is_some(), "{error}");
        error.to_string()
    })
}

fn pull(bench: &Bench, name: &str) -> Result<Lease, String> {
    pull_with(bench, RegistrySettings::default(), name)
}

#[test]
fn by_tag_and_by_digest() {
    let Some(server) = Server::start(false) else {
        return;
    };
    let image = image(50_000);
    server.put("a/b", "v1", &image);
    let bench = Bench::new();
    let told = Mutex::new(Vec::new());
    let reference = RegistryReference::parse(&server.name("a/b:v1")).unwrap();
    let registry = Registry::new(RegistrySettings::default());
    let tell = |progress: Progress| told.lock().unwrap().push(progress);
    let lease = registry.pull(&bench.store, &reference, &Platform::host(), &tell).unwrap();
    assert_eq!(lease.image.layers.len(), 4);
    assert_eq!(lease.image.config.cmd, ["/noise"]);
    let ended = told.lock().unwrap().iter().filter(|p| p.done == p.total).count();
    assert_eq!(ended, 4, "each layer's end is told");
    assert_eq!(bench.store.find(&reference.to_string()).unwrap(), Some(lease.image.id));
    let digest = Digest::of(&image.manifest);
    let again = pull(&bench, &server.name(&format!("a/b@{digest}"))).unwrap();
    assert_eq!(again.image.id, lease.image.id);
    bench.assert_clean();
    let error = pull(&bench, &server.name("a/b:v2")).unwrap_err();
    assert!(error.contains("has no"), "{error}");
    let error = pull(&bench, &server.name(&format!("a/b@{}", Digest::of(b"x")))).unwrap_err();
    assert!(error.contains("has no"), "{error}");
    // What the store has is not fetched: the registry may even lose it.
    for blob in &image.blobs[1..] {
        std::fs::remove_file(server.blob_path(Digest::of(blob))).unwrap();
    }
    pull(&bench, &server.name("a/b:v1")).unwrap();
    assert!(pull(&Bench::new(), &server.name("a/b:v1")).is_err());
}

#[test]
fn an_index_leads_to_this_platform() {
    let Some(server) = Server::start(false) else {
        return;
    };
    let mine = image(1000);
    server.put("multi", "mine", &mine);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let entry = |arch: &str| {
        let more = format!(r#","platform":{{"os":"linux","architecture":"{arch}"}}"#);
        descriptor(kind, &mine.manifest, &more)
    };
    let host = Platform::host().architecture;
    let index = |arch: &str| Blobs {
        manifest: format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
            entry(arch)
        )
        .into_bytes(),
        blobs: Vec::new(),
    };
    server.put("multi", "good", &index(&host));
    server.put("multi", "other", &index("s390x"));
    let bench = Bench::new();
    pull(&bench, &server.name("multi:good")).unwrap();
    let error = pull(&bench, &server.name("multi:other")).unwrap_err();
    assert!(error.contains("only for linux/s390x"), "{error}");
}

#[test]
fn other_bytes_than_asked_for_are_refused() {
    let Some(server) = Server::start(false) else {
        return;
    };
    let image = image(20_000);
    server.put("x", "1", &image);
    let bench = Bench::new();
    let layer = server.blob_path(Digest::of(&image.blobs[2]));
    let good = std::fs::read(&layer).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    for served in [bad, image.blobs[3].clone()] {
        std::fs::write(&layer, served).unwrap();
        let error = pull(&bench, &server.name("x:1")).unwrap_err();
        assert!(["hashes to", "decompressed", "broke off", "too long"].iter().any(|w| error.contains(w)), "{error}");
        assert!(bench.store.find(&server.name("x:1")).unwrap().is_none());
    }
    // What was wrong is not kept as the beginning of the next try.
    std::fs::write(&layer, good).unwrap();
    pull(&bench, &server.name("x:1")).unwrap();
    bench.assert_clean();
    // A configuration that is not the one named.
    let config = server.blob_path(Digest::of(&image.blobs[0]));
    std::fs::write(config, b"{}").unwrap();
    let error = pull(&Bench::new(), &server.name("x:1")).unwrap_err();
    assert!(error.contains("hashes to") || error.contains("bytes, not"), "{error}");
}

#[test]
fn credentials_are_asked_for_and_used() {
    let Some(server) = Server::start(true) else {
        return;
    };
    server.put("x", "1", &image(1000));
    let name = server.name("x:1");
    let bench = Bench::new();
    let error = pull(&bench, &name).unwrap_err();
    assert!(error.contains("wants credentials"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let settings = |text: &str| {
        // "me:secret" and "me:wrong!" in base64.
        let path = folder.path().join("config.json");
        let host = format!("127.0.0.1:{}", server.port);
        let text = format!(r#"{{"auths":{{"{host}":{{"auth":"{text}"}}}}}}"#);
        std::fs::write(&path, text).unwrap();
        RegistrySettings { docker_config: Some(path), ..RegistrySettings::default() }
    };
    let error = pull_with(&bench, settings("bWU6d3Jvbmch"), &name).unwrap_err();
    assert!(error.contains("does not let you") && !error.contains("wrong"), "{error}");
    pull_with(&bench, settings("bWU6c2VjcmV0"), &name).unwrap();
}

/// Passes bytes between brig and the registry, and cuts connections after `limit` bytes of an answer.
fn cutting_proxy(to: u16, limit: usize, cuts: u64) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let passed = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&passed);
    let cut = Arc::new(AtomicU64::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, counter) = (client.unwrap(), Arc::clone(&counter));
            let cut = Arc::clone(&cut);
            std::thread::spawn(move || {
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)) else {
                    return;
                };
                let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut up, &mut down));
                let (mut buffer, mut here) = ([0; 4096], 0);
                while let Ok(n) = server.read(&mut buffer) {
                    if n == 0 || client.write_all(&buffer[..n]).is_err() {
                        break;
                    }
                    here += n;
                    counter.fetch_add(n as u64, Ordering::Relaxed);
                    if here > limit && cut.fetch_add(1, Ordering::Relaxed) < cuts {
                        break;
                    }
                }
                let _ = client.shutdown(std::net::Shutdown::Both);
                let _ = server.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (port, passed)
}

#[test]
fn an_interrupted_pull_continues() {
    let Some(server) = Server::start(false) else {
        return;
    };
    let image = image(600_000);
    server.put("x", "1", &image);
    let size: u64 = image.blobs.iter().map(|blob| blob.len() as u64).sum();
    // Connections that break are taken up again within one pull.
    let (port, passed) = cutting_proxy(server.port, 200_000, 8);
    let bench = Bench::new();
    pull(&bench, &format!("127.0.0.1:{port}/x:1")).unwrap();
    let sent = passed.load(Ordering::Relaxed);
    assert!(sent < size + size / 5, "{sent} bytes for {size}: nothing came twice");
    bench.assert_clean();
    let left = std::fs::read_dir(bench.path("store/partial")).unwrap().count();
    assert_eq!(left, 0);
    // A registry that stays broken ends the pull; the next one continues where it stopped.
    let (port, passed) = cutting_proxy(server.port, 100_000, u64::MAX);
    let bench = Bench::new();
    let reference = RegistryReference::parse(&format!("127.0.0.1:{port}/x:1")).unwrap();
    let begun = std::fs::read_dir(bench.path("store/partial")).unwrap().count();
    assert_eq!(begun, 0);
    // 100 KB of each connection is progress, so this succeeds as well: slowly, but surely.
    Registry::new(RegistrySettings::default()).pull(&bench.store, &reference, &Platform::host(), &|_| {}).unwrap();
    assert!(passed.load(Ordering::Relaxed) < size + size / 5);
}

#[test]
fn a_killed_pull_continues() {
    let Some(server) = Server::start(false) else {
        return;
    };
    let image = image(600_000);
    server.put("x", "1", &image);
    let bench = Bench::new();
    // What a killed brig leaves: the first half of a blob, and one that somebody made up.
    let partial = |blob: &[u8]| bench.path("store/partial").join(Digest::of(blob).hex());
    let half = image.blobs[1].len() / 2;
    std::fs::write(partial(&image.blobs[1]), &image.blobs[1][..half]).unwrap();
    let (port, passed) = cutting_proxy(server.port, usize::MAX, 0);
    pull(&bench, &format!("127.0.0.1:{port}/x:1")).unwrap();
    let size: u64 = image.blobs.iter().map(|blob| blob.len() as u64).sum();
    let sent = passed.load(Ordering::Relaxed);
    assert!(sent < size - half as u64 / 2, "{sent} bytes for {size}: the half was used");
    // A made-up beginning is noticed, removed, and does no lasting harm.
    let bench = Bench::new();
    let path = bench.path("store/partial").join(Digest::of(&image.blobs[2]).hex());
    std::fs::write(&path, vec![7; 1000]).unwrap();
    pull(&bench, &server.name("x:1")).unwrap_err();
    assert!(!path.exists());
    pull(&bench, &server.name("x:1")).unwrap();
}

/// Answers every request with the same bytes.
fn scripted(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = [0; 4096];
            let _ = client.read(&mut head);
            let _ = client.write_all(&answer);
        }
    });
    port
}

#[test]
fn hostile_registries() {
    let endless = [b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec(), vec![b' '; 6 << 20]].concat();
    let bearer = |realm: &str| {
        format!("HTTP/1.1 401 X\r\nwww-authenticate: Bearer realm=\"{realm}\"\r\ncontent-length: 0\r\n\r\n")
    };
    let redirect = |to: &str| format!("HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    for (answer, part) in [
        (endless, "too long"),
        (bearer("http://example.org/token").into_bytes(), "neither TLS nor this machine"),
        (bearer("file:///etc/passwd").into_bytes(), "neither TLS nor this machine"),
        (b"HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n".to_vec(), "cannot be answered"),
        (redirect("http://169.254.169.254/x").into_bytes(), "not followed"),
        (redirect("//example.org/x").into_bytes(), "not followed"),
        (redirect("/again").into_bytes(), "more and more"),
        (b"garbage\r\n\r\n".to_vec(), "no answer"),
        ([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 1 << 20]].concat(), "no answer"),
        (b"HTTP/1.1 429 X\r\ncontent-length: 0\r\n\r\n".to_vec(), "fewer requests"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec(), "schema version"),
    ] {
        let port = scripted(answer);
        let bench = Bench::new();
        let error = pull(&bench, &format!("127.0.0.1:{port}/x")).unwrap_err();
        assert!(error.contains(part), "{part}: {error}");
        bench.assert_clean();
    }
}

#[test]
fn a_token_with_a_line_break_is_no_header() {
    let token =
        scripted(b"HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n{\"token\":\"a\\r\\nhost: evil\"}"[..].to_vec());
    let realm = format!("http://127.0.0.1:{token}/token");
    let answer = format!("HTTP/1.1 401 X\r\nwww-authenticate: Bearer realm=\"{realm}\"\r\ncontent-length: 0\r\n\r\n");
    let port = scripted(answer.into_bytes());
    let error = pull(&Bench::new(), &format!("127.0.0.1:{port}/x")).unwrap_err();
    assert!(error.contains("did not answer with a token"), "{error}");
}
