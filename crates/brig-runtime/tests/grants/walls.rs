//! What holds, and what does not, in a live grant that is really mounted.

use brig_engine::launch::Treat;
use brig_policy::mount::Access;
use brig_runtime::grants::quarantine::Quarantine;
use brig_runtime::grants::sweep::sweep;

use crate::boxed::{live, live_bind, live_in_two_steps};
use crate::fixture::{Fixture, shell, treated};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_read_only_grant_is_read_without_its_secrets() {
    let fixture = Fixture::new();
    fixture.file("home/proj/.env", "hunter2");
    fixture.file("home/proj/.aws/credentials", "hunter3");
    let granted = fixture.granted("home/proj", Access::ReadOnly);
    let output = live(
        &fixture,
        &granted,
        "cat README.md; cat .env; ls -A .aws; echo x > new || echo refused; echo x > README.md || echo refused",
    );
    assert_eq!(said(&output), "hellorefused\nrefused\n");
    assert_eq!(fixture.text("home/proj/README.md"), "hello");
}

#[test]
fn no_rename_walks_around_the_protection() {
    let fixture = Fixture::new();
    fixture.sh("git init -q sub/repo; mkdir free");
    fixture.file("home/proj/deep/er/.env", "hunter2");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    let attack = "for f in sub sub/repo sub/repo/.git sub/repo/.git/config sub/repo/.git/hooks \
                  deep deep/er deep/er/.env; do mv $f away 2>/dev/null && echo moved $f; \
                  rm -rf $f 2>/dev/null; done; \
                  echo x 2>/dev/null > sub/repo/.git/config && echo wrote; \
                  echo x 2>/dev/null > sub/repo/.git/hooks/pre-commit && echo wrote; \
                  mv free freed && echo renamed; cat deep/er/.env; touch sub/new && echo made";
    let output = live(&fixture, &granted, attack);
    assert_eq!(said(&output), "renamed\nmade\n");
    assert_eq!(fixture.text("home/proj/deep/er/.env"), "hunter2");
    assert!(fixture.text("home/proj/sub/repo/.git/config").contains("[core]"));
    assert!(fixture.exists("home/proj/freed"));
}

#[test]
fn each_hold_is_needed() {
    let fixture = Fixture::new();
    fixture.sh("git init -q sub");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::Hold), ["sub", "sub/.git"]);
    for path in ["sub", "sub/.git"] {
        // Within one folder: between two mounts `mv` would copy.
        let attack = format!("mv {path} {path}.away 2>/dev/null && echo moved; exit 0");
        assert_eq!(said(&live(&fixture, &granted, &attack)), "", "{path}");
        let mut without = granted.bind().clone();
        without.inside.retain(|part| part.path != std::path::Path::new(path));
        assert_eq!(said(&live_bind(&fixture, &without, &attack)), "moved\n", "{path}");
        fixture.sh(&format!("mv {path}.away {path}"));
    }
}

#[test]
fn a_file_that_the_host_replaces_loses_its_mask_and_that_is_found() {
    let fixture = Fixture::new();
    fixture.file("home/proj/.mcp.json", "{}");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    let output = live_in_two_steps(
        &fixture,
        &granted,
        || fixture.sh("echo '{\"new\":1}' > tmp; mv tmp .mcp.json"),
        "echo evil >> .mcp.json && echo wrote; exit 0",
    );
    // The kernel detaches the mount: the gap is real, which is why the report says weaker.
    assert_eq!(said(&output), "wrote\n");
    assert!(granted.report().weaker().is_some());
    let mut quarantine = Quarantine::open(&fixture.path("brig/quarantine")).expect("quarantine");
    let changes = sweep(&granted, &mut quarantine).expect("sweep");
    assert_eq!(changes.replaced, [std::path::PathBuf::from(".mcp.json")]);
}

#[test]
fn a_repository_made_by_the_box_never_runs_on_the_host() {
    let fixture = Fixture::new();
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    let proof = fixture.path("ran");
    let attack =
        format!("git init -q . && git config core.fsmonitor 'touch {}; false' && echo planted", proof.display());
    assert_eq!(said(&live(&fixture, &granted, &attack)), "planted\n");
    let mut quarantine = Quarantine::open(&fixture.path("brig/quarantine")).expect("quarantine");
    let changes = sweep(&granted, &mut quarantine).expect("sweep");
    let moved: Vec<_> = changes.quarantined.iter().map(|item| item.path.display().to_string()).collect();
    assert_eq!(moved, [".git"]);
    shell(&fixture.proj(), "git status || true");
    assert!(!proof.exists(), "the planted program ran");
    // And it would have run, had it stayed.
    let kept = changes.quarantined[0].kept.as_ref().expect("moved").as_ref().expect("kept");
    shell(&fixture.proj(), &format!("chmod 700 {0}; mv {0} .git; git status || true", kept.display()));
    assert!(proof.exists(), "the attack of this test does not work");
}
