//! What must never be granted, and what may.

use std::path::{Path, PathBuf};

use super::*;

fn mount(point: &str, root: &str, minor: u32) -> MountPoint {
    MountPoint { point: point.into(), root: root.into(), device: (8, minor), kind: "ext4".into() }
}

fn ground() -> Ground {
    let mut ground = Ground::new(
        vec!["/home/u".into()],
        vec!["/srv/brig/store".into()],
        vec![
            mount("/", "/", 1),
            mount("/run", "/", 2),
            mount("/mnt/keys", "/home/u/.ssh/deep", 1),
            mount("/mnt/homes", "/home", 1),
            mount("/mnt/free", "/srv/free", 1),
        ],
    );
    let ssh = ground.hidden("/home/u/.ssh".into());
    ground.mark(ssh, Position::There, id(22));
    ground.mark(ssh, Position::Above, id(11));
    ground
}

fn id(ino: u64) -> Identity {
    Identity { dev: 1, ino }
}

fn ask(path: &str, writable: bool) -> Result<Cleared, Refused> {
    let source = Candidate { path: Path::new(path), itself: id(9_000), parents: &[id(9_001)], writable };
    clear(&source, &ground())
}

#[track_caller]
fn refused(path: &str, relation: Relation, floor: &str) {
    for writable in [false, true] {
        let refused = ask(path, writable).expect_err(path);
        assert_eq!(refused.relation, relation, "{path}");
        assert_eq!(refused.floor, PathBuf::from(floor), "{path}");
        assert!(refused.hint().is_some_and(|hint| hint.len() > 12), "{path}");
    }
}

#[test]
fn ordinary_folders_are_granted() {
    for path in [
        "/home/u/proj",
        "/home/u/proj/.git",
        "/home/u/proj/.hidden/deep",
        "/tmp/x",
        "/srv/www",
        "/mnt/free/x",
        "/var/www/site",
        "/run/media/u/stick/proj",
        "/etcetera",
        "/home/u/binary",
    ] {
        let cleared = ask(path, true).expect(path);
        assert_eq!((cleared.path(), cleared.writable()), (Path::new(path), true));
    }
}

#[test]
fn floor_paths_and_what_lies_under_them_are_refused() {
    refused("/run/docker.sock", Relation::Is, "/run/docker.sock");
    refused("/run/user/1000/podman/podman.sock", Relation::Under, "/run/user");
    refused("/etc/shadow", Relation::Under, "/etc");
    refused("/proc/self/root", Relation::Under, "/proc");
    refused("/var/lib/docker/volumes/x", Relation::Under, "/var/lib/docker");
    refused("/home/u", Relation::Is, "/home/u");
    refused("/home/u/.ssh/id_ed25519", Relation::Under, "/home/u/.ssh");
    refused("/home/u/.config/gh", Relation::Is, "/home/u/.config/gh");
    refused("/home/u/.unheard-of/x", Relation::Under, "/home/u/.unheard-of");
    refused("/home/u/bin", Relation::Is, "/home/u/bin");
    refused("/srv/brig/store/blobs", Relation::Under, "/srv/brig/store");
    refused("/tmp/ssh-XXXX/agent.1", Relation::Under, "/tmp/ssh-");
}

#[test]
fn what_contains_a_floor_path_is_refused() {
    refused("/", Relation::Is, "/");
    refused("/home", Relation::Is, "/home");
    refused("/var", Relation::Is, "/var");
    refused("/tmp", Relation::Is, "/tmp");
    refused("/srv/brig", Relation::Contains, "/srv/brig/store");
    refused("/srv", Relation::Contains, "/srv/brig/store");
    refused("/home/u/go", Relation::Contains, "/home/u/go/bin");
}

#[test]
fn another_users_home_is_a_home() {
    refused("/home/other", Relation::Is, "/home/other");
    refused("/home/other/.ssh", Relation::Is, "/home/other/.ssh");
    assert!(ask("/home/other/shared", false).is_ok());
}

#[test]
fn programs_of_the_host_are_granted_for_reading_only() {
    assert!(ask("/usr/share/doc", false).is_ok());
    assert!(ask("/opt/tool", false).is_ok());
    for path in ["/usr/share/doc", "/usr", "/opt/tool"] {
        let refused = ask(path, true).expect_err(path);
        assert_eq!(refused.asset, Asset::HostFiles);
    }
}

#[test]
fn public_parts_of_etc_are_granted_for_reading_only() {
    assert!(ask("/etc/ssl/certs", false).is_ok());
    assert!(ask("/etc/ssl/certs", true).is_err());
    assert!(ask("/etc/ssl", false).is_err());
    assert!(ask("/etc/ssl/private", false).is_err());
}

#[test]
fn a_bind_mount_of_a_floor_path_is_that_path() {
    refused("/mnt/keys", Relation::Under, "/home/u/.ssh");
    refused("/mnt/keys/more", Relation::Under, "/home/u/.ssh");
    refused("/mnt/homes", Relation::Is, "/home");
    refused("/mnt/homes/u", Relation::Is, "/home/u");
    refused("/mnt/homes/u/.unheard-of", Relation::Is, "/home/u/.unheard-of");
    assert!(ask("/mnt/homes/u/proj", true).is_ok());
}

#[test]
fn the_same_inode_is_the_same_file() {
    let candidate = |itself, parents| Candidate { path: Path::new("/srv/elsewhere"), itself, parents, writable: false };
    let ground = ground();
    let there = clear(&candidate(id(22), &[]), &ground).expect_err("is");
    assert_eq!(there.relation, Relation::Is);
    let parents = [id(6), id(22)];
    let under = clear(&candidate(id(5), &parents), &ground).expect_err("under");
    assert_eq!(under.relation, Relation::Under);
    let around = clear(&candidate(id(11), &[]), &ground).expect_err("contains");
    assert_eq!(around.relation, Relation::Contains);
    let parents = [id(11)];
    assert!(clear(&candidate(id(5), &parents), &ground).is_ok());
}

#[test]
fn every_line_says_why_and_what_instead() {
    for line in MACHINE.iter().chain(HOME) {
        assert!(!line.why.is_empty() && !line.instead.is_empty(), "{}", line.path);
        assert!(!line.why.ends_with('.') && !line.instead.ends_with('.'), "{}", line.path);
    }
    assert!(MACHINE.iter().all(|line| line.path.starts_with('/')));
    assert!(HOME.iter().all(|line| !line.path.starts_with('/')));
}

#[test]
fn a_refusal_reads_as_a_sentence() {
    let refused = ask("/home/u/.ssh", false).expect_err("floor");
    assert_eq!(refused.to_string(), "/home/u/.ssh holds SSH keys: it would give away A01 (credentials of this host)");
    let refused = ask("/mnt/keys", false).expect_err("floor");
    assert_eq!(
        refused.to_string(),
        "/mnt/keys lies in /home/u/.ssh, which holds SSH keys: \
         it would give away A01 (credentials of this host)"
    );
}
