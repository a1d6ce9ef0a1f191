//! `/proc` shows the box's own processes and nothing of the machine; there is no `/sys`.

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "proc",
    title: "/proc without the machine",
    keeps: "kernel settings, keys, memory maps and the names of everything that runs",
};

/// What is covered when `--proc full` shows the machine: each tells of, or changes, the kernel.
pub(crate) const COVERED: &[&str] = &[
    "acpi",
    "asound",
    "bus",
    "driver",
    "fs",
    "irq",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "modules",
    "mtrr",
    "net",
    "pagetypeinfo",
    "sched_debug",
    "scsi",
    "slabinfo",
    "swaps",
    "sys",
    "sysrq-trigger",
    "sysvipc",
    "timer_list",
    "timer_stats",
    "tty",
    "vmallocinfo",
    "zoneinfo",
];
