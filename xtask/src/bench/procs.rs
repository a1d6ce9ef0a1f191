//! Processes and the memory that they cost.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process: its parent and its program's file.
#[derive(Debug, Clone, Copy)]
struct Process {
    parent: u32,
    program: (u64, u64),
}

/// `top` and every process below it that does not run the program `but`.
pub(super) fn tree(top: u32, but: &Path) -> Vec<u32> {
    let excluded = file(but);
    let all = all();
    let mut found: Vec<u32> = Vec::new();
    for (&id, process) in &all {
        let mut at = id;
        while at != top {
            match all.get(&at).map(|it| it.parent) {
                Some(parent) if parent != at && parent != 0 => at = parent,
                _ => break,
            }
        }
        if at == top && Some(process.program) != excluded {
            found.push(id);
        }
    }
    found
}

/// Every process whose command line holds `mark` and starts with a program called `name`.
pub(super) fn named(name: &str, mark: &str) -> Vec<u32> {
    let matches = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.split('\0').next().is_some_and(|it| it.contains(name)) && line.contains(mark)
    };
    all().into_keys().filter(matches).collect()
}

/// Proportional set size of these processes, in KiB: shared pages count once over all who share them.
pub(super) fn pss(ids: &[u32]) -> u64 {
    ids.iter().filter_map(|id| field(&format!("/proc/{id}/smaps_rollup"), "Pss:")).sum()
}

/// The most memory that a process ever had, in KiB.
pub(super) fn peak(id: u32) -> u64 {
    field(&format!("/proc/{id}/status"), "VmHWM:").unwrap_or(0)
}

fn field(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn all() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|it| it.file_name().to_str()?.parse().ok());
    ids.filter_map(|id| Some((id, read(id)?))).collect()
}

fn read(id: u32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let after_name = text.rsplit_once(") ")?.1;
    let parent = after_name.split(' ').nth(1)?.parse().ok()?;
    let program = file(Path::new(&format!("/proc/{id}/exe"))).unwrap_or_default();
    Some(Process { parent, program })
}

fn file(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|it| (it.dev(), it.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_below_us_and_its_program_can_be_left_out() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let nothing = Path::new("/nonexistent");
        let us = std::process::id();
        while fs::read_link(format!("/proc/{}/exe", child.id())).unwrap() == fs::read_link("/proc/self/exe").unwrap() {}
        assert!(tree(us, nothing).contains(&us) && tree(us, nothing).contains(&child.id()));
        let exe = fs::read_link(format!("/proc/{}/exe", child.id())).unwrap();
        assert!(!tree(us, &exe).contains(&child.id()));
        assert!(pss(&[us]) > 100 && peak(us) >= pss(&[us]) / 4);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
