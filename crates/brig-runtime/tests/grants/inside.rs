//! What is found inside a granted folder.

use std::os::unix::net::UnixListener;

use brig_engine::launch::Treat;
use brig_policy::mount::Access;
use brig_runtime::grants::{GrantError, Note, WalkError, Why};

use crate::fixture::{Fixture, again, treated};

#[test]
fn secrets_are_masked_at_every_depth_in_any_case() {
    let fixture = Fixture::new();
    for name in [".env", "a/.ENV.local", "a/b/c/id_rsa", ".npmrc", ".aws/credentials", "x/.env.example", "x/env.rs"] {
        fixture.file(&format!("home/proj/{name}"), "secret");
    }
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let granted = fixture.granted("home/proj", access);
        assert_eq!(treated(&granted, Treat::Mask), [".aws", ".env", ".npmrc", "a/.ENV.local", "a/b/c/id_rsa"]);
        let held: &[&str] = match access {
            Access::ReadOnly => &[],
            _ => &["a", "a/b", "a/b/c"],
        };
        assert_eq!(treated(&granted, Treat::Hold), held);
    }
}

#[test]
fn a_file_granted_by_name_is_shown() {
    let fixture = Fixture::new();
    fixture.file("home/proj/.env", "secret");
    let granted = fixture.granted("home/proj/.env", Access::ReadOnly);
    assert!(!granted.is_folder() && granted.bind().inside.is_empty());
    assert!(fixture.judge("home/proj/.env", Access::ReadWrite).is_ok());
    assert!(matches!(fixture.judge("home/proj/.env", Access::Staged), Err(GrantError::StagedFile { .. })));
}

#[test]
fn what_the_host_runs_is_not_written_even_by_name() {
    let fixture = Fixture::new();
    fixture.sh("git init -q .");
    fixture.file("home/proj/.vscode/tasks.json", "{}");
    fixture.file("home/proj/.mcp.json", "{}");
    for path in [".vscode", ".vscode/tasks.json", ".mcp.json", ".git/hooks", ".git/config"] {
        let path = format!("home/proj/{path}");
        let error = fixture.judge(&path, Access::ReadWrite).expect_err(&path);
        assert!(matches!(error, GrantError::HostRun { .. }), "{error}");
        assert!(fixture.judge(&path, Access::ReadOnly).is_ok(), "{path}");
    }
    // A checkout that a client keeps among its settings is a project of its own.
    fixture.dir("home/proj/.claude/worktrees/fix/.vscode");
    assert!(fixture.judge("home/proj/.claude/worktrees/fix", Access::ReadWrite).is_ok());
    for path in [".claude/worktrees", ".claude/worktrees/fix/.vscode"] {
        assert!(fixture.judge(&format!("home/proj/{path}"), Access::ReadWrite).is_err(), "{path}");
    }
    let granted = fixture.granted("home/proj/.git", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::ReadOnly), ["config", "hooks", "info"]);
}

#[test]
fn keys_are_told_from_certificates_by_content() {
    let fixture = Fixture::new();
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    fixture.file("home/proj/cacert.pem", &certificate.repeat(4000));
    fixture.file("home/proj/huge.pem", &certificate.repeat(40_000));
    fixture.file("home/proj/tls.pem", &format!("{certificate}-----BEGIN PRIVATE KEY-----\nx\n"));
    fixture.file("home/proj/credentials.json", "{\"private_key\": \"x\"}");
    fixture.file("home/proj/sub/credentials.json", "{\"colour\": \"x\"}");
    let granted = fixture.granted("home/proj", Access::ReadOnly);
    assert_eq!(treated(&granted, Treat::Mask), ["credentials.json", "huge.pem", "tls.pem"]);
}

#[test]
fn a_repository_keeps_its_settings() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && git add . && git commit -qm x");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::Hold), [".git"]);
    assert_eq!(treated(&granted, Treat::ReadOnly), [".git/config", ".git/hooks", ".git/info"]);
    assert!(granted.report().notes.contains(&Note::LiveIsWeaker));
    assert!(granted.report().weaker().is_some());

    let staged = fixture.granted("home/proj", Access::Staged);
    assert_eq!(staged.bind().inside, granted.bind().inside);
    assert_eq!(staged.report().weaker(), None);
    assert!(fixture.granted("home/proj", Access::ReadOnly).bind().inside.is_empty());
}

