//! Mounts in their three spellings.

use super::*;

#[test]
fn volumes_by_letter() {
    use Access::{ReadOnly, ReadWrite, Staged};
    for (spec, access) in [
        ("/a:/b", ReadOnly),
        ("/a:/b:ro", ReadOnly),
        ("/a:/b:rw", ReadWrite),
        ("/a:/b:rw,z", ReadWrite),
        ("/a:/b:Z,rw,cached,rprivate", ReadWrite),
        ("/a:/b:staged", Staged),
        ("/a:/b:rw,staged", Staged),
        ("/a:/b:nocopy", ReadOnly),
        ("/a://b/./", ReadOnly),
    ] {
        assert_eq!(mounts(&format!("-v {spec} x")), [bind("/a", "/b", access)], "{spec}");
        let said = ok(&format!("-v {spec} x")).notes.iter().any(|note| matches!(note, Note::ReadOnlyByDefault { .. }));
        let unsaid = !["ro", "rw", "staged"].iter().any(|mode| spec.contains(mode));
        assert_eq!(said, unsaid || spec.contains("nocopy"), "{spec}");
    }
    assert_eq!(mounts("-v ./a:/b -v ..:/c -v .:/d x").len(), 3);
    let volume = |spec: &str| mounts(&format!("-v {spec} x")).remove(0);
    assert_eq!(volume("v_1.x:/b:ro").access, ReadOnly);
    assert_eq!(volume("v:/b:nocopy").access, ReadWrite);
    let reading = ok("-v v:/b:nocopy x");
    assert_eq!(reading.notes[0].level(), Level::Always, "what is not kept is always said");
    let reading = ok("-v /cache x");
    let source = Source::Tmpfs { size: None, mode: None };
    let target = "/cache".to_owned();
    assert_eq!(reading.request.mounts, [MountRequest { source, target: target.clone(), access: ReadWrite }]);
    assert_eq!(reading.notes, [Note::AnonymousIsMemory { target }]);
}

#[test]
fn volumes_that_cannot_be_meant() {
    let path = |p: &str| p.to_owned();
    for (spec, what) in [
        ("/a:b", WrongValue::NotAbsolute { path: path("b") }),
        ("/a:ro", WrongValue::NotAbsolute { path: path("ro") }),
        ("/a:/b/../c", WrongValue::Upwards { path: path("/b/../c") }),
        ("/a:/", WrongValue::RootTarget),
        ("/a:/.", WrongValue::RootTarget),
        ("/a:/b:ro:x", WrongValue::TooManyColons),
        ("/a:", WrongValue::EmptyPart),
        (":/b", WrongValue::EmptyPart),
        ("/a:/b:", WrongValue::EmptyPart),
        ("~/a:/b", WrongValue::Tilde),
        ("a/b:/c", WrongValue::VolumeName { name: path("a/b") }),
        ("-a:/c", WrongValue::VolumeName { name: path("-a") }),
        ("/a:/b:ro,rw", WrongValue::ReadOnlyAndWritable),
        ("/a:/b:ro,staged", WrongValue::ReadOnlyAndWritable),
        ("v:/b:staged", WrongValue::StagedNoFolder),
        ("/b -v /c:/b", WrongValue::TargetTwice { path: path("/b") }),
    ] {
        assert_eq!(wrong(&format!("-v {spec} x")), what, "{spec}");
    }
    assert!(matches!(wrong("-v /a:/b:bogus x"), WrongValue::UnknownOption { .. }));
    let long = format!("-v /a:/{} x", "b".repeat(4096));
    assert_eq!(wrong(&long), WrongValue::PathTooLong);
    let most: String = (0..=MOUNTS_MOST).map(|i| format!("-v /a:/b{i} ")).collect();
    assert_eq!(wrong(&format!("{most} x")), WrongValue::TooManyMounts);
}

#[test]
fn before_a_host_program_a_lone_path_must_say_what_it_means() {
    let path = "/home/u/p".to_owned();
    assert_eq!(wrong("-v /home/u/p -- npx x"), WrongValue::GrantOrVolume { path });
    let hint = error("-v /home/u/p -- npx x").hint().unwrap();
    assert!(hint.contains("-v /home/u/p:/home/u/p"), "{hint}");
    assert_eq!(mounts("-v /a:/a:rw -- npx x"), [bind("/a", "/a", Access::ReadWrite)]);
}

