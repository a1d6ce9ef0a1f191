//! What arguments say about grants, and `--here`.

use brig_policy::mount::{Access, Source};
use brig_runtime::grants::arguments::{HereError, Suggestion, here, ungranted_paths};
use brig_runtime::grants::{Caller, Survey};

use crate::fixture::Fixture;

fn found(fixture: &Fixture, arguments: &[&str], shown: &[&str]) -> Vec<(String, Suggestion)> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let shown: Vec<_> = shown.iter().map(|path| fixture.path(path)).collect();
    ungranted_paths(&arguments, &shown, &fixture.survey())
        .into_iter()
        .map(|found| {
            assert!(found.hint().is_some_and(|hint| hint.len() > 8));
            (found.argument, found.suggestion)
        })
        .collect()
}

#[test]
fn paths_that_exist_and_are_not_granted_are_found() {
    let fixture = Fixture::new();
    fixture.file("home/data/x.db", "");
    fixture.file("home/proj/index.js", "");
    let data = fixture.path("home/data").display().to_string();
    let flag = |path: &str| {
        let path = fixture.path(path).display().to_string();
        Suggestion::Flag(format!("-v {path}:{path}"))
    };
    for (argument, suggestion) in [
        (".".to_string(), Suggestion::Flag("--here".into())),
        ("index.js".into(), flag("home/proj/index.js")),
        ("../data".into(), flag("home/data")),
        (data.clone(), flag("home/data")),
        (format!("--db={data}/x.db"), flag("home/data/x.db")),
        (format!("-C{data}"), flag("home/data")),
        (format!("file://{data}"), flag("home/data")),
        (format!("name:{data}"), flag("home/data")),
    ] {
        assert_eq!(found(&fixture, &[&argument], &[]), [(argument.clone(), suggestion)], "{argument}");
    }
}

#[test]
fn other_arguments_are_no_paths() {
    let fixture = Fixture::new();
    fixture.dir("home/proj/build");
    fixture.dir("home/proj/data");
    let arguments = [
        "-y",
        "build",
        "@scope/server",
        "--port=80",
        "https://example.org/x",
        "absent.js",
        "/",
        "/tmp",
        "/dev/null",
        "/proc/self/status",
        "/usr/bin/env",
        "1.2.3",
    ];
    assert_eq!(found(&fixture, &arguments, &[]), []);
    assert_eq!(found(&fixture, &["data/", ".", "./build"], &["home/proj"]), []);
}

#[test]
fn a_link_out_of_a_grant_is_not_granted() {
    let fixture = Fixture::new();
    fixture.dir("home/data");
    fixture.link("home/proj/data", "../data");
    assert_eq!(found(&fixture, &["./data"], &["home/proj"]).len(), 1);
    assert_eq!(found(&fixture, &["./data"], &["home/proj", "home/data"]), []);
}

#[test]
fn what_is_never_granted_is_not_suggested() {
    let fixture = Fixture::new();
    for argument in ["../.ssh", "..", "/etc/passwd"] {
        let found = found(&fixture, &[argument], &[]);
        assert!(matches!(found.as_slice(), [(_, Suggestion::Never(_))]), "{found:?}");
    }
}

#[test]
fn here_is_the_working_folder_but_never_a_home() {
    let fixture = Fixture::new();
    let request = here(Access::Staged, &fixture.survey()).expect("project");
    let folder = fixture.proj().display().to_string();
    assert_eq!((request.source, request.target), (Source::Host(folder.clone()), folder));
    assert_eq!(request.access, Access::Staged);
    let at = |cwd: std::path::PathBuf| {
        let caller = Caller { cwd, homes: vec![fixture.path("home")], own: Vec::new() };
        here(Access::ReadOnly, &Survey::take(&caller).expect("survey"))
    };
    assert!(matches!(at(fixture.path("home")), Err(HereError::Home(_))));
    assert!(matches!(at(fixture.path("")), Err(HereError::Home(_))));
    assert!(matches!(at("/".into()), Err(HereError::Root)));
}
