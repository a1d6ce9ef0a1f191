//! Staged grants: a real overlay is written by a box and applied.

use std::collections::BTreeMap;

use brig_policy::mount::Access;
use brig_runtime::grants::Granted;
use brig_runtime::grants::quarantine::Quarantine;
use brig_runtime::grants::stage::{Applied, Stage, StageError, WithheldWhy, apply};

use crate::boxed::staged;
use crate::fixture::Fixture;

fn stage(fixture: &Fixture) -> (Granted, Stage) {
    let granted = fixture.granted("home/proj", Access::Staged);
    let stage = Stage::make(&granted, &fixture.path("brig/room"), None).expect("stage");
    std::thread::sleep(std::time::Duration::from_millis(20));
    (granted, stage)
}

fn applied(fixture: &Fixture, granted: &Granted, stage: &Stage) -> Applied {
    let mut quarantine = Quarantine::open(&fixture.path("brig/quarantine")).expect("quarantine");
    apply(stage, granted, &mut quarantine).expect("applied")
}

/// Runs commands in a staged grant and applies what they wrote.
fn run(fixture: &Fixture, commands: &str) -> Applied {
    let (granted, stage) = stage(fixture);
    staged(fixture, &granted, &stage, commands);
    let applied = applied(fixture, &granted, &stage);
    stage.remove().expect("removed");
    applied
}

fn withheld(applied: &Applied) -> BTreeMap<String, String> {
    let items = applied.withheld.iter();
    items.map(|item| (item.path.display().to_string(), item.why.to_string())).collect()
}

