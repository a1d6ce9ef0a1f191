//! Archives and layouts as their writers make them, and the store that they end up in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use std::path::Path;
use std::process::Command;

use brig_image::{Digest, Keep, Settings, Store, Tree};
use fixture::{Bench, Tar, docker_archive, gzip, layout, oci, write_layout, zstd};

fn layers() -> Vec<Vec<u8>> {
    vec![Tar::new().dir("etc", 0o755).file("etc/a", b"1").end(), Tar::new().file("etc/b", b"2").end()]
}

fn content(layers: &[std::path::PathBuf]) -> Vec<String> {
    let tree = Tree::open(layers).unwrap();
    let read = |name: &str| tree.read(Path::new(name), 10).unwrap();
    ["/etc/a", "/etc/b"].iter().filter_map(|name| read(name).map(|b| String::from_utf8(b).unwrap())).collect()
}

fn tar_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let tar = members.iter().fold(Tar::new(), |tar, (name, data)| tar.file(name, data));
    tar.end()
}

#[test]
fn every_form_gives_the_same_layers() {
    let run = r#""Entrypoint":["/x"],"Env":["A=1"]"#;
    let docker = docker_archive(&layers(), run, &["x:1"]);
    let mut all = vec![docker.clone(), gzip(&docker), zstd(&docker)];
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd, <[u8]>::to_vec] {
        let members = layout(&oci(&layers(), run, pack), "1");
        all.push(tar_of(&members));
        let reversed: Vec<_> = members.into_iter().rev().collect();
        all.push(gzip(&tar_of(&reversed)));
    }
    let bench = Bench::new();
    let mut ids = Vec::new();
    for archive in &all {
        let lease = bench.load(archive).unwrap();
        assert_eq!(content(&lease.image.layers), ["1", "2"]);
        assert_eq!(lease.image.config.entrypoint, ["/x"]);
        ids.push(lease.image.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one image, however it came");
    let fresh = Bench::new();
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let folder = tempfile::tempdir().unwrap();
        write_layout(folder.path(), &oci(&layers(), run, pack), "v1");
        for spelling in ["", ":v1"] {
            let name = format!("oci:{}{spelling}", folder.path().display());
            let lease = fresh.obtain(&name).unwrap();
            assert_eq!(lease.image.id, ids[0]);
        }
        let name = format!("oci:{}:v2", folder.path().display());
        let error = fresh.obtain(&name).unwrap_err();
        assert!(error.to_string().contains("no image \"v2\""), "{error}");
        assert!(error.hint().unwrap().contains(":TAG"));
    }
    fresh.assert_clean();
}

#[test]
fn one_of_several_images() {
    let platform = |architecture: &str| format!(r#","platform":{{"os":"linux","architecture":"{architecture}"}}"#);
    let mine = platform(&brig_image::Platform::host().architecture);
    let two = |tag: &str, platforms: [&str; 2]| {
        let (a, b) = (layers()[..1].to_vec(), layers()[1..].to_vec());
        let (a, b) = (oci(&a, "", gzip), oci(&b, "", gzip));
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let entry = |image: &fixture::Blobs, name: &str, platform: &str| {
            let more = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{name}"}}{platform}"#);
            fixture::descriptor(kind, &image.manifest, &more)
        };
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
            entry(&a, "a", platforms[0]),
            entry(&b, tag, platforms[1])
        );
        let mut members = layout(&a, "a");
        members.extend(layout(&b, tag).into_iter().skip(2));
        members[1].1 = index.into_bytes();
        tar_of(&members)
    };
    let bench = Bench::new();
    let path = bench.path("two.tar");
    let obtain = |tag: &str| bench.obtain(&format!("docker-archive:{}{tag}", path.display()));
    // That a builder wrote the platform down does not make two images one.
    for platform in ["", &mine] {
        std::fs::write(&path, two("b", [platform; 2])).unwrap();
        assert_eq!(content(&obtain(":a").unwrap().image.layers), ["1"]);
        assert_eq!(content(&obtain(":b").unwrap().image.layers), ["2"]);
        let error = obtain("").unwrap_err().to_string();
        assert!(error.contains("several images") && error.contains("a, b"), "{error}");
    }
    // One name twice is one image, for two platforms.
    std::fs::write(&path, two("a", [&platform("s390x"), &mine])).unwrap();
    for tag in [":a", ""] {
        assert_eq!(content(&obtain(tag).unwrap().image.layers), ["2"]);
    }
    std::fs::remove_file(&path).unwrap();
    bench.assert_clean();
}

