//! Init and all of the box end when brig does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::cpu::folders_of;
use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token, within};

pub(super) const CASE: Case = Case { wall: "lifeline", proofs: &[Proof::both("killed_brig", killed_brig)] };

/// How long the kernel may take to end a box, on a busy machine.
const SOON: Duration = Duration::from_secs(1);
/// When the probe ends by itself, and init after it.
const BY_ITSELF: Duration = Duration::from_secs(20);

fn killed_brig(scene: &Scene<'_>) -> Outcome {
    let (folder, mark) = (scene.place.fresh(), token());
    let beat = folder.join("beat");
    let boxed = scene.boxed().grant(&folder, "rw").flags(&["--name", &mark]);
    let mut living = boxed.start(&["heartbeat", "/data/beat", "10", &mark]);
    assert_eq!(living.line(), "ready");
    assert!(within(BY_ITSELF, || number(&beat) > 1), "its heart beats");
    assert!(processes_with(&mark) >= 2, "brig, and the probe in the box");
    living.kill();
    if scene.held {
        assert!(within(SOON, || processes_with(&mark) == 0), "{} live on", processes_with(&mark));
        let last = number(&beat);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(number(&beat), last);
    } else {
        std::thread::sleep(SOON);
        let last = number(&beat);
        assert!(within(Duration::from_secs(4), || number(&beat) > last), "it lives on");
        assert!(within(BY_ITSELF, || processes_with(&mark) == 0), "the probe ends by itself");
        assert!(within(BY_ITSELF, || groups_are_empty(&mark)), "and init after it");
    }
    // The next call removes what the killed one could not.
    assert_eq!(scene.boxed().run(&["echo", "next"]).out, "next\n");
    assert!(folders_of(&mark).is_empty(), "{:?} are left", folders_of(&mark));
    Ok(())
}

fn number(file: &Path) -> u64 {
    fs::read_to_string(file).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Whether nothing is left in the box's control groups, where it has any.
fn groups_are_empty(name: &str) -> bool {
    let lists = folders_of(name).into_iter().map(|folder| fs::read_to_string(folder.join("cgroup.procs")));
    lists.flatten().all(|list| list.is_empty())
}

/// Processes of this machine, brig's among them, with this word in their command line.
fn processes_with(word: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let lines = processes.filter_map(|folder| fs::read(folder.join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}
