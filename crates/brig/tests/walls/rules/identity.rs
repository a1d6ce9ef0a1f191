//! Rule 17: who the box is on the host: the caller, whoever called sudo, or nobody; never root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::runner::{Case, Outcome, Proof, Who};
use crate::scene::{Boxed, Scene, token};

pub(super) const CASE: Case = Case {
    wall: "rule-17",
    proofs: &[
        Proof::held("sudo", sudo).by(Who::Root),
        Proof::held("root_itself", root_itself).by(Who::Root),
        Proof::held("files_of_others", files_of_others).by(Who::Root),
        Proof::held("user", user).by(Who::User),
    ],
};

/// Uid and gid of somebody who calls sudo; no account is needed.
const CALLER: u32 = 54321;
/// The reserved id of a box that root starts.
const NOBODY: u32 = 65532;

fn sudo(scene: &Scene<'_>) -> Outcome {
    let folder = scene.place.fresh();
    chown(&folder, Some(CALLER), Some(CALLER)).unwrap();
    let id = CALLER.to_string();
    let boxed = scene.boxed().env("SUDO_UID", &id).env("SUDO_GID", &id).grant(&folder, "rw");
    assert_eq!(boxed.probe(&["make", "/data/new"]).of("/data/new"), "ok true");
    assert_eq!(owner(&folder.join("new")), (CALLER, CALLER));
    assert_eq!(outside(&boxed), CALLER);
    Ok(())
}

/// Root's folders are shown as the box's by an idmapped mount, so what it writes there is root's,
/// while its processes are not.
fn root_itself(scene: &Scene<'_>) -> Outcome {
    let folder = scene.place.fresh();
    let boxed = scene.boxed().grant(&folder, "rw");
    assert_eq!(boxed.probe(&["make", "/data/new"]).of("/data/new"), "ok true");
    assert_eq!(owner(&folder.join("new")), (0, 0));
    assert_eq!(outside(&boxed), NOBODY);
    Ok(())
}

/// What belongs to neither root nor the box stays so: its mode decides.
fn files_of_others(scene: &Scene<'_>) -> Outcome {
    let (folder, token) = (scene.place.fresh(), token());
    for (name, mode) in [("closed", 0o600), ("open", 0o644)] {
        let file = folder.join(name);
        fs::write(&file, &token).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        chown(&file, Some(CALLER), Some(CALLER)).unwrap();
    }
    let told = scene.boxed().grant(&folder, "rw").probe(&["read", "/data/closed", "/data/open"]);
    assert_eq!((told.of("/data/closed"), told.of("/data/open")), ("EACCES", &*format!("ok {token}")));
    Ok(())
}

fn user(scene: &Scene<'_>) -> Outcome {
    let folder = scene.place.fresh();
    let boxed = scene.boxed().grant(&folder, "rw");
    assert_eq!(boxed.probe(&["make", "/data/new"]).of("/data/new"), "ok true");
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    assert_eq!(owner(&folder.join("new")), (uid, gid));
    assert_eq!(outside(&boxed), uid);
    Ok(())
}

fn owner(path: &Path) -> (u32, u32) {
    let meta = fs::metadata(path).unwrap();
    (meta.uid(), meta.gid())
}

/// The uid of the box's processes as the host sees them.
fn outside(boxed: &Boxed<'_>) -> u32 {
    let mark = token();
    let mut living = boxed.start(&["heartbeat", "/tmp/beat", "1", &mark]);
    assert_eq!(living.line(), "ready");
    let uids: Vec<u32> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|line| is_probe(&line, &mark)))
        .filter_map(|entry| uid(&entry.path()))
        .collect();
    living.finish();
    assert_eq!(uids.len(), 1, "one process of the box");
    uids[0]
}

/// brig's own command line has the mark too, but does not start with the probe.
fn is_probe(line: &[u8], mark: &str) -> bool {
    let line = String::from_utf8_lossy(line);
    let first = line.split('\0').next().unwrap_or_default();
    first.ends_with("/walls") && line.contains(mark)
}

fn uid(folder: &Path) -> Option<u32> {
    let status = fs::read_to_string(folder.join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?.parse().ok()
}
