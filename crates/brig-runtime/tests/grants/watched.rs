//! A live grant that is watched while things appear in it.

use std::path::PathBuf;

use brig_policy::mount::Access;
use brig_runtime::grants::Granted;
use brig_runtime::grants::quarantine::Quarantine;
use brig_runtime::grants::watch::{Seen, Watch};

use crate::fixture::Fixture;

struct Watched {
    granted: Granted,
    quarantine: Quarantine,
    watch: Watch,
}

impl Watched {
    fn start(fixture: &Fixture) -> Self {
        let granted = fixture.granted("home/proj", Access::ReadWrite);
        let mut quarantine = Quarantine::open(&fixture.path("brig/quarantine")).expect("quarantine");
        let (watch, seen) = Watch::start(&granted, &mut quarantine).expect("watch");
        assert!(seen.changes.quarantined.is_empty() && !seen.missed && watch.blind() == 0);
        Self { granted, quarantine, watch }
    }

    fn seen(&mut self) -> Seen {
        self.watch.drain(&self.granted, &mut self.quarantine).expect("events")
    }
}

fn moved(seen: &Seen) -> Vec<String> {
    let items = seen.changes.quarantined.iter();
    let mut paths: Vec<_> = items
        .map(|item| {
            item.kept.as_ref().expect("moved");
            item.path.display().to_string()
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn what_appears_is_moved_away_at_once() {
    let fixture = Fixture::new();
    fixture.sh("git init -q . && mkdir -p a/b");
    let mut watched = Watched::start(&fixture);
    assert!(moved(&watched.seen()).is_empty());
    fixture
        .sh("echo x > a/b/.envrc; mkdir -p n/e/w; echo x > n/e/w/.mcp.json; echo x > .git/commondir; echo x > plain");
    assert_eq!(moved(&watched.seen()), [".git/commondir", "a/b/.envrc", "n/e/w/.mcp.json"]);
    assert!(fixture.exists("home/proj/plain") && !fixture.exists("home/proj/a/b/.envrc"));
    fixture.sh("mkdir -p n/e/w/.vscode");
    assert_eq!(moved(&watched.seen()), ["n/e/w/.vscode"], "new folders are watched as well");
    fixture.sh("mv n m");
    watched.seen();
    fixture.sh("mkdir m/e/.husky");
    assert_eq!(moved(&watched.seen()), ["m/e/.husky"], "and keep their watch under a new name");
}

#[test]
fn a_mask_that_the_host_takes_off_is_told() {
    let fixture = Fixture::new();
    fixture.file("home/proj/sub/.env", "old");
    let mut watched = Watched::start(&fixture);
    fixture.sh("echo new > t; mv t sub/.env");
    let seen = watched.seen();
    assert_eq!(seen.uncovered, [PathBuf::from("sub/.env")]);
    assert_eq!(fixture.text("home/proj/sub/.env"), "new\n");
}

#[test]
fn a_flood_is_told_and_bounded() {
    let fixture = Fixture::new();
    let mut watched = Watched::start(&fixture);
    fixture.sh("i=0; while [ $i -lt 6000 ]; do : > f$i; i=$((i+1)); done; : > .envrc");
    let mut rounds = 0;
    let mut found = Vec::new();
    let mut missed = false;
    while found.is_empty() && rounds < 5 {
        let seen = watched.seen();
        missed |= seen.missed;
        found.extend(moved(&seen));
        rounds += 1;
    }
    assert!(missed || rounds > 1, "more than one round");
    assert_eq!(found, [".envrc"]);
}
