//! The system calls that a box is refused by name, each with the reason.

use super::Verdict::Refuse;
use super::{Errno, Rule, rule};

/// Calls that a box is told are not permitted.
pub(super) const REFUSED: &[Rule] = &[
    rule("mount", libc::SYS_mount, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("umount2", libc::SYS_umount2, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("pivot_root", libc::SYS_pivot_root, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("move_mount", libc::SYS_move_mount, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("fsopen", libc::SYS_fsopen, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("fsconfig", libc::SYS_fsconfig, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("fsmount", libc::SYS_fsmount, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("fspick", libc::SYS_fspick, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("open_tree", libc::SYS_open_tree, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("mount_setattr", libc::SYS_mount_setattr, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("chroot", libc::SYS_chroot, Refuse(Errno::Perm), "changes what files the box sees"),
    rule("statmount", 457, Refuse(Errno::Perm), "tells of mounts; nothing needs it yet"),
    rule("listmount", 458, Refuse(Errno::Perm), "tells of mounts; nothing needs it yet"),
    rule(
        "unshare",
        libc::SYS_unshare,
        Refuse(Errno::Perm),
        "enters other namespaces, or makes one in which it has every capability",
    ),
    rule(
        "setns",
        libc::SYS_setns,
        Refuse(Errno::Perm),
        "enters other namespaces, or makes one in which it has every capability",
    ),
    rule("ptrace", libc::SYS_ptrace, Refuse(Errno::Perm), "reaches into other processes, init among them"),
    rule(
        "process_vm_readv",
        libc::SYS_process_vm_readv,
        Refuse(Errno::Perm),
        "reaches into other processes, init among them",
    ),
    rule(
        "process_vm_writev",
        libc::SYS_process_vm_writev,
        Refuse(Errno::Perm),
        "reaches into other processes, init among them",
    ),
    rule(
        "process_madvise",
        libc::SYS_process_madvise,
        Refuse(Errno::Perm),
        "reaches into other processes, init among them",
    ),
    rule("pidfd_getfd", libc::SYS_pidfd_getfd, Refuse(Errno::Perm), "reaches into other processes, init among them"),
    rule("kcmp", libc::SYS_kcmp, Refuse(Errno::Perm), "reaches into other processes, init among them"),
    rule("bpf", libc::SYS_bpf, Refuse(Errno::Perm), "a large part of the kernel that exploits start from"),
    rule(
        "perf_event_open",
        libc::SYS_perf_event_open,
        Refuse(Errno::Perm),
        "a large part of the kernel that exploits start from",
    ),
    rule(
        "userfaultfd",
        libc::SYS_userfaultfd,
        Refuse(Errno::Perm),
        "a large part of the kernel that exploits start from",
    ),
    rule("io_uring_setup", libc::SYS_io_uring_setup, Refuse(Errno::Perm), "does I/O past this list"),
    rule("io_uring_enter", libc::SYS_io_uring_enter, Refuse(Errno::Perm), "does I/O past this list"),
    rule("io_uring_register", libc::SYS_io_uring_register, Refuse(Errno::Perm), "does I/O past this list"),
    rule("keyctl", libc::SYS_keyctl, Refuse(Errno::Perm), "keyrings are not namespaced"),
    rule("add_key", libc::SYS_add_key, Refuse(Errno::Perm), "keyrings are not namespaced"),
    rule("request_key", libc::SYS_request_key, Refuse(Errno::Perm), "keyrings are not namespaced"),
    rule(
        "open_by_handle_at",
        libc::SYS_open_by_handle_at,
        Refuse(Errno::Perm),
        "opens files by number, past every mount",
    ),
    rule("init_module", libc::SYS_init_module, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("finit_module", libc::SYS_finit_module, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("delete_module", libc::SYS_delete_module, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("kexec_load", libc::SYS_kexec_load, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("kexec_file_load", libc::SYS_kexec_file_load, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("reboot", libc::SYS_reboot, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("swapon", libc::SYS_swapon, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("swapoff", libc::SYS_swapoff, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("acct", libc::SYS_acct, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("quotactl", libc::SYS_quotactl, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("quotactl_fd", libc::SYS_quotactl_fd, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("syslog", libc::SYS_syslog, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("vhangup", libc::SYS_vhangup, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("nfsservctl", libc::SYS_nfsservctl, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("lookup_dcookie", libc::SYS_lookup_dcookie, Refuse(Errno::Perm), "belongs to the machine's owner"),
    rule("settimeofday", libc::SYS_settimeofday, Refuse(Errno::Perm), "the clock is the machine's"),
    rule("clock_settime", libc::SYS_clock_settime, Refuse(Errno::Perm), "the clock is the machine's"),
    rule("adjtimex", libc::SYS_adjtimex, Refuse(Errno::Perm), "the clock is the machine's"),
    rule("clock_adjtime", libc::SYS_clock_adjtime, Refuse(Errno::Perm), "the clock is the machine's"),
    rule("sethostname", libc::SYS_sethostname, Refuse(Errno::Perm), "the name was given to the box"),
    rule("setdomainname", libc::SYS_setdomainname, Refuse(Errno::Perm), "the name was given to the box"),
    rule("fanotify_init", libc::SYS_fanotify_init, Refuse(Errno::Perm), "watches whole file systems"),
    rule("fanotify_mark", libc::SYS_fanotify_mark, Refuse(Errno::Perm), "watches whole file systems"),
    rule("migrate_pages", libc::SYS_migrate_pages, Refuse(Errno::Perm), "moves memory of other processes"),
    rule("move_pages", libc::SYS_move_pages, Refuse(Errno::Perm), "moves memory of other processes"),
    rule(
        "set_mempolicy_home_node",
        libc::SYS_set_mempolicy_home_node,
        Refuse(Errno::Perm),
        "moves memory of other processes",
    ),
    rule("personality", libc::SYS_personality, Refuse(Errno::Perm), "turns address randomisation off, among others"),
    rule(
        "memfd_secret",
        libc::SYS_memfd_secret,
        Refuse(Errno::Perm),
        "memory that not even the machine's owner can look into",
    ),
];

/// Those that only x86-64 has.
#[cfg(target_arch = "x86_64")]
pub(super) const REFUSED_HERE: &[Rule] = &[
    rule("iopl", libc::SYS_iopl, Refuse(Errno::Perm), "hardware and descriptor tables"),
    rule("ioperm", libc::SYS_ioperm, Refuse(Errno::Perm), "hardware and descriptor tables"),
    rule("modify_ldt", libc::SYS_modify_ldt, Refuse(Errno::Perm), "hardware and descriptor tables"),
    rule("uselib", libc::SYS_uselib, Refuse(Errno::Perm), "obsolete, and a way to probe the machine"),
    rule("ustat", libc::SYS_ustat, Refuse(Errno::Perm), "obsolete, and a way to probe the machine"),
    rule("sysfs", libc::SYS_sysfs, Refuse(Errno::Perm), "obsolete, and a way to probe the machine"),
    rule("_sysctl", libc::SYS__sysctl, Refuse(Errno::Perm), "obsolete, and a way to probe the machine"),
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const REFUSED_HERE: &[Rule] = &[];

/// Calls whose arguments lie in memory, where a filter cannot look; callers know the older form.
pub(super) const FALL_BACK: &[Rule] = &[
    rule("clone3", libc::SYS_clone3, Refuse(Errno::NoSys), "could ask for namespaces; C libraries fall back to clone"),
    rule("openat2", libc::SYS_openat2, Refuse(Errno::NoSys), "could make set-id files; callers fall back to openat"),
];
