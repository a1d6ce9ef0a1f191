//! `/proc` shows the box's own processes and nothing of the machine; there is no `/sys`.

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "proc",
    title: "/proc without the machine",
    keeps: "kernel settings, keys, memory maps and the names of everything that runs",
};

/// What `--proc full` shows beside the box's own processes, and what asks for it. Everything else that
/// this kernel or a newer one has there is covered; links lead to the asking process and stay.
const SHOWN: &[&str] = &[
    "cpuinfo",     // Node's os.cpus, libraries that choose code by processor
    "filesystems", // mount's and df's own lists
    "loadavg",     // os.loadavg, build tools
    "meminfo",     // free, databases, language runtimes
    "stat",        // os.cpus, process monitors
    "uptime",      // os.uptime, process monitors
    "version",     // as uname tells
    "vmstat",      // process monitors
];

/// Whether `--proc full` shows this entry of `/proc`: one of the list, or a process of the box.
pub(crate) fn is_shown(name: &str) -> bool {
    SHOWN.contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_shown;

    #[test]
    fn what_is_not_listed_is_covered() {
        for name in ["cpuinfo", "1", "4711"] {
            assert!(is_shown(name), "{name}");
        }
        for name in ["kcore", "keys", "sys", "cmdline", "iomem", "interrupts", "a-file-of-tomorrow", "1x"] {
            assert!(!is_shown(name), "{name}");
        }
    }
}
