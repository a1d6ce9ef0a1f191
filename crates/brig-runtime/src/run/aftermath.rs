//! What is done about a run's writable grants while it runs and after it has ended.
//!
//! A live grant is watched: what the host would run is moved away as soon as it appears, and once
//! more when the box is gone. A staged one is applied when the box is gone.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};

use crate::grants::Granted;
use crate::grants::quarantine::Quarantine;
use crate::grants::stage::{self, Stage};
use crate::grants::sweep::{Changes, sweep};
use crate::grants::watch::Watch;
use crate::note::Note;
use crate::session::{Report, Reporter};

/// The writable grants of a run.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    live: Vec<Granted>,
    staged: Vec<(Stage, Granted)>,
}

/// The same, while the box runs.
#[derive(Debug)]
pub(super) struct Guarding {
    watcher: Option<(OwnedFd, JoinHandle<Vec<Granted>>)>,
    staged: Vec<(Stage, Granted)>,
    quarantine: PathBuf,
}

impl Aftermath {
    pub(super) fn live(&mut self, granted: Granted) {
        self.live.push(granted);
    }

    pub(super) fn staged(&mut self, stage: Stage, granted: Granted) {
        self.staged.push((stage, granted));
    }

    /// Watches the live grants from a thread of its own.
    pub(super) fn guard(self, quarantine: PathBuf, reporter: Option<Reporter>) -> Guarding {
        let watcher = (!self.live.is_empty()).then(|| watch(self.live, quarantine.clone(), reporter)).flatten();
        Guarding { watcher, staged: self.staged, quarantine }
    }
}

impl Guarding {
    /// Cleans up after the box, which must be gone.
    pub(super) fn finish(mut self) -> Vec<Note> {
        let mut notes = Vec::new();
        let Some(mut quarantine) = self.quarantine_if_needed(&mut notes) else { return notes };
        let live = self.watcher.take().map(|(stop, thread)| {
            drop(stop);
            thread.join().unwrap_or_default()
        });
        for granted in live.into_iter().flatten() {
            match sweep(&granted, &mut quarantine) {
                Ok(changes) => notes.extend(told(&granted, changes)),
                Err(error) => notes.push(Note::failed(&granted.bind().source, &error)),
            }
        }
        for (stage, granted) in std::mem::take(&mut self.staged) {
            match stage::apply(&stage, &granted, &mut quarantine) {
                Ok(applied) => {
                    notes.push(Note::Applied {
                        source: granted.bind().source.clone(),
                        written: applied.written,
                        removed: applied.removed,
                        withheld: applied.withheld.iter().map(|one| one.path.clone()).collect(),
                    });
                    drop(stage.remove());
                }
                Err(error) => notes.push(Note::failed(&granted.bind().source, &error)),
            }
        }
        // Empty in the usual case; one that is not stays for its owner to look through.
        drop(quarantine);
        drop(std::fs::remove_dir(&self.quarantine));
        notes
    }

    fn quarantine_if_needed(&self, notes: &mut Vec<Note>) -> Option<Quarantine> {
        if self.watcher.is_none() && self.staged.is_empty() {
            return None;
        }
        open_quarantine(&self.quarantine).map_err(|error| notes.push(Note::failed(&self.quarantine, &*error))).ok()
    }
}

fn open_quarantine(path: &Path) -> Result<Quarantine, Box<dyn std::error::Error>> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(Quarantine::open(path)?)
}

/// Starts the watcher. `None` when there is no thread or no watch to be had: the sweep at the end
/// still finds everything, which is what the report says of a live grant anyway.
fn watch(
    live: Vec<Granted>,
    quarantine: PathBuf,
    reporter: Option<Reporter>,
) -> Option<(OwnedFd, JoinHandle<Vec<Granted>>)> {
    let (stopped, stop) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok()?;
    let work = move || {
        if let Ok(mut quarantine) = open_quarantine(&quarantine) {
            attend(&live, &mut quarantine, &stopped, reporter.as_ref());
        }
        live
    };
    let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(work).ok()?;
    Some((stop, thread))
}

/// Handles what happens in the grants until told to stop.
fn attend(live: &[Granted], quarantine: &mut Quarantine, stopped: &OwnedFd, reporter: Option<&Reporter>) {
    let tell = |granted: &Granted, changes: Changes, uncovered: &[PathBuf]| {
        let Some(reporter) = reporter else { return };
        let again = uncovered.iter().map(|path| Note::Uncovered { path: granted.bind().source.join(path) });
        told(granted, changes).into_iter().chain(again).for_each(|note| reporter(Report::Grant(&note)));
    };
    let mut watches = Vec::new();
    for granted in live {
        if let Ok((watch, seen)) = Watch::start(granted, quarantine) {
            tell(granted, seen.changes, &seen.uncovered);
            watches.push((watch, granted));
        }
    }
    loop {
        let mut fds: Vec<PollFd<'_>> =
            watches.iter().map(|(watch, _)| PollFd::from_borrowed_fd(watch.descriptor(), PollFlags::IN)).collect();
        fds.push(PollFd::from_borrowed_fd(stopped.as_fd(), PollFlags::IN));
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready.last() == Some(&true) {
            return;
        }
        for ((watch, granted), _) in watches.iter_mut().zip(&ready).filter(|(_, ready)| **ready) {
            match watch.drain(granted, quarantine) {
                Ok(seen) => tell(granted, seen.changes, &seen.uncovered),
                Err(_) => return,
            }
        }
    }
}

fn told(granted: &Granted, changes: Changes) -> Vec<Note> {
    let source = &granted.bind().source;
    let mut notes: Vec<Note> = changes
        .quarantined
        .into_iter()
        .map(|one| Note::Quarantined {
            path: source.join(one.path),
            why: one.why,
            kept: one.kept.map_err(|error| error.to_string()),
        })
        .collect();
    notes.extend(changes.replaced.into_iter().map(|path| Note::Replaced { path: source.join(path) }));
    notes.extend(changes.setuid.into_iter().map(|path| Note::SetId { path: source.join(path) }));
    notes
}
