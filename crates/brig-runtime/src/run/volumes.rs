//! Named volumes, and the folders that an image declares as volumes.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use brig_engine::launch::{FileId, Mount, What};
use brig_image::volume::{Fill, VOLUME_BYTES, Volume};
use brig_image::{Tree, Volumes};
use brig_policy::mount::Access;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Context, RunError};
use crate::note::Note;
use crate::plan;
use crate::session::{Report, Reporter};

/// How often a running box's volumes are measured: a disk fills at some hundred megabytes a second.
const MEASURED_EVERY: Duration = Duration::from_secs(2);

/// The volumes of one run, held until it has ended.
#[derive(Debug, Default)]
pub(super) struct Held {
    volumes: Vec<(String, Volumes, Volume)>,
}

/// Measures the volumes of a running box, and ends a box that fills one beyond its limit.
#[derive(Debug)]
pub(super) struct Measuring {
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// The volumes of this user.
pub(super) fn of_user(context: &Context) -> Result<Volumes, RunError> {
    Ok(Volumes::open(&context.paths.volumes(), None)?)
}

impl Held {
    /// Takes hold of a named volume, filled from the image at its first use.
    pub(super) fn named(
        &mut self,
        name: &str,
        (target, access): (&Path, Access),
        tree: Option<&Tree>,
        context: &Context,
    ) -> Result<Mount, RunError> {
        let volumes = of_user(context)?;
        let fill = tree.map(|tree| Fill { tree, path: target, limit: VOLUME_BYTES });
        let volume = volumes.acquire(name, fill)?;
        if !volumes.measure(name, VOLUME_BYTES)?.complete {
            return Err(RunError::VolumeFull(name.to_owned()));
        }
        self.hold(name, volumes, volume, (target, access != Access::ReadOnly))
    }

    /// A folder that the image declares as a volume, with its content, in a folder of this run.
    pub(super) fn anonymous(&mut self, target: &Path, tree: &Tree, room: &Path) -> Result<Mount, RunError> {
        let volumes = Volumes::open(&room.join("volumes"), None)?;
        let name = format!("v{}", self.volumes.len());
        let volume = volumes.acquire(&name, Some(Fill { tree, path: target, limit: VOLUME_BYTES }))?;
        self.hold(&name, volumes, volume, (target, true))
    }

    fn hold(
        &mut self,
        name: &str,
        volumes: Volumes,
        volume: Volume,
        (target, writable): (&Path, bool),
    ) -> Result<Mount, RunError> {
        let look = |source| RunError::Room { path: volume.path.clone(), source };
        let real = std::fs::canonicalize(&volume.path).map_err(look)?;
        let facts = std::fs::symlink_metadata(&real).map_err(look)?;
        let expect = FileId { dev: facts.dev(), ino: facts.ino() };
        let mount = Mount { target: target.to_owned(), what: What::Bind(plan::own_bind(real, expect, writable)) };
        self.volumes.push((name.to_owned(), volumes, volume));
        Ok(mount)
    }

    /// Measures the volumes until the box has ended. `killer` ends it.
    pub(super) fn measure(self, killer: Option<OwnedFd>, reporter: Option<Reporter>) -> Option<Measuring> {
        if self.volumes.is_empty() {
            return None;
        }
        let (stopped, stop) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok()?;
        let work = move || {
            while !wait(&stopped) {
                let full = self
                    .volumes
                    .iter()
                    .find(|(name, volumes, _)| volumes.measure(name, VOLUME_BYTES).is_ok_and(|usage| !usage.complete));
                let (Some((name, ..)), Some(killer)) = (full, &killer) else { continue };
                if let Some(reporter) = &reporter {
                    reporter(Report::Grant(&Note::VolumeFull { name: name.clone() }));
                }
                let _ = rustix::process::pidfd_send_signal(killer, rustix::process::Signal::KILL);
                return;
            }
        };
        let thread = std::thread::Builder::new().name("volumes".to_owned()).spawn(work).ok()?;
        Some(Measuring { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Waits for the next measurement; true when there is none to come.
fn wait(stopped: &OwnedFd) -> bool {
    let pause = Timespec { tv_sec: MEASURED_EVERY.as_secs().cast_signed(), tv_nsec: 0 };
    let mut fds = [PollFd::from_borrowed_fd(stopped.as_fd(), PollFlags::IN)];
    !matches!(poll(&mut fds, Some(&pause)), Ok(0) | Err(rustix::io::Errno::INTR))
}

/// Whether a declared volume is already served by a mount that was asked for.
pub(super) fn is_covered(target: &Path, mounts: &[Mount]) -> bool {
    mounts.iter().any(|mount| mount.target == *target)
}

/// Where a mount really is in an image, whose folders may be links.
pub(super) fn place(target: &str, tree: Option<&Tree>) -> Result<PathBuf, RunError> {
    match tree {
        None => Ok(PathBuf::from(target)),
        Some(tree) => Ok(tree.place(Path::new(target))?.path),
    }
}