#[test]
fn an_image_for_another_machine_is_refused() {
    let archive = docker_archive(&layers(), "", &[]);
    let text = String::from_utf8_lossy(&archive).into_owned();
    let host = brig_image::Platform::host().architecture;
    let other = format!("{:<width$}", "s390", width = host.len()).replace(' ', "x");
    assert!(text.contains(&host));
    let bench = Bench::new();
    let config = String::from_utf8(fixture::config(&layers(), "")).unwrap();
    let changed = config.replace(&host, &other);
    let list = r#"[{"Config":"c.json","Layers":["0","1"]}]"#;
    let tar = |config: &str| {
        let layers = layers();
        Tar::new()
            .file("0", &layers[0])
            .file("1", &layers[1])
            .file("c.json", config.as_bytes())
            .file("manifest.json", list.as_bytes())
            .end()
    };
    let error = bench.load(&tar(&changed)).unwrap_err();
    assert!(error.to_string().contains("no image for linux/"), "{error}");
    bench.load(&tar(&config)).unwrap();
    bench.assert_clean();
}

#[test]
fn a_file_is_read_again_only_when_it_changed() {
    let bench = Bench::new();
    let path = bench.path("x.tar");
    std::fs::write(&path, docker_archive(&layers(), "", &[])).unwrap();
    let spelling = path.to_str().unwrap().to_owned();
    let first = bench.obtain(&spelling).unwrap().image.id;
    // Same content at the same time and size would not be noticed; anything else is.
    assert_eq!(bench.obtain(&spelling).unwrap().image.id, first);
    std::fs::write(&path, docker_archive(&layers()[..1], "", &[])).unwrap();
    assert_ne!(bench.obtain(&spelling).unwrap().image.id, first);
    std::fs::write(&path, b"not an image").unwrap();
    bench.obtain(&spelling).unwrap_err();
}

#[test]
fn listing_removing_and_pruning() {
    let bench = Bench::new();
    let all = docker_archive(&layers(), "", &[]);
    let one = docker_archive(&layers()[..1], "", &[]);
    let (a, b) = (bench.path("a.tar"), bench.path("b.tar"));
    std::fs::write(&a, &all).unwrap();
    std::fs::write(&b, &one).unwrap();
    let lease = bench.obtain(a.to_str().unwrap()).unwrap();
    let id = bench.obtain(b.to_str().unwrap()).unwrap().image.id;
    let list = bench.store.list().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0].id, id, "the last used comes first");
    assert_eq!((list[0].in_use, list[1].in_use), (false, true));
    assert_eq!(list[0].names, [format!("file:{}", b.display())]);
    // In use: refused. By a part of its digest, then: the shared layer stays.
    let held = lease.image.id.hex();
    let error = bench.store.remove(&held[..12]).unwrap_err();
    assert!(error.to_string().contains("in use") && error.hint().is_some());
    assert_eq!(bench.store.remove(&id.hex()[..12]).unwrap().bytes, 0);
    assert_eq!(content(&lease.image.layers), ["1", "2"]);
    assert!(bench.store.remove(&id.hex()).is_err(), "gone");
    // Pruning spares what is in use, then what has a name, then nothing.
    assert_eq!(bench.store.prune(Keep::Nothing).unwrap().images, 0);
    drop(lease);
    assert_eq!(bench.store.prune(Keep::Named).unwrap().images, 0);
    let pruned = bench.store.prune(Keep::Nothing).unwrap();
    assert_eq!(pruned.images, 1);
    assert!(pruned.bytes > 0 && !pruned.deferred);
    let left = std::fs::read_dir(bench.path("store/layers")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn the_least_recently_used_goes_first() {
    let image = |at: u8| {
        let layer = Tar::new().file("data", &vec![at; 100_000]).end();
        docker_archive(&[layer], "", &[])
    };
    let bench = Bench::with(Settings {
        cap: 350_000, // three of them
        ..Settings::default()
    });
    let load = |at: u8| {
        let lease = bench.load(&image(at)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20)); // apart in time
        lease
    };
    let held = load(0);
    let ids: Vec<Digest> = (1..3).map(|at| load(at).image.id).collect();
    drop(bench.store.lease(ids[0]).unwrap().unwrap()); // used again
    let last = load(3).image.id;
    let kept = |id: Digest| bench.store.lease(id).unwrap().is_some();
    assert!(kept(held.image.id), "the oldest, but in use");
    assert!(kept(ids[0]) && kept(last));
    assert!(!kept(ids[1]));
    // One that would fill the whole store alone is refused.
    let huge = Tar::new().file("data", &vec![9; 400_000]).end();
    let error = bench.load(&docker_archive(&[huge], "", &[])).unwrap_err();
    assert!(error.to_string().contains("more than the whole store"), "{error}");
}