#[test]
fn ordinary_writes_are_applied_when_the_box_has_ended() {
    let fixture = Fixture::new();
    fixture.file("home/proj/old.txt", "old");
    fixture.file("home/proj/gone/a", "a");
    fixture.file("home/proj/swap/a", "a");
    fixture.file("home/proj/again/stale", "a");
    fixture.mode("home/proj/old.txt", 0o640);
    let (granted, stage) = stage(&fixture);
    staged(
        &fixture,
        &granted,
        &stage,
        "echo new > old.txt; mkdir -p d/e; echo x > d/e/f; chmod 755 d/e/f; rm -r gone; \
         rm -r swap; echo file > swap; rm -r again; mkdir again; echo x > again/fresh; \
         ln -s e/f d/link; truncate -s 3G huge",
    );
    assert_eq!(fixture.text("home/proj/old.txt"), "old", "nothing is written while it runs");
    let applied = applied(&fixture, &granted, &stage);
    assert!(applied.withheld.is_empty(), "{applied:?}");
    assert_eq!(fixture.text("home/proj/old.txt"), "new\n");
    assert_eq!(fixture.text("home/proj/d/link"), "x\n");
    assert_eq!(fixture.text("home/proj/swap"), "file\n");
    assert!(!fixture.exists("home/proj/gone") && !fixture.exists("home/proj/again/stale"));
    assert!(fixture.exists("home/proj/again/fresh"));
    let mode =
        |path: &str| std::os::unix::fs::PermissionsExt::mode(&fixture.path(path).metadata().expect(path).permissions());
    assert_eq!((mode("home/proj/old.txt") & 0o7777, mode("home/proj/d/e/f") & 0o7777), (0o640, 0o755));
    let huge = fixture.path("home/proj/huge").metadata().expect("huge");
    let blocks = std::os::unix::fs::MetadataExt::blocks(&huge);
    assert!(huge.len() == 3 << 30 && blocks < 1000, "holes stay holes");
    let left = std::fs::read_dir(fixture.proj()).expect("proj");
    assert!(left.flatten().all(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp")));
    stage.remove().expect("removed");
    assert!(std::fs::read_dir(fixture.path("brig/room")).expect("room").next().is_none());
}

#[test]
fn a_staged_box_sees_no_secret_through_the_merged_folder() {
    let fixture = Fixture::new();
    fixture.file("home/proj/.env", "hunter2");
    fixture.file("home/proj/a/b.p12", "hunter3");
    fixture.sh("git init -q .");
    let (granted, stage) = stage(&fixture);
    let output = staged(
        &fixture,
        &granted,
        &stage,
        "cat .env a/b.p12; mv .env x; mv a x; rm -rf .git/hooks; ln .env y; cp .env z; cat z; exit 0",
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let applied = applied(&fixture, &granted, &stage);
    assert_eq!(withheld(&applied), BTreeMap::new());
    assert_eq!(fixture.text("home/proj/.env"), "hunter2");
}

#[test]
fn what_the_host_would_run_or_that_is_a_secret_is_withheld() {
    let fixture = Fixture::new();
    let applied = run(
        &fixture,
        "git init -q .; mkdir -p .vscode sub bare; echo x > .vscode/tasks.json; echo x > sub/.envrc; \
         echo x > .env; echo x > ok; git init -q --bare bare; echo x > .MCP.JSON; \
         echo '-----BEGIN PRIVATE KEY-----' > new.pem; echo '-----BEGIN CERTIFICATE-----' > ca.pem",
    );
    let names: Vec<_> = withheld(&applied).into_keys().collect();
    assert_eq!(
        names,
        [".MCP.JSON", ".env", ".git", ".vscode", "bare/config", "bare/hooks", "bare/info", "new.pem", "sub/.envrc"]
    );
    assert!(applied.withheld.iter().all(|item| matches!(item.kept, Ok(Some(_)))), "{applied:?}");
    assert!(fixture.exists("home/proj/ok") && fixture.exists("home/proj/ca.pem"));
    for path in [".git", ".vscode", "sub/.envrc", ".env", "bare/config"] {
        assert!(!fixture.exists(&format!("home/proj/{path}")), "{path}");
    }
}

#[test]
fn a_commit_made_in_the_box_is_applied_but_no_setting_is() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && git add . && git commit -qm x && rm -r .git/hooks");
    let (granted, stage) = stage(&fixture);
    staged(
        &fixture,
        &granted,
        &stage,
        "echo x > f; git add f; git -c user.name=a -c user.email=a@b commit -qm boxed; \
         mkdir -p .git/hooks; echo x > .git/hooks/pre-commit; echo x > .git/commondir",
    );
    let applied = applied(&fixture, &granted, &stage);
    let names: Vec<_> = withheld(&applied).into_keys().collect();
    assert_eq!(names, [".git/commondir", ".git/hooks"]);
    fixture.sh("git fsck --strict && git log -1 --format=%s | grep -qx boxed && test -z \"$(git status --porcelain)\"");
}

#[test]
fn hostile_entries_change_nothing() {
    let fixture = Fixture::new();
    fixture.file("home/proj/target", "host");
    let (granted, stage) = stage(&fixture);
    staged(
        &fixture,
        &granted,
        &stage,
        "cp README.md suid; chmod 4755 suid; mkfifo pipe; ln -s ../.ssh up; ln -s /etc abs; \
         mkdir d; ln -s .. d/in; ln -s ../../.ssh d/out; ln -s d/in/../../.ssh trick; \
         ln -s loop2 loop1; ln -s loop1 loop2; ln -s absent dangling; \
         python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s.sock\")'",
    );
    let applied = applied(&fixture, &granted, &stage);
    let got = withheld(&applied);
    let names: Vec<_> = got.keys().map(String::as_str).collect();
    assert_eq!(names, ["abs", "d/out", "pipe", "s.sock", "suid", "trick", "up"]);
    assert!(got["up"].contains("leads out") && got["suid"].contains("rights"));
    for name in names {
        assert!(!fixture.exists(&format!("home/proj/{name}")), "{name}");
    }
    for name in ["d/in", "loop1", "dangling"] {
        assert!(fixture.exists(&format!("home/proj/{name}")), "{name}");
    }
}

#[test]
fn a_link_through_a_link_of_the_host_does_not_lead_out() {
    let fixture = Fixture::new();
    fixture.link("home/proj/shared", "../elsewhere");
    fixture.file("home/elsewhere/f", "outside");
    fixture.dir("home/proj/sub");
    let applied = run(&fixture, "ln -s shared/f through; ln -s shared again; ln -s sub/../README.md fine");
    let names: Vec<_> = withheld(&applied).into_keys().collect();
    assert_eq!(names, ["again", "through"]);
    assert!(fixture.exists("home/proj/fine") && !fixture.exists("home/proj/through"));
}

#[test]
fn a_link_in_the_real_folder_is_replaced_and_never_followed() {
    let fixture = Fixture::new();
    fixture.file("home/elsewhere/f", "outside");
    fixture.link("home/proj/f", "../elsewhere/f");
    fixture.link("home/proj/dir", "../elsewhere");
    let applied = run(&fixture, "rm f; echo box > f; rm dir; mkdir dir; echo box > dir/f");
    assert!(applied.withheld.is_empty(), "{applied:?}");
    assert_eq!(fixture.text("home/elsewhere/f"), "outside");
    assert_eq!(fixture.text("home/proj/f"), "box\n");
    assert_eq!(fixture.text("home/proj/dir/f"), "box\n");
}

#[test]
fn a_link_that_the_host_puts_in_the_way_is_not_followed() {
    let fixture = Fixture::new();
    fixture.file("home/elsewhere/f", "outside");
    fixture.dir("home/proj/d");
    let (granted, stage) = stage(&fixture);
    staged(&fixture, &granted, &stage, "echo box > d/f; echo box > d/g");
    fixture.sh("rmdir d; ln -s ../elsewhere d");
    let applied = applied(&fixture, &granted, &stage);
    assert_eq!(fixture.text("home/elsewhere/f"), "outside");
    assert!(!fixture.exists("home/elsewhere/g"));
    assert!(applied.written > 0 || !applied.withheld.is_empty());
}

#[test]
fn what_the_host_changed_meanwhile_is_kept() {
    let fixture = Fixture::new();
    fixture.file("home/proj/both", "start");
    fixture.file("home/proj/gone", "start");
    let (granted, stage) = stage(&fixture);
    staged(&fixture, &granted, &stage, "echo box > both; rm gone");
    fixture.sh("echo host > both; echo host > gone");
    let applied = applied(&fixture, &granted, &stage);
    assert_eq!(fixture.text("home/proj/both"), "host\n");
    assert_eq!(fixture.text("home/proj/gone"), "host\n");
    let changed = applied.withheld.iter().filter(|item| matches!(item.why, WithheldWhy::HostChanged));
    assert_eq!(changed.count(), 2);
}

#[test]
fn nothing_protected_is_removed() {
    let fixture = Fixture::new();
    fixture.sh(
        "git init -q . && mkdir sub && echo {} > sub/.mcp.json && echo x > sub/x && echo s > sub/.env && echo x > gone",
    );
    let (granted, stage) = stage(&fixture);
    // An engine that forgot its mounts: the filter alone must hold.
    let rooms = std::fs::read_dir(fixture.path("brig/room")).expect("room");
    let upper = rooms.flatten().next().expect("stage").path().join("upper");
    let mark = |name: &str, mark: &str, value: &str| {
        let (path, mark) = (upper.join(name), format!("user.overlay.{mark}"));
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(path, mark, value.as_bytes(), flags).expect("mark");
    };
    fixture.sh(&format!(
        "cd {}; mkdir -p sub .git r closed; mknod README.md c 0 0; echo evil > .git/config; \
         : > m; : > gone; chmod 0 closed",
        upper.display()
    ));
    let mut expected = vec![".git/config", ".git/hooks", ".git/info", "m", "r", "sub/.env", "sub/.mcp.json"];
    if rustix::process::geteuid().is_root() {
        fixture.sh(&format!("mknod {}/dev c 1 3", upper.display()));
        expected.push("dev");
    } else {
        eprintln!("skipped: only root can make a device for the box to have made");
    }
    mark("sub", "opaque", "y");
    mark(".git", "opaque", "y");
    mark("r", "redirect", "/etc");
    mark("m", "metacopy", "x");
    mark("gone", "whiteout", "y");
    let applied = applied(&fixture, &granted, &stage);
    let names: Vec<_> = withheld(&applied).into_keys().collect();
    for name in expected {
        assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
    }
    assert!(fixture.text("home/proj/.git/config").contains("[core]"));
    assert_eq!(fixture.text("home/proj/sub/.env"), "s\n");
    assert!(!fixture.exists("home/proj/sub/x") && !fixture.exists("home/proj/README.md"));
    assert!(!fixture.exists("home/proj/gone"));
    assert!(fixture.exists("home/proj/closed"));
}

#[test]
fn only_a_staged_grant_is_staged() {
    let fixture = Fixture::new();
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    let error = Stage::make(&granted, &fixture.path("brig/room"), None).expect_err("live");
    assert!(matches!(error, StageError::NotStaged { .. }));
}
