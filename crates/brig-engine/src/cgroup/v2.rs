//! cgroup v2: one folder with every limit (the kernel's cgroup-v2 documentation).

use std::path::{Path, PathBuf};

use brig_policy::limits::Limits;

use super::{CPU_PERIOD, Group, cpu_quota, make};
use crate::breach::is_breached;
use crate::handover::Grouped;
use crate::walls::{cpu, memory, processes};

const MOUNT: &str = "/sys/fs/cgroup";

/// A group beside brig's own cgroup, or below it. `None` where v2 has no memory and pids controllers
/// for us, or its folders are not ours to write.
pub(super) fn create(own: &[(String, PathBuf)], name: &str, limits: &Limits) -> Option<Group> {
    places(own, name).into_iter().find_map(|folder| create_in(folder, limits))
}

/// Beside first: a cgroup that has processes, like our own, may not hand controllers down.
pub(super) fn places(own: &[(String, PathBuf)], name: &str) -> Vec<PathBuf> {
    let own = own.iter().find(|(controllers, _)| controllers.is_empty());
    let Some(path) = own.and_then(|(_, path)| path.strip_prefix("/").ok()) else { return Vec::new() };
    let here = Path::new(MOUNT).join(path);
    let beside = here.parent().filter(|parent| parent.starts_with(MOUNT));
    beside.into_iter().chain([here.as_path()]).map(|parent| parent.join(format!("brig-{name}"))).collect()
}

fn create_in(folder: PathBuf, limits: &Limits) -> Option<Group> {
    let parent = folder.parent()?;
    let handed_down = std::fs::read_to_string(parent.join("cgroup.subtree_control")).ok()?;
    let has = |controller: &str| handed_down.split_whitespace().any(|one| one == controller);
    if !has("memory") || !has("pids") {
        return None;
    }
    let grouped = Grouped { memory: !is_breached(&memory::WALL), processes: !is_breached(&processes::WALL) };
    let mut lines = Vec::new();
    if grouped.memory {
        lines.extend([("memory.max", limits.memory.to_string()), ("memory.oom.group", "1".to_owned())]);
    }
    if grouped.processes {
        lines.push(("pids.max", limits.processes.to_string()));
    }
    let cpu = limits.milli_cpus.filter(|_| has("cpu") && !is_breached(&cpu::WALL));
    lines.extend(cpu.map(|milli| ("cpu.max", format!("{} {CPU_PERIOD}", cpu_quota(milli)))));
    let folder = make(folder, &lines)?;
    // Absent where the kernel has no swap accounting; then there is no swap to limit.
    drop(std::fs::write(folder.join("memory.swap.max"), "0"));
    Some(Group { folders: vec![folder], grouped, cpu: cpu.is_some() })
}