#[test]
fn a_damaged_store_is_filled_again() {
    let bench = Bench::new();
    let path = bench.path("x.tar");
    std::fs::write(&path, docker_archive(&layers(), "", &[])).unwrap();
    let lease = bench.obtain(path.to_str().unwrap()).unwrap();
    let top = lease.image.layers[0].parent().unwrap().to_owned();
    std::fs::remove_dir_all(top).unwrap();
    let id = lease.image.id;
    drop(lease);
    assert!(bench.store.lease(id).unwrap().is_none());
    let lease = bench.obtain(path.to_str().unwrap()).unwrap();
    assert_eq!(content(&lease.image.layers), ["1", "2"]);
}

#[test]
fn a_store_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let root = bench.path("store");
    let open = |mode| {
        std::fs::set_permissions(&root, PermissionsExt::from_mode(mode)).unwrap();
        Store::open(&root, Settings::default())
    };
    let error = open(0o777).unwrap_err();
    assert!(error.hint().unwrap().contains("chmod 700"));
    open(0o700).unwrap();
}

/// A real root file system: busybox with its links, packed by the system's own tar.
#[test]
fn busybox_packed_by_tar() {
    if !Path::new("/bin/busybox").exists() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP busybox_packed_by_tar: /bin/busybox is missing (Debian: busybox-static)\n"),
        );
        return;
    }
    let bench = Bench::new();
    let root = tempfile::tempdir().unwrap();
    let bin = root.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
    for (name, hard) in [("sh", false), ("ls", true), ("cat", true)] {
        let (from, to) = (bin.join("busybox"), bin.join(name));
        if hard {
            std::fs::hard_link(from, to).unwrap();
        } else {
            std::os::unix::fs::symlink("busybox", to).unwrap();
        }
    }
    for format in ["gnu", "pax", "ustar"] {
        let out = Command::new("tar")
            .arg(format!("--format={format}"))
            .arg("-C")
            .arg(root.path())
            .args(["-c", "."])
            .output()
            .unwrap();
        assert!(out.status.success());
        let lease = bench.load_layer(out.stdout).unwrap();
        let tree = Tree::open(&lease.image.layers).unwrap();
        let program = tree.read(Path::new("/bin/sh"), 8 << 20).unwrap().unwrap();
        assert_eq!(program, std::fs::read("/bin/busybox").unwrap());
        let out = Command::new(lease.image.layers[0].join("bin/ls")).arg("/").output();
        assert!(out.unwrap().status.success(), "{format}: still a program");
    }
}