#[test]
fn mounts_by_word() {
    use Access::{ReadOnly, ReadWrite, Staged};
    for (spec, access) in [
        ("type=bind,src=/a,dst=/b", ReadOnly),
        ("type=bind,source=/a,target=/b,readonly", ReadOnly),
        ("type=bind,source=/a,destination=/b,ro=true", ReadOnly),
        ("type=bind,src=/a,dst=/b,readonly=false", ReadWrite),
        ("type=bind,src=/a,dst=/b,ro=0", ReadWrite),
        ("type=bind,src=/a,dst=/b,rw", ReadWrite),
        ("TYPE=BIND,SRC=/a,DST=/b,rw=true,consistency=cached", ReadWrite),
        ("type=bind,src=/a,dst=/b,staged", Staged),
        ("type=bind,src=/a,dst=/b,bind-propagation=rprivate,bind-recursive=disabled", ReadOnly),
        ("\"type=bind\",\"src=/a\",dst=/b", ReadOnly),
    ] {
        assert_eq!(mounts(&format!("--mount {spec} x")), [bind("/a", "/b", access)], "{spec}");
    }
    let quoted = mounts("--mount type=bind,\"src=/a,\"\"b\",dst=/b x");
    assert_eq!(quoted, [bind("/a,\"b", "/b", ReadOnly)]);
    let one = |spec: &str| mounts(&format!("--mount {spec} x")).remove(0);
    assert_eq!(one("src=v,dst=/b").source, Source::Volume("v".to_owned()));
    assert_eq!(one("type=volume,src=v,dst=/b,readonly").access, ReadOnly);
    assert_eq!(one("dst=/b").source, Source::Tmpfs { size: None, mode: None });
    assert_eq!(
        one("type=tmpfs,dst=/b,tmpfs-size=64m,tmpfs-mode=1770").source,
        Source::Tmpfs { size: Some(64 * MIB), mode: Some(0o1770) }
    );
}

#[test]
fn mounts_that_cannot_be_meant() {
    for (spec, what) in [
        ("type=bind,src=/a", WrongValue::NoTarget),
        ("type=bind,dst=/a", WrongValue::NoSource),
        ("type=bind,src=,dst=/a", WrongValue::Empty),
        ("type=bind,src=/a,dst=/b,readonly,rw", WrongValue::ReadOnlyAndWritable),
        ("type=bind,src=/a,dst=/b,readonly=maybe", WrongValue::NotATruth),
        ("src=/a,dst=/b", WrongValue::VolumeName { name: "/a".to_owned() }),
        ("type=tmpfs,dst=/b,readonly", WrongValue::ReadOnlyMemory),
        ("type=tmpfs,dst=/b,tmpfs-mode=4777", WrongValue::Mode),
        ("type=tmpfs,dst=/b,tmpfs-mode=9", WrongValue::Mode),
        ("type=bind,src=\"/a\",dst=/b", WrongValue::Quotes),
    ] {
        assert_eq!(wrong(&format!("--mount {spec} x")), what, "{spec}");
    }
    for spec in [
        "type=bind,src=/a,dst=/b,tmpfs-size=1m",
        "type=tmpfs,dst=/b,volume-nocopy",
        "type=tmpfs,src=/a,dst=/b",
        "type=bind,src=/a,dst=/b,bogus",
        "type=bind,src=/a,dst=/b,bogus=1",
        "type=bind,src=/a,dst=/b,bind-propagation=maybe",
    ] {
        let wrong = wrong(&format!("--mount {spec} x"));
        assert!(matches!(wrong, WrongValue::UnknownOption { .. }), "{spec}: {wrong:?}");
    }
}

#[test]
fn memory_by_tmpfs() {
    let one = mounts("--tmpfs /x:size=64m,mode=700,rw,nosuid,nodev,uid=1 x").remove(0);
    assert_eq!(one.source, Source::Tmpfs { size: Some(64 * MIB), mode: Some(0o700) });
    assert_eq!(mounts("--tmpfs /x x").len(), 1);
    let tmp = ok("--tmpfs /tmp:size=1g --mount type=tmpfs,dst=/dev/shm,tmpfs-size=2g x").request;
    assert_eq!((tmp.limits.tmp, tmp.limits.shm, tmp.mounts.len()), (GIB, 2 * GIB, 0));
    let noexec = ok("--tmpfs /x:noexec x");
    assert!(noexec.notes.iter().any(|n| n.level() == Level::Always), "it is not kept: say so");
    assert_eq!(wrong("--tmpfs /x:ro x"), WrongValue::ReadOnlyMemory);
    assert_eq!(wrong("--tmpfs x x"), WrongValue::NotAbsolute { path: "x".to_owned() });
    assert!(matches!(wrong("--tmpfs /x:nr_inodes=1 x"), WrongValue::UnknownOption { .. }));
    assert!(matches!(wrong("--tmpfs /x:size=10% x"), WrongValue::Number(_)));
}
