//! What an unpacked image looks like: to [`Tree`], and to the kernel's own overlayfs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use brig_image::Tree;
use brig_image::tree::{Kind, TreeError};
use fixture::{Bench, Tar, docker_archive};

/// Three layers with every kind of deletion.
fn layers() -> Vec<Vec<u8>> {
    let lower = Tar::new()
        .dir("etc", 0o755)
        .file("etc/passwd", b"root:x:0:0\n")
        .file("etc/gone", b"1")
        .file("etc/replaced", b"old")
        .dir("opaque", 0o755)
        .file("opaque/hidden", b"1")
        .dir("opaque/sub", 0o755)
        .file("opaque/sub/hidden", b"1")
        .dir("merged", 0o755)
        .file("merged/low", b"low")
        .dir("becomes-file", 0o755)
        .file("becomes-file/x", b"1")
        .file("becomes-dir", b"1")
        .dir("gone-dir", 0o755)
        .file("gone-dir/x", b"1")
        .dir("back", 0o755)
        .file("back/old", b"1")
        .symlink("bin", "usr/bin")
        .dir("usr/bin", 0o755)
        .mode_file("usr/bin/tool", 0o4755, b"#!")
        .end();
    let middle = Tar::new()
        .file("etc/.wh.gone", b"")
        .file("etc/replaced", b"new")
        .dir("opaque", 0o755)
        .file("opaque/.wh..wh..opq", b"")
        .file("opaque/shown", b"1")
        .file("merged/mid", b"mid")
        .file("becomes-file", b"file")
        .file(".wh.becomes-dir", b"")
        .dir("becomes-dir", 0o755)
        .file("becomes-dir/x", b"1")
        .file(".wh.gone-dir", b"")
        .dir("back", 0o755)
        .file("back/new", b"1")
        .file(".wh.back", b"")
        .end();
    let upper = Tar::new()
        .file("merged/top", b"top")
        .symlink("merged/up", "../etc/passwd")
        .symlink("merged/abs", "/etc/passwd")
        .symlink("merged/out", "../../../../../../etc/passwd")
        .symlink("merged/loop", "loop")
        .symlink("merged/dangling", "/no/where")
        .file("etc/.wh.never-was", b"")
        .end();
    vec![lower, middle, upper]
}

/// Every path and what it is, by [`Tree`].
fn walk(tree: &Tree, path: &Path, all: &mut Vec<String>) {
    for name in tree.list(path).unwrap().unwrap() {
        let below = path.join(&name);
        all.push(below.display().to_string());
        // A link to a folder is listed, not entered.
        let real = tree.resolve(&below);
        if let Ok(Some(real)) = real
            && real == below
            && tree.lookup(&below).unwrap().unwrap().kind == Kind::Dir
        {
            walk(tree, &below, all);
        }
    }
}

#[test]
fn deletions_as_the_tree_sees_them() {
    let bench = Bench::new();
    let lease = bench.load(&docker_archive(&layers(), "", &[])).unwrap();
    let tree = Tree::open(&lease.image.layers).unwrap();
    let read = |path: &str| {
        let bytes = tree.read(Path::new(path), 100).unwrap();
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    assert_eq!(read("/etc/passwd").as_deref(), Some("root:x:0:0\n"));
    assert_eq!(read("/etc/replaced").as_deref(), Some("new"));
    assert_eq!(read("/etc/gone"), None);
    assert_eq!(read("/opaque/hidden"), None);
    assert_eq!(read("/opaque/sub/hidden"), None);
    assert_eq!(read("/opaque/shown").as_deref(), Some("1"));
    assert_eq!(read("/merged/low").as_deref(), Some("low"));
    assert_eq!(read("/merged/top").as_deref(), Some("top"));
    assert_eq!(read("/becomes-file").as_deref(), Some("file"));
    assert_eq!(read("/becomes-dir/x").as_deref(), Some("1"));
    assert_eq!(read("/gone-dir/x"), None);
    assert_eq!(read("/back/old"), None);
    assert_eq!(read("/back/new").as_deref(), Some("1"));
}

#[test]
fn links_stay_in_the_image() {
    let bench = Bench::new();
    let lease = bench.load(&docker_archive(&layers(), "", &[])).unwrap();
    let tree = Tree::open(&lease.image.layers).unwrap();
    let resolve = |path: &str| tree.resolve(Path::new(path));
    let passwd = Some("/etc/passwd".into());
    for path in ["/merged/up", "/merged/abs", "/merged/out", "/../etc/passwd", "etc/./passwd"] {
        assert_eq!(resolve(path).unwrap(), passwd, "{path}");
        let bytes = tree.read(Path::new(path), 100).unwrap().unwrap();
        assert_eq!(bytes, b"root:x:0:0\n", "the image's, not this machine's");
    }
    assert_eq!(resolve("/bin/tool").unwrap(), Some("/usr/bin/tool".into()));
    assert_eq!(resolve("/merged/dangling").unwrap(), None);
    assert!(matches!(resolve("/merged/loop"), Err(TreeError::Links(_))));
    assert!(matches!(tree.read(Path::new("/etc/passwd"), 5), Err(TreeError::TooLarge { limit: 5, .. })));
    assert!(matches!(tree.read(Path::new("/etc"), 5), Err(TreeError::NotAFile(_))));
    let place = |path: &str| tree.place(Path::new(path)).map(|place| (place.path, place.kind));
    assert_eq!(place("/bin").unwrap(), ("/usr/bin".into(), Some(Kind::Dir)));
    assert_eq!(place("/bin/a/b").unwrap(), ("/usr/bin/a/b".into(), None));
    assert_eq!(place("/merged/dangling/x").unwrap(), ("/no/where/x".into(), None));
    assert!(place("/etc/passwd/x").is_err());
    assert!(place("/none/../x").is_err());
}

#[test]
fn bits_times_and_owners() {
    let bench = Bench::new();
    let layer = Tar::new()
        .dir("dark", 0o000)
        .mode_file("dark/secret", 0o000, b"x")
        .mode_file("run", 0o111, b"x")
        .mode_file("suid", 0o6755, b"x")
        .dir("sticky", 0o7777)
        .hard_link("second", "suid")
        .end();
    let lease = bench.load_layer(layer).unwrap();
    let root = &lease.image.layers[0];
    let meta = |name: &str| std::fs::metadata(root.join(name)).unwrap();
    let mode = |name: &str| meta(name).permissions().mode() & 0o7777;
    assert_eq!(mode("dark"), 0o700);
    assert_eq!(mode("dark/secret"), 0o400);
    assert_eq!(mode("run"), 0o511);
    assert_eq!(mode("suid"), 0o755);
    assert_eq!(mode("sticky"), 0o777);
    assert_eq!(meta("suid").ino(), meta("second").ino());
    assert_eq!(meta("suid").mtime(), 1_700_000_000);
    assert_eq!(meta("suid").uid(), rustix::process::geteuid().as_raw());
}

/// Run by root, brig unpacks for the identity that boxes get.
#[test]
fn somebody_elses_files() {
    if !rustix::process::geteuid().is_root() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP somebody_elses_files: only root may give files away\n"),
        );
        return;
    }
    let owner = brig_image::layer::Owner { uid: 1234, gid: 4321 };
    let bench = Bench::with(brig_image::Settings { owner: Some(owner), ..brig_image::Settings::default() });
    let layer = Tar::new().file("made/parents/file", b"x").symlink("link", "made").dir("dir", 0o755).end();
    let lease = bench.load_layer(layer).unwrap();
    let root = &lease.image.layers[0];
    for name in ["", "made", "made/parents", "made/parents/file", "link", "dir"] {
        let meta = std::fs::symlink_metadata(root.join(name)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (1234, 4321), "{name}");
    }
}

