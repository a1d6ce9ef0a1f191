//! What a sweep finds in a live grant after the box has ended.

use std::path::PathBuf;

use brig_policy::mount::Access;
use brig_runtime::grants::quarantine::{Quarantine, QuarantineError};
use brig_runtime::grants::sweep::{Changes, sweep};

use crate::fixture::Fixture;

fn swept(fixture: &Fixture, script: &str) -> Changes {
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    std::thread::sleep(std::time::Duration::from_millis(20));
    fixture.sh(script);
    let mut quarantine = Quarantine::open(&fixture.path("brig/quarantine")).expect("quarantine");
    sweep(&granted, &mut quarantine).expect("sweep")
}

fn moved(changes: &Changes) -> Vec<String> {
    let mut paths: Vec<_> = changes
        .quarantined
        .iter()
        .map(|item| {
            item.kept.as_ref().expect("moved");
            item.path.display().to_string()
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn ordinary_work_is_left_alone_and_listed() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && git add . && git commit -qm x && mkdir .vscode && echo {} > .vscode/tasks.json");
    let changes = swept(&fixture, "echo x > new.rs; echo y > README.md; git add . ; git commit -qm y");
    assert_eq!(moved(&changes), [""; 0]);
    assert!(changes.replaced.is_empty() && changes.gone.is_empty());
    for path in ["new.rs", "README.md"] {
        assert!(changes.paths.contains(&PathBuf::from(path)), "{changes:?}");
    }
    assert_eq!(changes.changed, changes.paths.len());
}

#[test]
fn new_files_that_the_host_runs_are_moved_away() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && git init -q sub && rm -r .git/hooks");
    let changes = swept(
        &fixture,
        "mkdir -p .vscode a/b .git/hooks x/.git; echo x > .vscode/tasks.json; echo x > a/b/.envrc; \
         echo x > .git/hooks/pre-commit; echo x > .git/commondir; echo x > .MCP.json; \
         ln -s a .husky; echo gitdir: /x > a/.git; \
         git init -q --bare a/bare; chmod 0 .vscode",
    );
    assert_eq!(
        moved(&changes),
        [
            ".MCP.json",
            ".git/commondir",
            ".git/hooks",
            ".husky",
            ".vscode",
            "a/.git",
            "a/b/.envrc",
            "a/bare/config",
            "a/bare/hooks",
            "a/bare/info",
            "x/.git"
        ]
    );
    assert!(fixture.exists("home/proj/.git/config") && fixture.exists("home/proj/sub/.git/config"));
    assert!(fixture.exists("home/proj/a/b") && !fixture.exists("home/proj/.vscode"));
    let kept = changes.quarantined.iter().filter(|item| matches!(item.kept, Ok(Some(_))));
    assert_eq!(kept.count(), 10, "all but the link are kept");
}

#[test]
fn what_was_replaced_removed_or_made_dangerous_is_listed() {
    let fixture = Fixture::new();
    fixture.file("home/proj/.mcp.json", "{}");
    fixture.file("home/proj/opencode.json", "{}");
    fixture.link("home/proj/.envrc", "README.md");
    let changes = swept(
        &fixture,
        "echo x > t; mv t .mcp.json; rm opencode.json; cp README.md tool; chmod 4755 tool; \
         ln -s ../.ssh keys; ln -s README.md fine; ln -sf tool .envrc",
    );
    assert_eq!(changes.replaced, [PathBuf::from(".mcp.json")]);
    assert_eq!(changes.gone, [PathBuf::from("opencode.json")]);
    assert_eq!(changes.setuid, [PathBuf::from("tool")]);
    assert_eq!(changes.links_out, [(PathBuf::from("keys"), PathBuf::from("../.ssh"))]);
    assert_eq!(moved(&changes), [".envrc"]);
}

#[test]
fn what_is_taken_is_closed() {
    let fixture = Fixture::new();
    let changes = swept(&fixture, "mkdir .husky; echo x > .husky/pre-commit; chmod 755 .husky/pre-commit");
    let kept = changes.quarantined[0].kept.as_ref().expect("moved").clone().expect("kept");
    let mode = std::os::unix::fs::PermissionsExt::mode(&kept.metadata().expect("kept").permissions());
    assert_eq!(mode & 0o777, 0);
}

#[test]
fn a_quarantine_that_others_can_write_is_refused() {
    let fixture = Fixture::new();
    fixture.mode("brig/quarantine", 0o777);
    let error = Quarantine::open(&fixture.path("brig/quarantine")).expect_err("open to all");
    assert!(matches!(error, QuarantineError::NotPrivate { .. }));
    assert!(error.hint().is_some_and(|hint| hint.contains("chmod 700")));
}
