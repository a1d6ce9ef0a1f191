//! Hostile archives: each is refused with a clear error, leaves nothing behind and touches nothing
//! outside the store; and each has a twin that differs only in what was hostile and is taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use brig_image::layer::Limits;
use brig_image::{Digest, Settings, fuzz_archive};
use fixture::{Bench, Tar, config, docker_archive, gzip, zstd};
use proptest::prelude::*;

/// What it is, the hostile layer, a part of the error, and the twin.
#[allow(clippy::too_many_lines, reason = "a table, one case after the other")]
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str, Vec<u8>)> {
    let t = Tar::new;
    let deep = |n: usize| {
        let name = format!("{}f", "d/".repeat(n));
        t().pax(&[("path", &name)]).file("short", b"").end()
    };
    let device = |kind, name: &str| t().raw(kind, name.as_bytes(), b"", 0o644, b"").end();
    let mut lying = t();
    lying.header(b'0', b"f", b"", 0o644, 5000);
    let mut honest = t();
    honest.header(b'0', b"f", b"", 0o644, 3);
    let mut broken = t().file("f", b"abc").end();
    broken[10] ^= 1;
    vec![
        ("parent name", t().file("../canary", b"x").end(), "leads out", t().file("..canary", b"x").end()),
        ("parent inside", t().file("a/../../canary", b"x").end(), "leads out", t().file("a/b/canary", b"x").end()),
        ("absolute name", t().file("/etc/x", b"x").end(), "absolute", t().file("etc/x", b"x").end()),
        (
            "parent by PAX",
            t().pax(&[("path", "../../canary")]).file("ok", b"x").end(),
            "leads out",
            t().pax(&[("path", "a/canary")]).file("ok", b"x").end(),
        ),
        (
            "parent by GNU long name",
            t().raw(b'L', b"././@LongLink", b"", 0, b"../../canary\0").file("ok", b"x").end(),
            "leads out",
            t().raw(b'L', b"././@LongLink", b"", 0, b"a/canary\0").file("ok", b"x").end(),
        ),
        (
            "through an absolute link",
            t().symlink("out", "/tmp").file("out/x", b"x").end(),
            "through a symbolic link",
            t().dir("out", 0o755).file("out/x", b"x").end(),
        ),
        (
            "through a relative link",
            t().symlink("out", "../../..").file("out/canary", b"x").end(),
            "through a symbolic link",
            t().symlink("out", "../../..").file("in/canary", b"x").end(),
        ),
        (
            "a folder through a link",
            t().symlink("a", "/").dir("a/b", 0o755).end(),
            "through a symbolic link",
            t().symlink("a", "/").dir("c/b", 0o755).end(),
        ),
        (
            "a link as parent of missing folders",
            t().symlink("a", "/tmp").file("a/b/c/d", b"").end(),
            "through a symbolic link",
            t().dir("a", 0o755).file("a/b/c/d", b"").end(),
        ),
        (
            "a file over a link",
            t().symlink("a", "../../canary").file("a", b"x").end(),
            "twice",
            t().symlink("b", "../../canary").file("a", b"x").end(),
        ),
        (
            "hard link to outside",
            t().hard_link("x", "../../canary").end(),
            "leads out",
            t().file("y", b"").hard_link("x", "y").end(),
        ),
        (
            "hard link to an absolute name",
            t().hard_link("x", "/etc/passwd").end(),
            "which the layer does not have",
            t().file("etc/passwd", b"").hard_link("x", "/etc/passwd").end(),
        ),
        (
            "hard link through a link",
            t().symlink("a", "/etc").hard_link("x", "a/passwd").end(),
            "which the layer does not have",
            t().file("a/passwd", b"").hard_link("x", "a/passwd").end(),
        ),
        (
            "hard link to a folder",
            t().dir("a", 0o755).hard_link("x", "a").end(),
            "which the layer does not have",
            t().symlink("a", "b").hard_link("x", "a").end(),
        ),
        ("character device", device(b'3', "disk"), "device node", device(b'3', "dev/null")),
        ("block device", device(b'4', "etc/sda"), "device node", device(b'4', "dev/sda")),
        ("FIFO", device(b'6', "etc/pipe"), "FIFO", device(b'6', "run/initctl")),
        ("unknown kind", device(b'D', "x"), "unknown kind", device(b'5', "x")),
        ("sparse file", device(b'S', "x"), "sparse", device(b'0', "x")),
        (
            "sparse file by PAX",
            t().pax(&[("GNU.sparse.major", "1")]).file("x", b"").end(),
            "sparse",
            t().pax(&[("mtime", "1.5")]).file("x", b"").end(),
        ),
        (
            "a size in PAX beside another",
            t().pax(&[("size", "4")]).file("x", b"abc").end(),
            "contradicts",
            t().pax(&[("size", "3")]).file("x", b"abc").end(),
        ),
        (
            "a name for all entries",
            t().raw(b'g', b"g", b"", 0, b"10 path=x\n").file("a", b"").end(),
            "for all entries",
            t().raw(b'g', b"g", b"", 0, b"13 comment=x\n").file("a", b"").end(),
        ),
        ("file twice", t().file("a", b"1").file("./a", b"2").end(), "twice", t().file("a", b"1").file("b", b"2").end()),
        (
            "file, then folder",
            t().file("a", b"").dir("a", 0o755).end(),
            "twice",
            t().dir("a", 0o700).dir("a", 0o755).end(),
        ),
        (
            "below a file",
            t().file("a", b"").file("a/b", b"").end(),
            "not a folder",
            t().dir("a", 0o755).file("a/b", b"").end(),
        ),
        ("truncated in data", lying.0[..].to_vec(), "truncated", t().file("f", b"abc").end()),
        (
            "truncated in padding",
            [&honest.0[..], b"abc"].concat(),
            "truncated",
            [&honest.0[..], b"abc", &[0; 509]].concat(),
        ),
        ("bad checksum", broken, "malformed tar header", t().file("f", b"abc").end()),
        ("deep", deep(300), "deep", deep(100)),
        (
            "a long part",
            t().pax(&[("path", &"x".repeat(256))]).file("s", b"").end(),
            "too long",
            t().pax(&[("path", &"x".repeat(255))]).file("s", b"").end(),
        ),
        (
            "a long extended header",
            t().pax(&[("comment", &"x".repeat(2 << 20))]).file("s", b"").end(),
            "too long",
            t().pax(&[("comment", &"x".repeat(1 << 19))]).file("s", b"").end(),
        ),
        (
            "deletion mark of a parent",
            t().file("a/.wh...", b"").end(),
            "deletion mark",
            t().file("a/.wh...x", b"").end(),
        ),
        ("deletion mark of nothing", t().file(".wh.", b"").end(), "deletion mark", t().file(".wh.x", b"").end()),
        ("deletion mark as link", t().symlink(".wh.x", "/").end(), "deletion mark", t().symlink("wh.x", "/").end()),
        ("root as link", t().symlink("./", "/etc").end(), "root", t().dir("./", 0o755).end()),
    ]
}

