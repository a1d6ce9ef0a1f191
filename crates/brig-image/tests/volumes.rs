//! Named volumes: filled once from the image, kept, measured, and nobody's path.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use brig_image::volume::{Fill, VOLUME_BYTES, VolumeError};
use brig_image::{Tree, Volumes};
use fixture::{Bench, Tar, docker_archive};

/// An image with something to fill a volume with, spread over two layers.
fn tree(bench: &Bench) -> Tree {
    let lower = Tar::new()
        .dir("app/dist", 0o755)
        .mode_file("app/dist/read-only", 0o444, b"low")
        .file("app/dist/gone", b"x")
        .dir("app/dist/sub", 0o755)
        .file("app/dist/sub/a", b"a")
        .file("outside", b"secret")
        .symlink("app/dist/link", "/outside")
        .symlink("shortcut", "app/dist")
        .end();
    let upper = Tar::new().file("app/dist/.wh.gone", b"").file("app/dist/sub/b", b"b").end();
    let lease = bench.load(&docker_archive(&[lower, upper], "", &[])).unwrap();
    Tree::open(&lease.image.layers).unwrap()
}

#[test]
fn filled_at_first_use_and_kept() {
    let bench = Bench::new();
    let tree = tree(&bench);
    let volumes = Volumes::open(&bench.path("volumes"), None).unwrap();
    let fill = |path| Some(Fill { tree: &tree, path: Path::new(path), limit: VOLUME_BYTES });
    let volume = volumes.acquire("claude-memory", fill("/shortcut")).unwrap();
    assert!(volume.new);
    let read = |name: &str| std::fs::read(volume.path.join(name)).ok();
    assert_eq!(read("read-only").as_deref(), Some(&b"low"[..]));
    assert_eq!(read("gone"), None);
    assert_eq!(read("sub/a").as_deref(), Some(&b"a"[..]));
    assert_eq!(read("sub/b").as_deref(), Some(&b"b"[..]));
    // A link is copied as a link: what it means is up to the box.
    let link = std::fs::read_link(volume.path.join("link")).unwrap();
    assert_eq!(link, Path::new("/outside"));
    let mode = std::fs::metadata(volume.path.join("read-only")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the box's user can write where the image's root could");
    std::fs::write(volume.path.join("mine"), b"kept").unwrap();
    drop(volume);
    let volume = volumes.acquire("claude-memory", fill("/app/dist")).unwrap();
    assert!(!volume.new);
    assert_eq!(std::fs::read(volume.path.join("mine")).unwrap(), b"kept");
    // A path that the image does not have gives an empty volume.
    let empty = volumes.acquire("empty", fill("/no/where")).unwrap();
    assert_eq!(std::fs::read_dir(&empty.path).unwrap().count(), 0);
    // Too large: not made at all.
    let small = Fill { limit: 3, ..fill("/app/dist").unwrap() };
    let error = volumes.acquire("small", Some(small)).unwrap_err();
    assert!(matches!(error, VolumeError::TooLarge { limit: 3, .. }), "{error}");
    let names: Vec<_> = volumes.list().unwrap().into_iter().map(|v| v.name).collect();
    assert_eq!(names, ["claude-memory", "empty"]);
}

#[test]
fn measured_and_removed() {
    let bench = Bench::new();
    let volumes = Volumes::open(&bench.path("volumes"), None).unwrap();
    let volume = volumes.acquire("data", None).unwrap();
    std::os::unix::fs::symlink("/", volume.path.join("root")).unwrap();
    std::fs::write(volume.path.join("big"), vec![1; 1 << 20]).unwrap();
    let usage = volumes.measure("data", u64::MAX).unwrap();
    assert!(usage.complete && usage.entries == 2, "{usage:?}");
    assert!((1 << 20..2 << 20).contains(&usage.bytes), "{usage:?}");
    assert!(!volumes.measure("data", 1000).unwrap().complete);
    assert!(volumes.list().unwrap()[0].in_use);
    let error = volumes.remove("data").unwrap_err();
    assert!(matches!(error, VolumeError::InUse(_)));
    drop(volume);
    volumes.remove("data").unwrap();
    assert!(matches!(volumes.remove("data"), Err(VolumeError::Unknown(_))));
    assert!(volumes.list().unwrap().is_empty());
}

#[test]
fn names_are_never_paths() {
    let bench = Bench::new();
    let volumes = Volumes::open(&bench.path("volumes"), None).unwrap();
    for bad in ["", "x", "..", ".tmp", ".locks", "a/b", "../x", "a\0b", "é1", "-a", &"n".repeat(200)] {
        let error = volumes.acquire(bad, None).unwrap_err();
        assert!(matches!(error, VolumeError::Name(_)), "{bad}");
        assert!(volumes.remove(bad).is_err() && volumes.measure(bad, 1).is_err());
    }
    volumes.acquire("a.b_c-1", None).unwrap();
}

#[test]
fn many_at_once_make_one() {
    let bench = Bench::new();
    let tree = tree(&bench);
    let root = bench.path("volumes");
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let volumes = Volumes::open(&root, None).unwrap();
                    let fill = Fill { tree: &tree, path: Path::new("/app/dist"), limit: VOLUME_BYTES };
                    let volume = volumes.acquire("shared", Some(fill)).unwrap();
                    assert_eq!(std::fs::read(volume.path.join("sub/b")).unwrap(), b"b");
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).count()
    });
    assert_eq!(made, 8);
    assert_eq!(std::fs::read_dir(root.join(".tmp")).unwrap().count(), 0);
    // What a killed one left is swept.
    std::fs::create_dir_all(root.join(".tmp/dead/data")).unwrap();
    Volumes::open(&root, None).unwrap();
    assert_eq!(std::fs::read_dir(root.join(".tmp")).unwrap().count(), 0);
}