#[test]
fn a_login_in_gits_settings_is_masked() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && git remote add o https://me:hunter2@example.org/x.git");
    let granted = fixture.granted("home/proj", Access::ReadOnly);
    assert_eq!(treated(&granted, Treat::Mask), [".git/config"]);
}

#[test]
fn a_worktrees_file_and_folder_are_protected() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && git add . && git commit -qm x && git worktree add -q ../tree && \
         git worktree add -q inner");
    let outer = fixture.granted("home/tree", Access::ReadWrite);
    assert_eq!(treated(&outer, Treat::ReadOnly), [".git"]);
    let main = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(
        treated(&main, Treat::ReadOnly),
        [".git/config", ".git/hooks", ".git/info", ".git/worktrees", "inner/.git"]
    );
    assert_eq!(treated(&main, Treat::Hold), [".git", "inner"]);
}

#[test]
fn a_submodule_is_protected_where_its_settings_are() {
    let fixture = Fixture::new();
    fixture.sh("git init -q ../lib && cd ../lib && echo x > x && git add . && git commit -qm x && \
         cd ../proj && git init -q . && \
         git -c protocol.file.allow=always submodule --quiet add --name libs/deep ../lib vendor/lib");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    let read_only = treated(&granted, Treat::ReadOnly);
    for path in [
        ".git/config",
        ".git/modules/libs/deep/config",
        ".git/modules/libs/deep/hooks",
        ".git/modules/libs/deep/info",
        "vendor/lib/.git",
    ] {
        assert!(read_only.iter().any(|other| other == path), "{path} in {read_only:?}");
    }
    assert_eq!(
        treated(&granted, Treat::Hold),
        [".git", ".git/modules", ".git/modules/libs", ".git/modules/libs/deep", "vendor", "vendor/lib"]
    );
}

#[test]
fn a_repository_by_any_name_is_a_repository() {
    let fixture = Fixture::new();
    fixture.sh("git init -q --bare mirror && mkdir -p sub/.git");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::ReadOnly), ["mirror/config", "mirror/hooks", "mirror/info", "sub/.git"]);
}

#[test]
fn further_names_of_a_treated_file_are_treated_alike() {
    let fixture = Fixture::new();
    fixture.file("home/proj/.env", "secret");
    fixture.file("home/proj/.mcp.json", "{}");
    fixture.sh("mkdir a; ln .env a/copy.txt; ln .mcp.json a/other; ln ../.netrc a/n; ln ../.ssh/id_ed25519 k");
    fixture.sh("echo x > plain; ln plain a/plain");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::Mask), [".env", "a/copy.txt", "a/n", "k"]);
    assert_eq!(treated(&granted, Treat::ReadOnly), [".mcp.json", "a/other"]);
}

#[test]
fn what_a_link_leads_to_is_treated_under_its_own_name() {
    let fixture = Fixture::new();
    fixture.file("home/proj/config/production.txt", "secret");
    fixture.file("home/proj/editor/tasks", "{}");
    fixture.file("home/proj/store/1", "-----BEGIN PRIVATE KEY-----\n");
    fixture.file("home/proj/store/2", "-----BEGIN CERTIFICATE-----\n");
    fixture.link("home/proj/.env", "config/production.txt");
    fixture.link("home/proj/.envrc", fixture.path("home/proj/config/production.txt"));
    fixture.link("home/proj/.vscode", "editor");
    fixture.link("home/proj/a.pem", "store/1");
    fixture.link("home/proj/b.pem", "store/2");
    fixture.link("home/proj/id_rsa", "../.ssh/id_ed25519");
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::Mask), ["config/production.txt", "store/1"]);
    assert_eq!(treated(&granted, Treat::ReadOnly), ["editor"]);
    assert!(granted.report().notes.contains(&Note::ReplaceableLink(".vscode".into())));
}

#[test]
fn sockets_and_fifos_are_masked_and_named() {
    let fixture = Fixture::new();
    fixture.dir("home/proj/run");
    let _listener = UnixListener::bind(fixture.path("home/proj/run/s.sock")).expect("socket");
    fixture.sh("mkfifo run/pipe");
    let granted = fixture.granted("home/proj", Access::ReadOnly);
    let whys: Vec<_> = granted.report().treated.iter().map(|part| &part.why).collect();
    assert_eq!(whys, [&Why::Fifo, &Why::Socket]);
    assert_eq!(treated(&granted, Treat::Mask), ["run/pipe", "run/s.sock"]);
    assert!(granted.report().treated[1].to_string().contains("socket"));
}