#[test]
fn long_names_of_both_kinds() {
    let bench = Bench::new();
    let long = "n".repeat(200);
    let target = "t".repeat(300);
    let layer = Tar::new()
        .pax(&[("path", &format!("pax/{long}")), ("mtime", "1600000000.123")])
        .file("short", b"p")
        .raw(b'L', b"././@LongLink", b"", 0, format!("gnu/{long}\0").as_bytes())
        .raw(b'K', b"././@LongLink", b"", 0, format!("{target}\0").as_bytes())
        .symlink("short", "short")
        .end();
    let lease = bench.load_layer(layer).unwrap();
    let root = &lease.image.layers[0];
    let pax = root.join("pax").join(&long);
    assert_eq!(std::fs::read(&pax).unwrap(), b"p");
    assert_eq!(std::fs::metadata(&pax).unwrap().mtime(), 1_600_000_000);
    let link = std::fs::read_link(root.join("gnu").join(&long)).unwrap();
    assert_eq!(link, Path::new(&target));
}

#[test]
fn an_opaque_root_hides_all_below() {
    let bench = Bench::new();
    let lower = Tar::new().file("hidden", b"1").end();
    let upper = Tar::new().file(".wh..wh..opq", b"").file("shown", b"1").end();
    let lease = bench.load(&docker_archive(&[lower, upper], "", &[])).unwrap();
    assert_eq!(lease.image.layers.len(), 1);
    let tree = Tree::open(&lease.image.layers).unwrap();
    assert_eq!(tree.list(Path::new("/")).unwrap().unwrap(), ["shown"]);
}

/// The kernel must see the same as [`Tree`], in an unprivileged mount.
#[test]
fn overlayfs_sees_the_same() {
    let bench = Bench::new();
    let lease = bench.load(&docker_archive(&layers(), "", &[])).unwrap();
    let tree = Tree::open(&lease.image.layers).unwrap();
    let mut ours = Vec::new();
    walk(&tree, Path::new("/"), &mut ours);
    ours.sort();
    let lower: Vec<_> = lease.image.layers.iter().map(|l| l.to_str().unwrap()).collect();
    let mount = bench.path("mnt");
    std::fs::create_dir(&mount).unwrap();
    let script = r#"mount -t overlay overlay -o "ro,userxattr,lowerdir=$1" "$2" && cd "$2" && find . -mindepth 1"#;
    let out = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(lower.join(":"))
        .arg(&mount)
        .output();
    let out = match out {
        Ok(out) if out.status.success() => out,
        other => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIP overlayfs_sees_the_same: no unprivileged overlay here: {other:?}\n"),
            );
            return;
        }
    };
    let mut kernels: Vec<String> =
        String::from_utf8(out.stdout).unwrap().lines().map(|line| line[1..].to_owned()).collect();
    kernels.sort();
    assert!(kernels.len() > 15, "{kernels:?}");
    assert_eq!(ours, kernels);
}
