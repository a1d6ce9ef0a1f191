//! Limits on all processes of a box together, by control groups.
//!
//! Made and removed by brig, never by the box. Looked for in this order: a cgroup v2 folder that
//! brig may write to (beside its own, as a systemd user session delegates them, or below it), the v1
//! hierarchies where that is what there is. Where neither can be had the box limits itself.

mod v1;
mod v2;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brig_policy::limits::Limits;
use rustix::process::Pid;

use crate::handover::Grouped;
use crate::walls::{Exception, cpu};

/// How long the kernel may take to let go of killed processes before their group can be removed.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two tries to remove a group.
const REMOVAL_PAUSE: Duration = Duration::from_millis(5);

/// The control groups of one box. Dropping it ends what is in them and removes them.
#[derive(Debug)]
pub struct Group {
    folders: Vec<PathBuf>,
    grouped: Grouped,
    cpu: bool,
}

/// Where [`Group::create`] may make folders for this name. To be written down before it does, for
/// whoever cleans up after a brig that was killed in between: so the name must be nobody else's.
#[must_use]
pub fn places(name: &str) -> Vec<PathBuf> {
    let own = own_paths(&std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default());
    v2::places(&own, name).into_iter().chain(v1::places(&own, name)).collect()
}

impl Group {
    /// Makes a group with these limits, or one that limits nothing where none can be had.
    #[must_use]
    pub fn create(name: &str, limits: &Limits) -> Self {
        let own = own_paths(&std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default());
        v2::create(&own, name, limits).or_else(|| v1::create(&own, name, limits)).unwrap_or(Self {
            folders: Vec::new(),
            grouped: Grouped::default(),
            cpu: false,
        })
    }

    /// Moves a process, and with it its later children, into the group.
    pub(crate) fn add(&self, pid: Pid) -> io::Result<()> {
        for folder in &self.folders {
            std::fs::write(folder.join("cgroup.procs"), pid.as_raw_pid().to_string())?;
        }
        Ok(())
    }

    pub(crate) fn grouped(&self) -> Grouped {
        self.grouped
    }

    /// What it lacks of what was asked for.
    pub(crate) fn exception(&self, limits: &Limits) -> Option<Exception> {
        let asked = limits.milli_cpus.is_some();
        let better = Some("run in a systemd user session that delegates the cpu controller, or as root");
        (asked && !self.cpu).then(|| Exception::missing(&cpu::WALL, "no cgroup with a cpu controller", better))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in &self.folders {
            remove(folder);
        }
    }
}

/// Ends whatever is in a group's folder and removes it. A folder that is gone is no error. Says
/// whether it is gone.
pub fn remove(folder: &Path) -> bool {
    if !folder.exists() {
        return true; // asked first: removing nothing is an error of its own where /sys is read-only
    }
    // v2 kills all at once; v1 has no such file, and there init's death has emptied the group.
    drop(std::fs::write(folder.join("cgroup.kill"), "1"));
    let start = std::time::Instant::now();
    while let Err(error) = std::fs::remove_dir(folder) {
        if error.kind() == io::ErrorKind::NotFound {
            return true;
        }
        if start.elapsed() > REMOVAL_PATIENCE {
            return false;
        }
        std::thread::sleep(REMOVAL_PAUSE);
    }
    true
}

/// This process' path in each hierarchy: controllers ("" for v2) and path (cgroups(7)).
fn own_paths(text: &str) -> Vec<(String, PathBuf)> {
    let line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        Some((controllers.to_owned(), PathBuf::from(path)))
    };
    text.lines().filter_map(line).collect()
}

/// Makes a folder and writes its limits; removes it again when one of them is not taken.
fn make(folder: PathBuf, limits: &[(&str, String)]) -> Option<PathBuf> {
    std::fs::create_dir(&folder).ok()?;
    for (file, value) in limits {
        if std::fs::write(folder.join(file), value).is_err() {
            drop(std::fs::remove_dir(&folder));
            return None;
        }
    }
    Some(folder)
}

/// `cpu.max` and its v1 form count in these periods, in microseconds: the kernel's own default.
const CPU_PERIOD: u64 = 100_000;

fn cpu_quota(milli_cpus: u32) -> u64 {
    u64::from(milli_cpus) * CPU_PERIOD / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lines_are_read() {
        let own = own_paths("9:name=systemd:/\n4:memory:/a/b\n3:cpu,cpuacct:/c:d\n0::/user.slice/x.scope\nnonsense\n");
        assert_eq!(own[1], ("memory".to_owned(), PathBuf::from("/a/b")));
        assert_eq!(own[2], ("cpu,cpuacct".to_owned(), PathBuf::from("/c:d")));
        assert_eq!(own[3], (String::new(), PathBuf::from("/user.slice/x.scope")));
        assert_eq!(own.len(), 4);
    }

    #[test]
    fn a_group_is_made_only_where_its_places_say() {
        let name = format!("test-{}", std::process::id());
        let group = Group::create(&name, &Limits::default());
        let places = places(&name);
        assert!(group.folders.iter().all(|folder| places.contains(folder)), "{group:?} {places:?}");
        let folders = group.folders.clone();
        drop(group);
        assert!(folders.iter().all(|folder| !folder.exists()));
    }

    #[test]
    fn a_removed_group_is_no_error() {
        remove(Path::new("/sys/fs/cgroup/brig-never-was"));
    }
}
