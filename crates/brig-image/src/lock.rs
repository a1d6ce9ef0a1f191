//! Locks that die with their holder: `flock` on files of a folder of their own.
//!
//! They lie outside everything that is ever shown to a box, since a box can hold `flock` on files of a
//! read-only mount. Whether somebody lives is asked of the kernel by these locks, never of a file's age.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock that nobody else may hold meanwhile.
    pub(crate) fn exclusive(folder: &Path, name: &str) -> io::Result<Self> {
        Self::acquire(folder, name, FlockOperation::LockExclusive)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Waits for a lock that others may share.
    pub(crate) fn shared(folder: &Path, name: &str) -> io::Result<Self> {
        Self::acquire(folder, name, FlockOperation::LockShared)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Takes the lock only if nobody holds it.
    pub(crate) fn try_exclusive(folder: &Path, name: &str) -> io::Result<Option<Self>> {
        Self::acquire(folder, name, FlockOperation::NonBlockingLockExclusive)
    }

    /// Lets go and removes the file. Only for an exclusive holder: whoever waits for the removed file
    /// notices and begins anew. A file that stays does no harm.
    pub(crate) fn remove_quietly(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    fn acquire(folder: &Path, name: &str, how: FlockOperation) -> io::Result<Option<Self>> {
        let path = folder.join(name);
        loop {
            let file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match rustix::fs::flock(&file, how) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            if is_the_file(&file, &path) {
                return Ok(Some(Self { file, path }));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, unless a child inherited the descriptor between fork and exec.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// Whether `path` still names the file that was opened, and not one made after its removal.
fn is_the_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excludes_shares_and_survives_removal() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let first = Lock::shared(folder, "x").unwrap();
        let second = Lock::shared(folder, "x").unwrap();
        assert!(Lock::try_exclusive(folder, "x").unwrap().is_none());
        drop((first, second));
        let only = Lock::try_exclusive(folder, "x").unwrap().unwrap();
        assert!(Lock::try_exclusive(folder, "x").unwrap().is_none());
        std::thread::scope(|scope| {
            // Waits for a file that is removed, and must end up holding the new one.
            let waiter = scope.spawn(|| Lock::exclusive(folder, "x").unwrap());
            std::thread::sleep(std::time::Duration::from_millis(50));
            only.remove_quietly();
            let waiter = waiter.join().unwrap();
            assert!(folder.join("x").exists());
            assert!(Lock::try_exclusive(folder, "x").unwrap().is_none());
            drop(waiter);
        });
        assert!(Lock::try_exclusive(folder, "x").unwrap().is_some());
    }
}
