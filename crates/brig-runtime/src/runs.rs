//! What each run would leave behind if brig were killed, and the cleaning up after it.
//!
//! A run holds a lock on a file in the runs folder for as long as it lives; the kernel lets go of it
//! at the very moment of its death. Whoever gets the lock therefore knows that the run is over, and
//! removes what its record names. Process numbers and ages are never asked (box rule 26).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use serde::{Deserialize, Serialize};

/// Bytes of a record: a few paths.
const RECORD_LIMIT: u64 = 64 * 1024;
/// How often a sweep may get in the way of a new record.
const BEGIN_TRIES: usize = 100;
/// The pause between two tries.
const BEGIN_PAUSE: Duration = Duration::from_millis(2);
/// The extension of a record that is not locked yet.
const UNNAMED: &str = "new";
/// Runs that one call looks at: a laptop has tens, and the rest is left to the next call.
const SWEEP_LIMIT: usize = 1000;

/// What a run would leave behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// Control groups to end and remove.
    pub cgroups: Vec<PathBuf>,
    /// Folders of brig's own to remove with all that is in them.
    pub folders: Vec<PathBuf>,
}

/// A living run. Dropping it removes its record; what the record names is its owner's to remove.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    file: File,
}

/// Why a run could not be recorded.
#[derive(Debug, thiserror::Error)]
#[error("cannot record this run in {path}")]
pub struct RunError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl RunError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let folder = self.path.parent().unwrap_or(&self.path);
        Some(format!("brig needs to write below {}; is it yours, and is the disk full?", folder.display()))
    }
}

impl Run {
    /// Records a run of this name, which no living run may have.
    ///
    /// # Errors
    /// When the folder cannot be written to, or the name is taken.
    pub fn begin(folder: &Path, name: &str) -> Result<Self, RunError> {
        let path = folder.join(format!("{name}.run"));
        let mut result = Err(io::Error::from(io::ErrorKind::WouldBlock));
        for _ in 0..BEGIN_TRIES {
            result = Self::publish(folder, &path);
            // A sweep that holds the lock for a moment, or has just removed the unnamed file.
            let again = |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::WouldBlock);
            if !result.as_ref().err().is_some_and(again) {
                break;
            }
            std::thread::sleep(BEGIN_PAUSE);
        }
        result.map(|file| Self { path: path.clone(), file }).map_err(|source| RunError { path, source })
    }

    /// Locks a file before it gets its name: a record with its name is locked or over, never new. A
    /// sweep may remove the unnamed file in the moment before it is locked; the caller tries again.
    /// The unnamed file has a name that no other process uses, or one would rename the other's.
    fn publish(folder: &Path, path: &Path) -> io::Result<File> {
        std::fs::create_dir_all(folder)?;
        let mut own = [0; 8];
        getrandom::fill(&mut own).map_err(io::Error::other)?;
        let unnamed = path.with_extension(format!("{:016x}.{UNNAMED}", u64::from_ne_bytes(own)));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&unnamed)?;
        let done = flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive)
            .and_then(|()| renameat_with(CWD, &unnamed, CWD, path, RenameFlags::NOREPLACE));
        if let Err(error) = done {
            drop(std::fs::remove_file(&unnamed));
            return Err(error.into());
        }
        Ok(file)
    }

    /// Writes down what is about to be made. Call it before making it.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn leaves(&mut self, traces: &Traces) -> Result<(), RunError> {
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&serde_json::to_vec(traces)?)
        };
        write(&mut self.file).map_err(|source| RunError { path: self.path.clone(), source })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// Cleans up after runs that are over. Living ones are never touched: their locks are held.
/// `remove` says whether everything is gone; a record stays until it is. Returns how many are.
pub fn sweep(folder: &Path, remove: &dyn Fn(&Traces) -> bool) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let records = entries.flatten().map(|entry| entry.path()).filter(|path| {
        let extension = path.extension();
        extension == Some("run".as_ref()) || extension == Some(UNNAMED.as_ref())
    });
    records.take(SWEEP_LIMIT).filter(|path| sweep_one(path, remove)).count()
}

fn sweep_one(path: &Path, remove: &dyn Fn(&Traces) -> bool) -> bool {
    let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { return false };
    if flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    // Another sweep may have removed it before this lock, and a new run taken its name. From here on
    // neither can happen: a record is removed by who holds its lock, and a name taken when it is free.
    if !is_at(&file, path) {
        return false;
    }
    let mut record = Vec::new();
    let read = Read::by_ref(&mut file).take(RECORD_LIMIT).read_to_end(&mut record);
    // A run that was killed before it wrote anything has made nothing.
    if let (Ok(_), Ok(traces)) = (read, serde_json::from_slice::<Traces>(&record))
        && !remove(&traces)
    {
        return false;
    }
    std::fs::remove_file(path).is_ok()
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(here), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return false };
    (here.dev(), here.ino()) == (there.dev(), there.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn swept(folder: &Path) -> Vec<Traces> {
        let seen = RefCell::new(Vec::new());
        sweep(folder, &|traces| {
            seen.borrow_mut().push(traces.clone());
            true
        });
        seen.into_inner()
    }

    #[test]
    fn a_living_run_is_left_alone_and_a_dead_one_cleaned_up_after() {
        let folder = tempfile::tempdir().unwrap();
        let traces = Traces { cgroups: vec!["/c".into()], folders: vec![] };
        let mut living = Run::begin(folder.path(), "living").unwrap();
        living.leaves(&traces).unwrap();
        assert!(swept(folder.path()).is_empty());

        let Run { path, file } = &living;
        let copy = path.with_file_name("dead.run");
        std::fs::copy(path, &copy).unwrap();
        let _ = file;
        assert_eq!(swept(folder.path()), [traces]);
        assert!(!copy.exists());
        assert!(swept(folder.path()).is_empty());
    }

    #[test]
    fn a_name_is_taken_while_its_run_lives() {
        let folder = tempfile::tempdir().unwrap();
        let living = Run::begin(folder.path(), "one").unwrap();
        assert!(Run::begin(folder.path(), "one").is_err());
        drop(living);
        assert!(Run::begin(folder.path(), "one").is_ok());
    }

    #[test]
    fn a_record_stays_until_everything_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead.run");
        std::fs::write(&path, serde_json::to_vec(&Traces::default()).unwrap()).unwrap();
        assert_eq!(sweep(folder.path(), &|_| false), 0);
        assert!(path.exists());
        assert_eq!(sweep(folder.path(), &|_| true), 1);
        assert!(!path.exists());
    }

    #[test]
    fn a_record_whose_name_a_new_run_took_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.run");
        std::fs::write(&path, "{}").unwrap();
        let old = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _living = Run::begin(folder.path(), "one").unwrap();
        assert!(!is_at(&old, &path) && path.exists());
    }

    #[test]
    fn runs_begin_while_others_sweep() {
        let folder = tempfile::tempdir().unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        sweep(folder.path(), &|_| true);
                    }
                });
            }
            let runs: Vec<_> = (0..200).map(|number| Run::begin(folder.path(), &number.to_string())).collect();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(runs.iter().all(Result::is_ok), "{runs:?}");
            assert!(runs.iter().flatten().all(|run| run.path.exists()));
        });
    }

    #[test]
    fn a_record_that_makes_no_sense_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("odd.run"), "{\"cgroups\": 7}").unwrap();
        assert!(swept(folder.path()).is_empty());
        assert!(!folder.path().join("odd.run").exists());
    }
}
