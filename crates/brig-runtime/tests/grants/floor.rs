//! The floor, on real paths: both ways, and by any other name.

use std::os::unix::net::UnixListener;

use brig_policy::floor::{Asset, Relation};
use brig_policy::mount::Access;
use brig_runtime::grants::{GrantError, judge};

use crate::fixture::{Fixture, again};

#[track_caller]
fn refused(result: Result<brig_runtime::grants::Granted, GrantError>, relation: Relation) {
    match result.map(|granted| granted.bind().clone()) {
        Err(GrantError::Floor(refused)) => assert_eq!(refused.relation, relation, "{refused}"),
        other => panic!("not refused by the floor: {other:?}"),
    }
}

#[test]
fn a_project_is_granted_and_the_home_is_not() {
    let fixture = Fixture::new();
    let granted = fixture.granted("home/proj", Access::ReadOnly);
    assert_eq!(granted.bind().source, fixture.proj());
    assert!(!granted.bind().writable && granted.bind().owned && granted.is_folder());
    assert_eq!(granted.cleared().path(), fixture.proj());
    refused(fixture.judge("home", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("", Access::ReadOnly), Relation::Contains);
    refused(fixture.judge("home/.ssh", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("home/.ssh/id_ed25519", Access::ReadOnly), Relation::Under);
    refused(fixture.judge("home/.netrc", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("brig/store", Access::ReadOnly), Relation::Under);
}

#[test]
fn another_spelling_is_the_same_path() {
    let fixture = Fixture::new();
    fixture.link("home/proj/keys", "../.ssh");
    fixture.link("outside", "home");
    refused(fixture.judge("home/proj/keys", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("home/proj/../.ssh/.", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("outside", Access::ReadOnly), Relation::Is);
    refused(judge("../.ssh", Access::ReadOnly, &fixture.survey()), Relation::Is);
    assert!(judge(".", Access::ReadOnly, &fixture.survey()).is_ok());
}

#[test]
fn the_machines_own_paths_are_refused() {
    let fixture = Fixture::new();
    let survey = fixture.survey();
    for path in ["/", "/etc", "/etc/passwd", "/proc", "/proc/self/root", "/sys", "/dev/null", "/run", "/var", "/home"] {
        assert!(judge(path, Access::ReadOnly, &survey).is_err(), "{path}");
    }
    assert!(matches!(
        judge("/usr/share", Access::ReadWrite, &survey),
        Err(GrantError::Floor(refused)) if refused.asset == Asset::HostFiles
    ));
}

#[test]
fn a_hard_link_of_a_credential_is_that_credential() {
    let fixture = Fixture::new();
    fixture.sh("ln ../.netrc innocent; ln ../.ssh/id_ed25519 harmless");
    refused(fixture.judge("home/proj/innocent", Access::ReadOnly), Relation::Is);
    assert!(matches!(fixture.judge("home/proj/harmless", Access::ReadOnly), Err(GrantError::Linked { .. })));
}

#[test]
fn what_a_hidden_link_leads_to_is_floor() {
    let fixture = Fixture::new();
    fixture.file("home/dotfiles/aws/credentials", "key");
    fixture.link("home/.aws", "dotfiles/aws");
    refused(fixture.judge("home/dotfiles/aws", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("home/dotfiles/aws/credentials", Access::ReadOnly), Relation::Under);
    refused(fixture.judge("home/dotfiles", Access::ReadOnly), Relation::Contains);
}

#[test]
fn a_missing_source_is_an_error_and_is_not_made() {
    let fixture = Fixture::new();
    let error = fixture.judge("home/absent", Access::ReadWrite).expect_err("missing");
    assert!(matches!(error, GrantError::Missing { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("mkdir -p")));
    assert!(!fixture.exists("home/absent"));
    let error = judge("~/proj", Access::ReadOnly, &fixture.survey()).expect_err("tilde");
    assert!(error.hint().is_some_and(|hint| hint.contains("$HOME")));
}

#[test]
fn sockets_fifos_and_devices_are_no_sources() {
    let fixture = Fixture::new();
    let _listener = UnixListener::bind(fixture.path("home/proj/s.sock")).expect("socket");
    fixture.sh("mkfifo pipe");
    for (name, kind) in [("s.sock", "socket"), ("pipe", "FIFO")] {
        let error = fixture.judge(&format!("home/proj/{name}"), Access::ReadOnly).expect_err(name);
        assert!(error.to_string().contains(kind), "{error}");
    }
}

#[test]
fn a_link_swapped_in_after_judging_is_noticed() {
    let fixture = Fixture::new();
    fixture.dir("home/proj/data");
    let granted = fixture.granted("home/proj/data", Access::ReadOnly);
    assert!(still_there(&granted));
    fixture.sh("mv data away; ln -s ../.ssh data");
    assert!(!still_there(&granted));
    fixture.sh("rm data; mkdir data");
    assert!(!still_there(&granted));
    fixture.sh("rmdir data; mv away data");
    assert!(still_there(&granted), "the same again");
}

#[test]
fn a_name_that_is_not_utf8_is_an_error_only_where_it_matters() {
    use std::os::unix::ffi::OsStrExt as _;
    let fixture = Fixture::new();
    let odd = fixture.proj().join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    std::fs::create_dir(&odd).expect("folder");
    assert!(fixture.judge("home/proj", Access::ReadOnly).is_ok());
    std::fs::write(odd.join(".env"), "secret").expect("file");
    assert!(matches!(fixture.judge("home/proj", Access::ReadOnly), Err(GrantError::NotUtf8 { .. })));
}

#[test]
fn bind_mounts_of_the_floor_are_the_floor() {
    let fixture = Fixture::new();
    fixture.file("home/.ssh/deep/key", "key");
    for folder in ["away", "deep", "homes"] {
        fixture.dir(folder);
    }
    let script = "mount --bind home/.ssh away; mount --bind home/.ssh/deep deep; \
                  mount --bind home homes; exec \"$@\"";
    again(&fixture, &["unshare", "-Urm", "sh", "-euc", script, "sh"], "floor::inside_bind_mounts");
}

#[test]
#[ignore = "run by bind_mounts_of_the_floor_are_the_floor, in a mount namespace"]
fn inside_bind_mounts() {
    let fixture = Fixture::here();
    refused(fixture.judge("away", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("deep", Access::ReadOnly), Relation::Under);
    refused(fixture.judge("homes", Access::ReadOnly), Relation::Is);
    refused(fixture.judge("homes/.ssh", Access::ReadOnly), Relation::Is);
    assert!(fixture.judge("homes/proj", Access::ReadOnly).is_ok());
}

/// What the helper compares before it mounts: the file at the path now, not following a link there.
fn still_there(granted: &brig_runtime::grants::Granted) -> bool {
    use std::os::unix::fs::MetadataExt;
    let expect = granted.bind().expect;
    std::fs::symlink_metadata(&granted.bind().source)
        .is_ok_and(|facts| facts.dev() == expect.dev && facts.ino() == expect.ino)
}