#[test]
fn each_is_refused_and_its_twin_taken() {
    for (what, hostile, error, twin) in cases() {
        let bench = Bench::new();
        let refused = bench.load_layer(hostile).expect_err(what);
        assert!(refused.to_string().contains(error), "{what}: {refused}");
        assert!(refused.hint().is_some(), "{what}");
        bench.assert_clean();
        assert!(bench.store.list().unwrap().is_empty(), "{what}");
        let lease = bench.load_layer(twin).unwrap_or_else(|e| panic!("twin of {what}: {e}"));
        drop(lease);
        bench.assert_clean();
    }
}

#[test]
fn bombs_are_refused_before_they_are_written() {
    let small = |limits: Limits| Bench::with(Settings { limits, ..Settings::default() });
    let zeros = Tar::new().file("zeros", &vec![0; 8 << 20]).end();
    let default = Limits::default;
    // Size.
    let bench = small(Limits { bytes: 1 << 20, ..default() });
    let error = bench.load_layer(zeros.clone()).unwrap_err().to_string();
    assert!(error.contains("more than 1048576 bytes"), "{error}");
    bench.assert_clean();
    // Ratio: refused packed either way, taken where it is packed less.
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let bench = small(Limits { ratio_grace: 1 << 20, ..default() });
        let members = fixture::layout(&fixture::oci(std::slice::from_ref(&zeros), "", pack), "x");
        let tar = members.iter().fold(Tar::new(), |tar, (name, data)| tar.file(name, data));
        let error = bench.load(&tar.clone().end()).unwrap_err().to_string();
        assert!(error.contains("200 times"), "{error}");
        bench.assert_clean();
        let bench = Bench::new();
        bench.load(&tar.end()).unwrap();
    }
    // Count.
    let many = |n: usize| (0..n).fold(Tar::new(), |tar, i| tar.dir(&format!("d{i}"), 0o755)).end();
    let bench = small(Limits { entries: 100, ..default() });
    let error = bench.load_layer(many(101)).unwrap_err().to_string();
    assert!(error.contains("more than 100 entries"), "{error}");
    bench.assert_clean();
    bench.load_layer(many(100)).unwrap();
}