#[test]
fn what_is_mounted_below_a_grant_is_masked() {
    let fixture = Fixture::new();
    fixture.dir("home/proj/data/deep");
    fixture.dir("home/proj/keys");
    fixture.file("home/proj/file", "x");
    let script = "mount -t tmpfs none home/proj/data; mkdir home/proj/data/x; \
                  mount --bind home/.ssh home/proj/keys; mount --bind home/.netrc home/proj/file; exec \"$@\"";
    again(&fixture, &["unshare", "-Urm", "sh", "-euc", script, "sh"], "inside::with_submounts");
}

#[test]
#[ignore = "run by what_is_mounted_below_a_grant_is_masked, in a mount namespace"]
fn with_submounts() {
    let fixture = Fixture::here();
    let granted = fixture.granted("home/proj", Access::ReadOnly);
    assert_eq!(treated(&granted, Treat::Mask), ["data", "file", "keys"]);
    assert!(matches!(&granted.report().treated[0].why, Why::Submount(kind) if kind == "tmpfs"));
}

#[test]
fn an_ordinary_user_is_judged_alike() {
    let fixture = Fixture::new();
    fixture.sh("git init -q .");
    fixture.file("home/proj/.env", "secret");
    fixture.file("home/proj/closed/.env", "secret");
    fixture.file("home/proj/dark.pem", "-----BEGIN CERTIFICATE-----");
    fixture.mode("home/proj/closed", 0o000);
    fixture.mode("home/proj/dark.pem", 0o000);
    if rustix::process::geteuid().is_root() {
        let top = fixture.path("");
        let chown = format!("chown -R 54321:54321 {}", top.display());
        fixture.sh(&chown);
        let user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];
        again(&fixture, &user, "inside::as_an_ordinary_user");
    } else {
        again(&fixture, &["env"], "inside::as_an_ordinary_user");
    }
    fixture.mode("home/proj/closed", 0o700);
}

#[test]
#[ignore = "run by an_ordinary_user_is_judged_alike, without root"]
fn as_an_ordinary_user() {
    let fixture = Fixture::here();
    assert!(!rustix::process::geteuid().is_root());
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert_eq!(treated(&granted, Treat::Mask), [".env", "closed", "dark.pem"]);
    assert!(treated(&granted, Treat::ReadOnly).contains(&".git/config".to_string()));
    assert!(fixture.judge("home/.ssh", Access::ReadOnly).is_err());
}

#[test]
fn too_deep_a_folder_is_refused() {
    let fixture = Fixture::new();
    let deep = format!("home/proj/{}", "d/".repeat(256));
    fixture.dir(&deep);
    assert!(fixture.judge("home/proj", Access::ReadOnly).is_ok());
    fixture.dir(&format!("{deep}/d"));
    let error = fixture.judge("home/proj", Access::ReadOnly).expect_err("deep");
    let deep = matches!(&error, GrantError::Walk { source: WalkError::TooDeep { .. }, .. });
    assert!(deep && error.hint().is_some(), "{error}");
}

#[test]
fn too_many_secrets_are_refused() {
    let fixture = Fixture::new();
    fixture.sh("i=0; while [ $i -lt 4097 ]; do : > $i.p12; i=$((i+1)); done");
    let error = fixture.judge("home/proj", Access::ReadOnly).expect_err("many");
    assert!(matches!(error, GrantError::TooManyTreated { count: 4097, .. }), "{error}");
    fixture.sh("rm 0.p12");
    assert!(fixture.judge("home/proj", Access::ReadOnly).is_ok());
}

#[test]
fn a_tree_of_fifty_thousand_files_is_walked_whole() {
    let fixture = Fixture::new();
    for folder in 0..5000 {
        let folder = fixture.dir(&format!("home/proj/node_modules/p{}/q{folder}", folder % 50));
        for file in 0..10 {
            std::fs::write(folder.join(format!("file-{file}.js")), "").expect("file");
        }
    }
    let granted = fixture.granted("home/proj", Access::ReadWrite);
    assert!(granted.report().entries > 55_000);
}
