//! cgroup v1: a folder in each controller's own hierarchy (cgroups(7)).

use std::path::{Path, PathBuf};

use brig_policy::limits::Limits;

use super::{CPU_PERIOD, Group, cpu_quota, make};
use crate::breach::is_breached;
use crate::handover::Grouped;
use crate::walls::{Wall, cpu, memory, processes};

const MOUNT: &str = "/sys/fs/cgroup";

/// Groups below brig's own, in every hierarchy that lets us. `None` where none does.
pub(super) fn create(own: &[(String, PathBuf)], name: &str, limits: &Limits) -> Option<Group> {
    let make_in = |wall: &Wall, controller: &str, lines: &[(&str, String)]| {
        if is_breached(wall) {
            return None;
        }
        make(place(own, controller, name)?, lines)
    };
    let memory = make_in(&memory::WALL, "memory", &[("memory.limit_in_bytes", limits.memory.to_string())]);
    if let Some(folder) = &memory {
        // Memory and swap together; absent where the kernel does not account for swap.
        drop(std::fs::write(folder.join("memory.memsw.limit_in_bytes"), limits.memory.to_string()));
    }
    let pids = make_in(&processes::WALL, "pids", &[("pids.max", limits.processes.to_string())]);
    let cpu = limits.milli_cpus.and_then(|milli| {
        let lines = [("cpu.cfs_period_us", CPU_PERIOD.to_string()), ("cpu.cfs_quota_us", cpu_quota(milli).to_string())];
        make_in(&cpu::WALL, "cpu", &lines)
    });
    let grouped = Grouped { memory: memory.is_some(), processes: pids.is_some() };
    let has_cpu = cpu.is_some();
    let folders: Vec<PathBuf> = [memory, pids, cpu].into_iter().flatten().collect();
    (!folders.is_empty()).then_some(Group { folders, grouped, cpu: has_cpu })
}

/// Every folder that [`create`] may make.
pub(super) fn places(own: &[(String, PathBuf)], name: &str) -> Vec<PathBuf> {
    ["memory", "pids", "cpu"].iter().filter_map(|controller| place(own, controller, name)).collect()
}

fn place(own: &[(String, PathBuf)], controller: &str, name: &str) -> Option<PathBuf> {
    let has = |list: &str| list.split(',').any(|one| one == controller);
    let (list, path) = own.iter().find(|(list, _)| has(list))?;
    Some(Path::new(MOUNT).join(list).join(path.strip_prefix("/").ok()?).join(format!("brig-{name}")))
}