#[test]
fn a_wrong_digest_is_refused() {
    let bench = Bench::new();
    let layer = Tar::new().file("a", b"1").end();
    let other = Tar::new().file("a", b"2").end();
    let good = docker_archive(std::slice::from_ref(&layer), "", &[]);
    // The same archive with another layer of the same length in it.
    let at = good.windows(layer.len()).position(|w| w == layer).unwrap();
    let mut bad = good.clone();
    bad[at..at + other.len()].copy_from_slice(&other);
    let error = bench.load(&bad).unwrap_err().to_string();
    assert!(error.contains("hashes to"), "{error}");
    bench.assert_clean();
    bench.load(&good).unwrap();
    // A blob that is not what its name says.
    let image = fixture::oci(&[layer], "", gzip);
    let mut members = fixture::layout(&image, "x");
    let tar = |members: &[(String, Vec<u8>)]| {
        let all = members.iter().fold(Tar::new(), |tar, (name, data)| tar.file(name, data));
        all.end()
    };
    let honest = tar(&members);
    members[3].1 = gzip(&other);
    let error = Bench::new().load(&tar(&members)).unwrap_err().to_string();
    assert!(error.contains("hashes to"), "{error}");
    Bench::new().load(&honest).unwrap();
}

#[test]
fn archives_that_contradict_themselves() {
    let layer = Tar::new().file("a", b"1").end();
    let text = config(std::slice::from_ref(&layer), "");
    let name = format!("{}.json", Digest::of(&text).hex());
    let listed = |layers: &str| format!(r#"[{{"Config":"{name}","RepoTags":null,"Layers":[{layers}]}}]"#);
    let archive =
        |list: &str| Tar::new().file("l.tar", &layer).file(&name, &text).file("manifest.json", list.as_bytes());
    let load = |tar: Tar| {
        let bench = Bench::new();
        let result = bench.load(&tar.end()).map(|_| ()).map_err(|e| e.to_string());
        bench.assert_clean();
        result
    };
    assert_eq!(load(archive(&listed(r#""l.tar""#))), Ok(()));
    for (tar, part) in [
        (archive(&listed(r#""l.tar","l.tar""#)), "lists 2 layers"),
        (archive(&listed(r#""x.tar""#)), "lacks"),
        (archive(&listed(r#""../l.tar""#)), "lacks"),
        (archive("[]"), "no image in it"),
        (archive("{}"), "manifest.json cannot be read"),
        (archive(&listed(r#""l.tar""#)).file("l.tar", &layer), "twice"),
        (Tar::new().file("l.tar", &layer), "neither manifest.json"),
        (Tar::new().file("index.json", br#"{"schemaVersion":2}"#), "neither clearly"),
        (archive(&listed(r#""l.tar""#)).raw(b'3', b"dev/x", b"", 0, b""), "device"),
    ] {
        let error = load(tar).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn what_overlayfs_would_obey_is_not_taken_from_an_image() {
    let bench = Bench::new();
    let layer = Tar::new()
        .pax(&[
            ("SCHILY.xattr.user.overlay.redirect", "/etc"),
            ("SCHILY.xattr.user.overlay.opaque", "y"),
            ("SCHILY.xattr.trusted.overlay.opaque", "y"),
            ("SCHILY.xattr.security.capability", "x"),
        ])
        .dir("a", 0o755)
        .pax(&[("SCHILY.xattr.user.overlay.whiteout", "y")])
        .file("b", b"")
        .end();
    let lease = bench.load_layer(layer).unwrap();
    for name in ["a", "b"] {
        let mut names = [0_u8; 256];
        let path = lease.image.layers[0].join(name);
        let n = rustix::fs::listxattr(&path, &mut names[..]).unwrap();
        assert_eq!(&names[..n], b"", "{name}");
    }
}

#[test]
fn damaged_archives_never_escape() {
    let layer = Tar::new()
        .dir("a/", 0o755)
        .file("a/.wh.b", b"")
        .symlink("c", "/etc")
        .pax(&[("path", "d/e")])
        .file("d", b"data")
        .hard_link("f", "d/e")
        .end();
    let archive = docker_archive(&[layer.clone(), gzip(&layer)], "", &["x:1"]);
    for at in (0..archive.len()).step_by(97) {
        let mut damaged = archive.clone();
        damaged[at] = damaged[at].wrapping_add(1);
        fuzz_archive(&damaged);
        fuzz_archive(&archive[..at]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_names_stay_inside(names in proptest::collection::vec("[a.b/]{1,12}|\\.wh\\.[a.b]{0,3}", 1..8),
                             kinds in proptest::collection::vec(0_u8..7, 8)) {
        let mut tar = Tar::new();
        for (name, kind) in names.iter().zip(kinds) {
            tar = tar.raw(b'0' + kind, name.as_bytes(), b"../../../canary", 0o6777, b"");
        }
        fuzz_archive(&tar.end());
    }
}
