//! The system calls that every box may make, each with the reason why it is there: what language
//! runtimes, databases, browsers and shells were seen to need.
//!
//! Numbers
//! that the `libc` crate lacks are equal on every architecture (all calls since Linux 5.1 are).

use super::Verdict::{Allow, AllowIf, AllowUnless};
use super::{Errno, Rule, Test, rule};

/// set-user-id and set-group-id.
const SET_ID: u32 = 0o6000;
/// The CLONE_NEW* bits of clone(2).
const NAMESPACES: u32 = 0x7E02_0000;
const UNIX: u32 = 1;
const INET: u32 = 2;
const INET6: u32 = 10;
const NETLINK: u32 = 16;
const NETLINK_ROUTE: u32 = 0;
/// O_CREAT, and the bit that makes O_TMPFILE what it is.
const CREATES: u32 = 0o100 | 0o20_000_000;
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;
const S_IFIFO: u32 = 0o010_000;
/// Asks for a descriptor that answers for the filtered process.
const SECCOMP_LISTENER: u32 = 8;
const RLIMIT_CORE: u32 = 4;

const OPENAT: &[&[Test]] = &[&[Test::Masked(2, CREATES, 0)], &[Test::Masked(3, SET_ID, 0)]];
const MKNODAT: &[&[Test]] = &[
    &[Test::Masked(2, S_IFMT | SET_ID, 0)],
    &[Test::Masked(2, S_IFMT | SET_ID, S_IFREG)],
    &[Test::Masked(2, S_IFMT | SET_ID, S_IFIFO)],
];
#[cfg(target_arch = "x86_64")]
const OPEN: &[&[Test]] = &[&[Test::Masked(1, CREATES, 0)], &[Test::Masked(2, SET_ID, 0)]];
#[cfg(target_arch = "x86_64")]
const MKNOD: &[&[Test]] = &[
    &[Test::Masked(1, S_IFMT | SET_ID, 0)],
    &[Test::Masked(1, S_IFMT | SET_ID, S_IFREG)],
    &[Test::Masked(1, S_IFMT | SET_ID, S_IFIFO)],
];
/// TIOCSTI and TIOCLINUX type into a terminal.
const INPUT_INJECTION: &[&[Test]] = &[&[Test::Is(1, 0x5412)], &[Test::Is(1, 0x541C)]];
/// Limits of the caller: all may be read, all but the core size set.
const OWN_LIMITS: &[&[Test]] = &[&[Test::Is(0, 0), Test::Null(2)], &[Test::Is(0, 0), Test::Differs(1, RLIMIT_CORE)]];
/// seccomp(2): a strict mode, questions, and filters without a listener.
const SECCOMP: &[&[Test]] =
    &[&[Test::Is(0, 0)], &[Test::Is(0, 1), Test::Masked(1, SECCOMP_LISTENER, 0)], &[Test::Is(0, 2)], &[Test::Is(0, 3)]];
/// Questions about the process itself, and what only narrows.
const PRCTL: &[&[Test]] = &[
    &[Test::Is(0, 1)],           // PR_SET_PDEATHSIG
    &[Test::Is(0, 2)],           // PR_GET_PDEATHSIG
    &[Test::Is(0, 3)],           // PR_GET_DUMPABLE
    &[Test::Is(0, 4)],           // PR_SET_DUMPABLE
    &[Test::Is(0, 7)],           // PR_GET_KEEPCAPS
    &[Test::Is(0, 8)],           // PR_SET_KEEPCAPS
    &[Test::Is(0, 15)],          // PR_SET_NAME
    &[Test::Is(0, 16)],          // PR_GET_NAME
    &[Test::Is(0, 21)],          // PR_GET_SECCOMP
    &[Test::Is(0, 23)],          // PR_CAPBSET_READ
    &[Test::Is(0, 25)],          // PR_GET_TSC
    &[Test::Is(0, 27)],          // PR_GET_SECUREBITS
    &[Test::Is(0, 29)],          // PR_SET_TIMERSLACK
    &[Test::Is(0, 30)],          // PR_GET_TIMERSLACK
    &[Test::Is(0, 36)],          // PR_SET_CHILD_SUBREAPER
    &[Test::Is(0, 37)],          // PR_GET_CHILD_SUBREAPER
    &[Test::Is(0, 38)],          // PR_SET_NO_NEW_PRIVS
    &[Test::Is(0, 39)],          // PR_GET_NO_NEW_PRIVS
    &[Test::Is(0, 40)],          // PR_GET_TID_ADDRESS
    &[Test::Is(0, 41)],          // PR_SET_THP_DISABLE
    &[Test::Is(0, 42)],          // PR_GET_THP_DISABLE
    &[Test::Is(0, 47)],          // PR_CAP_AMBIENT
    &[Test::Is(0, 52)],          // PR_GET_SPECULATION_CTRL
    &[Test::Is(0, 53)],          // PR_SET_SPECULATION_CTRL
    &[Test::Is(0, 0x5961_6d61)], // PR_SET_PTRACER
    &[Test::Is(0, 0x5356_4d41)], // PR_SET_VMA
];

/// TCP, UDP and ping by their own protocols; netlink for interface lists (Node's and Go's).
const NETWORK: [&[Test]; 9] = [
    &[Test::Is(0, INET), Test::Is(2, 0)],
    &[Test::Is(0, INET), Test::Is(2, 6)],
    &[Test::Is(0, INET), Test::Is(2, 17)],
    &[Test::Is(0, INET), Test::Is(2, 1)],
    &[Test::Is(0, INET6), Test::Is(2, 0)],
    &[Test::Is(0, INET6), Test::Is(2, 6)],
    &[Test::Is(0, INET6), Test::Is(2, 17)],
    &[Test::Is(0, INET6), Test::Is(2, 58)],
    &[Test::Is(0, NETLINK), Test::Is(2, NETLINK_ROUTE)],
];
const NETWORK_AND_UNIX: [&[Test]; 10] = [
    NETWORK[0],
    NETWORK[1],
    NETWORK[2],
    NETWORK[3],
    NETWORK[4],
    NETWORK[5],
    NETWORK[6],
    NETWORK[7],
    NETWORK[8],
    &[Test::Is(0, UNIX)],
];

/// socket(2) of a box in which no host folder is mounted.
pub(super) const SOCKET_WITH_UNIX: Rule = rule(
    "socket",
    libc::SYS_socket,
    AllowIf(&NETWORK_AND_UNIX, Errno::Family),
    "inside the network namespace; other families, such as AF_VSOCK, are not confined by one",
);
/// socket(2) of every other box.
pub(super) const SOCKET_WITHOUT_UNIX: Rule = rule(
    "socket",
    libc::SYS_socket,
    AllowIf(&NETWORK, Errno::Family),
    "as above, without AF_UNIX: a granted folder hands out every socket that lies in it",
);

/// Calls that every architecture has.
pub(super) const ALLOWED: &[Rule] = &[
    rule("read", libc::SYS_read, Allow, "reading and writing what is open"),
    rule("write", libc::SYS_write, Allow, "reading and writing what is open"),
    rule("readv", libc::SYS_readv, Allow, "reading and writing what is open"),
    rule("writev", libc::SYS_writev, Allow, "reading and writing what is open"),
    rule("pread64", libc::SYS_pread64, Allow, "reading and writing what is open"),
    rule("pwrite64", libc::SYS_pwrite64, Allow, "reading and writing what is open"),
    rule("preadv", libc::SYS_preadv, Allow, "reading and writing what is open"),
    rule("pwritev", libc::SYS_pwritev, Allow, "reading and writing what is open"),
    rule("preadv2", libc::SYS_preadv2, Allow, "reading and writing what is open"),
    rule("pwritev2", libc::SYS_pwritev2, Allow, "reading and writing what is open"),
    rule("lseek", libc::SYS_lseek, Allow, "reading and writing what is open"),
    rule("sendfile", libc::SYS_sendfile, Allow, "reading and writing what is open"),
    rule("splice", libc::SYS_splice, Allow, "reading and writing what is open"),
    rule("tee", libc::SYS_tee, Allow, "reading and writing what is open"),
    rule("vmsplice", libc::SYS_vmsplice, Allow, "reading and writing what is open"),
    rule("copy_file_range", libc::SYS_copy_file_range, Allow, "reading and writing what is open"),
    rule(
        "ioctl",
        libc::SYS_ioctl,
        AllowUnless(INPUT_INJECTION, Errno::Perm),
        "devices are null, zero, full and random; what types into terminals is out all the same",
    ),
    rule("fcntl", libc::SYS_fcntl, Allow, "reading and writing what is open"),
    rule("dup", libc::SYS_dup, Allow, "reading and writing what is open"),
    rule("dup3", libc::SYS_dup3, Allow, "reading and writing what is open"),
    rule("close", libc::SYS_close, Allow, "reading and writing what is open"),
    rule("close_range", libc::SYS_close_range, Allow, "reading and writing what is open"),
    rule("fsync", libc::SYS_fsync, Allow, "reading and writing what is open"),
    rule("fdatasync", libc::SYS_fdatasync, Allow, "reading and writing what is open"),
    rule("syncfs", libc::SYS_syncfs, Allow, "reading and writing what is open"),
    rule("ftruncate", libc::SYS_ftruncate, Allow, "reading and writing what is open"),
    rule("fallocate", libc::SYS_fallocate, Allow, "reading and writing what is open"),
    rule("fadvise64", libc::SYS_fadvise64, Allow, "reading and writing what is open"),
    rule("readahead", libc::SYS_readahead, Allow, "reading and writing what is open"),
    rule(
        "openat",
        libc::SYS_openat,
        AllowIf(OPENAT, Errno::Perm),
        "how every C library opens files; never makes a set-id one",
    ),
    rule("faccessat", libc::SYS_faccessat, Allow, "finding and reading files"),
    rule("faccessat2", libc::SYS_faccessat2, Allow, "finding and reading files"),
    rule("newfstatat", libc::SYS_newfstatat, Allow, "finding and reading files"),
    rule("fstat", libc::SYS_fstat, Allow, "finding and reading files"),
    rule("statx", libc::SYS_statx, Allow, "finding and reading files"),
    rule("readlinkat", libc::SYS_readlinkat, Allow, "finding and reading files"),
    rule("getdents64", libc::SYS_getdents64, Allow, "finding and reading files"),
    rule("getcwd", libc::SYS_getcwd, Allow, "finding and reading files"),
    rule("chdir", libc::SYS_chdir, Allow, "finding and reading files"),
    rule("fchdir", libc::SYS_fchdir, Allow, "finding and reading files"),
    rule("statfs", libc::SYS_statfs, Allow, "finding and reading files"),
    rule("fstatfs", libc::SYS_fstatfs, Allow, "finding and reading files"),
    rule(
        "name_to_handle_at",
        libc::SYS_name_to_handle_at,
        Allow,
        "a handle is of no use without open_by_handle_at; programs probe it",
    ),
    rule("mkdirat", libc::SYS_mkdirat, Allow, "changing files where a mount allows it"),
    rule("unlinkat", libc::SYS_unlinkat, Allow, "changing files where a mount allows it"),
    rule("renameat2", libc::SYS_renameat2, Allow, "changing files where a mount allows it"),
    rule("linkat", libc::SYS_linkat, Allow, "changing files where a mount allows it"),
    rule("symlinkat", libc::SYS_symlinkat, Allow, "changing files where a mount allows it"),
    rule(
        "fchmod",
        libc::SYS_fchmod,
        AllowIf(&[&[Test::Masked(1, SET_ID, 0)]], Errno::Perm),
        "modes, but no set-id bits, which would act for the caller on the host",
    ),
    rule(
        "fchmodat",
        libc::SYS_fchmodat,
        AllowIf(&[&[Test::Masked(2, SET_ID, 0)]], Errno::Perm),
        "modes, but no set-id bits, which would act for the caller on the host",
    ),
    rule("fchown", libc::SYS_fchown, Allow, "changing files where a mount allows it"),
    rule("fchownat", libc::SYS_fchownat, Allow, "changing files where a mount allows it"),
    rule("utimensat", libc::SYS_utimensat, Allow, "changing files where a mount allows it"),
    rule("truncate", libc::SYS_truncate, Allow, "changing files where a mount allows it"),
    rule("umask", libc::SYS_umask, Allow, "changing files where a mount allows it"),
    rule(
        "mknodat",
        libc::SYS_mknodat,
        AllowIf(MKNODAT, Errno::Perm),
        "files and FIFOs, but no devices and no set-id bits",
    ),
    rule("flock", libc::SYS_flock, Allow, "changing files where a mount allows it"),
    rule("getxattr", libc::SYS_getxattr, Allow, "changing files where a mount allows it"),
    rule("lgetxattr", libc::SYS_lgetxattr, Allow, "changing files where a mount allows it"),
    rule("fgetxattr", libc::SYS_fgetxattr, Allow, "changing files where a mount allows it"),
    rule("listxattr", libc::SYS_listxattr, Allow, "changing files where a mount allows it"),
    rule("llistxattr", libc::SYS_llistxattr, Allow, "changing files where a mount allows it"),
    rule("flistxattr", libc::SYS_flistxattr, Allow, "changing files where a mount allows it"),
    rule("setxattr", libc::SYS_setxattr, Allow, "changing files where a mount allows it"),
    rule("lsetxattr", libc::SYS_lsetxattr, Allow, "changing files where a mount allows it"),
    rule("fsetxattr", libc::SYS_fsetxattr, Allow, "changing files where a mount allows it"),
    rule("removexattr", libc::SYS_removexattr, Allow, "changing files where a mount allows it"),
    rule("lremovexattr", libc::SYS_lremovexattr, Allow, "changing files where a mount allows it"),
    rule("fremovexattr", libc::SYS_fremovexattr, Allow, "changing files where a mount allows it"),
    rule("sync", libc::SYS_sync, Allow, "changing files where a mount allows it"),
    rule("mmap", libc::SYS_mmap, Allow, "memory of its own"),
    rule("mprotect", libc::SYS_mprotect, Allow, "memory of its own"),
    rule("munmap", libc::SYS_munmap, Allow, "memory of its own"),
    rule("mremap", libc::SYS_mremap, Allow, "memory of its own"),
    rule("madvise", libc::SYS_madvise, Allow, "memory of its own"),
    rule("msync", libc::SYS_msync, Allow, "memory of its own"),
    rule("brk", libc::SYS_brk, Allow, "memory of its own"),
    rule("mincore", libc::SYS_mincore, Allow, "memory of its own"),
    rule("mlock", libc::SYS_mlock, Allow, "memory of its own"),
    rule("mlock2", libc::SYS_mlock2, Allow, "memory of its own"),
    rule("munlock", libc::SYS_munlock, Allow, "memory of its own"),
    rule("mlockall", libc::SYS_mlockall, Allow, "memory of its own"),
    rule("munlockall", libc::SYS_munlockall, Allow, "memory of its own"),
    rule("membarrier", libc::SYS_membarrier, Allow, "memory of its own"),
    rule("memfd_create", libc::SYS_memfd_create, Allow, "memory with a descriptor; counted as memory of the box"),
    rule("pkey_alloc", libc::SYS_pkey_alloc, Allow, "memory of its own"),
    rule("pkey_free", libc::SYS_pkey_free, Allow, "memory of its own"),
    rule("pkey_mprotect", libc::SYS_pkey_mprotect, Allow, "memory of its own"),
    rule("mseal", libc::SYS_mseal, Allow, "memory made immutable, which only narrows"),
    rule("get_mempolicy", libc::SYS_get_mempolicy, Allow, "memory of its own"),
    rule("set_mempolicy", libc::SYS_set_mempolicy, Allow, "memory of its own"),
    rule("mbind", libc::SYS_mbind, Allow, "memory of its own"),
    rule("map_shadow_stack", 453, Allow, "shadow stacks of newer C libraries"),
    rule("remap_file_pages", libc::SYS_remap_file_pages, Allow, "memory of its own"),
    rule(
        "clone",
        libc::SYS_clone,
        AllowIf(&[&[Test::Masked(0, NAMESPACES, 0)]], Errno::Perm),
        "processes and threads, but no new namespaces",
    ),
    rule("execve", libc::SYS_execve, Allow, "running programs; no_new_privs holds"),
    rule("execveat", libc::SYS_execveat, Allow, "running programs; no_new_privs holds"),
    rule("exit", libc::SYS_exit, Allow, "threads and processes of its own"),
    rule("exit_group", libc::SYS_exit_group, Allow, "threads and processes of its own"),
    rule("wait4", libc::SYS_wait4, Allow, "threads and processes of its own"),
    rule("waitid", libc::SYS_waitid, Allow, "threads and processes of its own"),
    rule("set_tid_address", libc::SYS_set_tid_address, Allow, "threads and processes of its own"),
    rule("set_robust_list", libc::SYS_set_robust_list, Allow, "threads and processes of its own"),
    rule("get_robust_list", libc::SYS_get_robust_list, Allow, "threads and processes of its own"),
    rule("futex", libc::SYS_futex, Allow, "threads and processes of its own"),
    rule("futex_waitv", libc::SYS_futex_waitv, Allow, "threads and processes of its own"),
    rule("futex_wake", 454, Allow, "threads and processes of its own"),
    rule("futex_wait", 455, Allow, "threads and processes of its own"),
    rule("futex_requeue", 456, Allow, "threads and processes of its own"),
    rule("rseq", libc::SYS_rseq, Allow, "threads and processes of its own"),
    rule("sched_yield", libc::SYS_sched_yield, Allow, "threads and processes of its own"),
    rule("sched_getaffinity", libc::SYS_sched_getaffinity, Allow, "threads and processes of its own"),
    rule("sched_setaffinity", libc::SYS_sched_setaffinity, Allow, "threads and processes of its own"),
    rule("sched_getparam", libc::SYS_sched_getparam, Allow, "threads and processes of its own"),
    rule("sched_setparam", libc::SYS_sched_setparam, Allow, "threads and processes of its own"),
    rule("sched_getscheduler", libc::SYS_sched_getscheduler, Allow, "threads and processes of its own"),
    rule("sched_setscheduler", libc::SYS_sched_setscheduler, Allow, "threads and processes of its own"),
    rule("sched_getattr", libc::SYS_sched_getattr, Allow, "threads and processes of its own"),
    rule("sched_setattr", libc::SYS_sched_setattr, Allow, "lowering only, without a capability"),
    rule("sched_get_priority_max", libc::SYS_sched_get_priority_max, Allow, "threads and processes of its own"),
    rule("sched_get_priority_min", libc::SYS_sched_get_priority_min, Allow, "threads and processes of its own"),
    rule("sched_rr_get_interval", libc::SYS_sched_rr_get_interval, Allow, "threads and processes of its own"),
    rule("getpriority", libc::SYS_getpriority, Allow, "threads and processes of its own"),
    rule("setpriority", libc::SYS_setpriority, Allow, "lowering only, without a capability"),
    rule("getcpu", libc::SYS_getcpu, Allow, "threads and processes of its own"),
    rule("prctl", libc::SYS_prctl, AllowIf(PRCTL, Errno::Perm), "questions about itself, and what only narrows"),
    rule("kill", libc::SYS_kill, Allow, "only processes of the box have a number here"),
    rule("tkill", libc::SYS_tkill, Allow, "threads and processes of its own"),
    rule("tgkill", libc::SYS_tgkill, Allow, "threads and processes of its own"),
    rule("pidfd_open", libc::SYS_pidfd_open, Allow, "threads and processes of its own"),
    rule("pidfd_send_signal", libc::SYS_pidfd_send_signal, Allow, "threads and processes of its own"),
    rule("setpgid", libc::SYS_setpgid, Allow, "threads and processes of its own"),
    rule("getpgid", libc::SYS_getpgid, Allow, "threads and processes of its own"),
    rule("getsid", libc::SYS_getsid, Allow, "threads and processes of its own"),
    rule("setsid", libc::SYS_setsid, Allow, "threads and processes of its own"),
    rule("ioprio_get", libc::SYS_ioprio_get, Allow, "threads and processes of its own"),
    rule("ioprio_set", libc::SYS_ioprio_set, Allow, "threads and processes of its own"),
    rule("restart_syscall", libc::SYS_restart_syscall, Allow, "threads and processes of its own"),
    rule(
        "seccomp",
        libc::SYS_seccomp,
        AllowIf(SECCOMP, Errno::Perm),
        "browsers narrow their own children; no listener that could answer for them",
    ),
    rule(
        "prlimit64",
        libc::SYS_prlimit64,
        AllowIf(OWN_LIMITS, Errno::Perm),
        "its own limits, but never the core size: a core of 1 is what stops a pipe handler",
    ),
    rule("getrusage", libc::SYS_getrusage, Allow, "threads and processes of its own"),
    rule("times", libc::SYS_times, Allow, "threads and processes of its own"),
    rule("process_mrelease", libc::SYS_process_mrelease, Allow, "frees memory of a dying process of its own"),
    rule("getpid", libc::SYS_getpid, Allow, "who it is; there is one user to be"),
    rule("getppid", libc::SYS_getppid, Allow, "who it is; there is one user to be"),
    rule("gettid", libc::SYS_gettid, Allow, "who it is; there is one user to be"),
    rule("getuid", libc::SYS_getuid, Allow, "who it is; there is one user to be"),
    rule("geteuid", libc::SYS_geteuid, Allow, "who it is; there is one user to be"),
    rule("getgid", libc::SYS_getgid, Allow, "who it is; there is one user to be"),
    rule("getegid", libc::SYS_getegid, Allow, "who it is; there is one user to be"),
    rule("getresuid", libc::SYS_getresuid, Allow, "who it is; there is one user to be"),
    rule("getresgid", libc::SYS_getresgid, Allow, "who it is; there is one user to be"),
    rule("getgroups", libc::SYS_getgroups, Allow, "who it is; there is one user to be"),
    rule("setuid", libc::SYS_setuid, Allow, "who it is; there is one user to be"),
    rule("setgid", libc::SYS_setgid, Allow, "who it is; there is one user to be"),
    rule("setreuid", libc::SYS_setreuid, Allow, "who it is; there is one user to be"),
    rule("setregid", libc::SYS_setregid, Allow, "who it is; there is one user to be"),
    rule("setresuid", libc::SYS_setresuid, Allow, "who it is; there is one user to be"),
    rule("setresgid", libc::SYS_setresgid, Allow, "who it is; there is one user to be"),
    rule("setgroups", libc::SYS_setgroups, Allow, "fails in the kernel: the map denies it"),
    rule("setfsuid", libc::SYS_setfsuid, Allow, "who it is; there is one user to be"),
    rule("setfsgid", libc::SYS_setfsgid, Allow, "who it is; there is one user to be"),
    rule("capget", libc::SYS_capget, Allow, "programs ask what they hold: nothing"),
    rule("capset", libc::SYS_capset, Allow, "lowering only: the bounding set is empty"),
    rule("rt_sigaction", libc::SYS_rt_sigaction, Allow, "signals among its own processes"),
    rule("rt_sigprocmask", libc::SYS_rt_sigprocmask, Allow, "signals among its own processes"),
    rule("rt_sigreturn", libc::SYS_rt_sigreturn, Allow, "signals among its own processes"),
    rule("rt_sigpending", libc::SYS_rt_sigpending, Allow, "signals among its own processes"),
    rule("rt_sigtimedwait", libc::SYS_rt_sigtimedwait, Allow, "signals among its own processes"),
    rule("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, Allow, "signals among its own processes"),
    rule("rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo, Allow, "signals among its own processes"),
    rule("rt_sigsuspend", libc::SYS_rt_sigsuspend, Allow, "signals among its own processes"),
    rule("sigaltstack", libc::SYS_sigaltstack, Allow, "signals among its own processes"),
    rule("signalfd4", libc::SYS_signalfd4, Allow, "signals among its own processes"),
    rule("clock_gettime", libc::SYS_clock_gettime, Allow, "reading clocks and waiting for them"),
    rule("clock_getres", libc::SYS_clock_getres, Allow, "reading clocks and waiting for them"),
    rule("clock_nanosleep", libc::SYS_clock_nanosleep, Allow, "reading clocks and waiting for them"),
    rule("nanosleep", libc::SYS_nanosleep, Allow, "reading clocks and waiting for them"),
    rule("gettimeofday", libc::SYS_gettimeofday, Allow, "reading clocks and waiting for them"),
    rule("timer_create", libc::SYS_timer_create, Allow, "reading clocks and waiting for them"),
    rule("timer_settime", libc::SYS_timer_settime, Allow, "reading clocks and waiting for them"),
    rule("timer_gettime", libc::SYS_timer_gettime, Allow, "reading clocks and waiting for them"),
    rule("timer_getoverrun", libc::SYS_timer_getoverrun, Allow, "reading clocks and waiting for them"),
    rule("timer_delete", libc::SYS_timer_delete, Allow, "reading clocks and waiting for them"),
    rule("timerfd_create", libc::SYS_timerfd_create, Allow, "reading clocks and waiting for them"),
    rule("timerfd_settime", libc::SYS_timerfd_settime, Allow, "reading clocks and waiting for them"),
    rule("timerfd_gettime", libc::SYS_timerfd_gettime, Allow, "reading clocks and waiting for them"),
    rule("getitimer", libc::SYS_getitimer, Allow, "reading clocks and waiting for them"),
    rule("setitimer", libc::SYS_setitimer, Allow, "reading clocks and waiting for them"),
    rule("epoll_create1", libc::SYS_epoll_create1, Allow, "waiting for what is open"),
    rule("epoll_ctl", libc::SYS_epoll_ctl, Allow, "waiting for what is open"),
    rule("epoll_pwait", libc::SYS_epoll_pwait, Allow, "waiting for what is open"),
    rule("epoll_pwait2", libc::SYS_epoll_pwait2, Allow, "waiting for what is open"),
    rule("ppoll", libc::SYS_ppoll, Allow, "waiting for what is open"),
    rule("pselect6", libc::SYS_pselect6, Allow, "waiting for what is open"),
    rule("eventfd2", libc::SYS_eventfd2, Allow, "waiting for what is open"),
    rule("pipe2", libc::SYS_pipe2, Allow, "waiting for what is open"),
    rule("inotify_init1", libc::SYS_inotify_init1, Allow, "watching files; the namespace's own inotify limits hold"),
    rule("inotify_add_watch", libc::SYS_inotify_add_watch, Allow, "waiting for what is open"),
    rule("inotify_rm_watch", libc::SYS_inotify_rm_watch, Allow, "waiting for what is open"),
    rule(
        "socketpair",
        libc::SYS_socketpair,
        AllowIf(&[&[Test::Is(0, UNIX)]], Errno::Family),
        "AF_UNIX pairs reach nobody outside",
    ),
    rule("bind", libc::SYS_bind, Allow, "sockets; socket() and the network namespace decide which"),
    rule("connect", libc::SYS_connect, Allow, "sockets; socket() and the network namespace decide which"),
    rule("listen", libc::SYS_listen, Allow, "sockets; socket() and the network namespace decide which"),
    rule("accept", libc::SYS_accept, Allow, "sockets; socket() and the network namespace decide which"),
    rule("accept4", libc::SYS_accept4, Allow, "sockets; socket() and the network namespace decide which"),
    rule("getsockname", libc::SYS_getsockname, Allow, "sockets; socket() and the network namespace decide which"),
    rule("getpeername", libc::SYS_getpeername, Allow, "sockets; socket() and the network namespace decide which"),
    rule("sendto", libc::SYS_sendto, Allow, "sockets; socket() and the network namespace decide which"),
    rule("recvfrom", libc::SYS_recvfrom, Allow, "sockets; socket() and the network namespace decide which"),
    rule("sendmsg", libc::SYS_sendmsg, Allow, "sockets; socket() and the network namespace decide which"),
    rule("recvmsg", libc::SYS_recvmsg, Allow, "sockets; socket() and the network namespace decide which"),
    rule("sendmmsg", libc::SYS_sendmmsg, Allow, "sockets; socket() and the network namespace decide which"),
    rule("recvmmsg", libc::SYS_recvmmsg, Allow, "sockets; socket() and the network namespace decide which"),
    rule("shutdown", libc::SYS_shutdown, Allow, "sockets; socket() and the network namespace decide which"),
    rule("setsockopt", libc::SYS_setsockopt, Allow, "sockets; socket() and the network namespace decide which"),
    rule("getsockopt", libc::SYS_getsockopt, Allow, "sockets; socket() and the network namespace decide which"),
    rule("shmget", libc::SYS_shmget, Allow, "inside the box's own ipc namespace"),
    rule("shmat", libc::SYS_shmat, Allow, "inside the box's own ipc namespace"),
    rule("shmdt", libc::SYS_shmdt, Allow, "inside the box's own ipc namespace"),
    rule("shmctl", libc::SYS_shmctl, Allow, "inside the box's own ipc namespace"),
    rule("semget", libc::SYS_semget, Allow, "inside the box's own ipc namespace"),
    rule("semop", libc::SYS_semop, Allow, "inside the box's own ipc namespace"),
    rule("semtimedop", libc::SYS_semtimedop, Allow, "inside the box's own ipc namespace"),
    rule("semctl", libc::SYS_semctl, Allow, "inside the box's own ipc namespace"),
    rule("msgget", libc::SYS_msgget, Allow, "inside the box's own ipc namespace"),
    rule("msgsnd", libc::SYS_msgsnd, Allow, "inside the box's own ipc namespace"),
    rule("msgrcv", libc::SYS_msgrcv, Allow, "inside the box's own ipc namespace"),
    rule("msgctl", libc::SYS_msgctl, Allow, "inside the box's own ipc namespace"),
    rule("mq_open", libc::SYS_mq_open, Allow, "inside the box's own ipc namespace"),
    rule("mq_unlink", libc::SYS_mq_unlink, Allow, "inside the box's own ipc namespace"),
    rule("mq_timedsend", libc::SYS_mq_timedsend, Allow, "inside the box's own ipc namespace"),
    rule("mq_timedreceive", libc::SYS_mq_timedreceive, Allow, "inside the box's own ipc namespace"),
    rule("mq_notify", libc::SYS_mq_notify, Allow, "inside the box's own ipc namespace"),
    rule("mq_getsetattr", libc::SYS_mq_getsetattr, Allow, "inside the box's own ipc namespace"),
    rule("uname", libc::SYS_uname, Allow, "facts about the machine"),
    rule("sysinfo", libc::SYS_sysinfo, Allow, "memory sizes, which language runtimes read"),
    rule("getrandom", libc::SYS_getrandom, Allow, "random bytes"),
    rule("io_setup", libc::SYS_io_setup, Allow, "asynchronous files, as databases use them"),
    rule("io_submit", libc::SYS_io_submit, Allow, "asynchronous files, as databases use them"),
    rule("io_getevents", libc::SYS_io_getevents, Allow, "asynchronous files, as databases use them"),
    rule("io_cancel", libc::SYS_io_cancel, Allow, "asynchronous files, as databases use them"),
    rule("io_destroy", libc::SYS_io_destroy, Allow, "asynchronous files, as databases use them"),
    rule("landlock_create_ruleset", libc::SYS_landlock_create_ruleset, Allow, "narrows further, never widens"),
    rule("landlock_add_rule", libc::SYS_landlock_add_rule, Allow, "narrows further, never widens"),
    rule("landlock_restrict_self", libc::SYS_landlock_restrict_self, Allow, "narrows further, never widens"),
];

/// Calls that x86-64 keeps beside their newer forms.
#[cfg(target_arch = "x86_64")]
pub(super) const OLDER: &[Rule] = &[
    rule("sync_file_range", libc::SYS_sync_file_range, Allow, "reading and writing what is open"),
    rule("renameat", libc::SYS_renameat, Allow, "changing files where a mount allows it"),
    rule(
        "fchmodat2",
        libc::SYS_fchmodat2,
        AllowIf(&[&[Test::Masked(2, SET_ID, 0)]], Errno::Perm),
        "modes, but no set-id bits, which would act for the caller on the host",
    ),
    rule("arch_prctl", libc::SYS_arch_prctl, Allow, "threads and processes of its own"),
    rule("open", libc::SYS_open, AllowIf(OPEN, Errno::Perm), "the older form of openat; never makes a set-id file"),
    rule(
        "creat",
        libc::SYS_creat,
        AllowIf(&[&[Test::Masked(1, SET_ID, 0)]], Errno::Perm),
        "the older form of openat; never makes a set-id file",
    ),
    rule("stat", libc::SYS_stat, Allow, "the older form of an allowed call"),
    rule("lstat", libc::SYS_lstat, Allow, "the older form of an allowed call"),
    rule("access", libc::SYS_access, Allow, "the older form of an allowed call"),
    rule("readlink", libc::SYS_readlink, Allow, "the older form of an allowed call"),
    rule("mkdir", libc::SYS_mkdir, Allow, "the older form of an allowed call"),
    rule("rmdir", libc::SYS_rmdir, Allow, "the older form of an allowed call"),
    rule("unlink", libc::SYS_unlink, Allow, "the older form of an allowed call"),
    rule("rename", libc::SYS_rename, Allow, "the older form of an allowed call"),
    rule("link", libc::SYS_link, Allow, "the older form of an allowed call"),
    rule("symlink", libc::SYS_symlink, Allow, "the older form of an allowed call"),
    rule(
        "chmod",
        libc::SYS_chmod,
        AllowIf(&[&[Test::Masked(1, SET_ID, 0)]], Errno::Perm),
        "modes, but no set-id bits, which would act for the caller on the host",
    ),
    rule("chown", libc::SYS_chown, Allow, "the older form of an allowed call"),
    rule("lchown", libc::SYS_lchown, Allow, "the older form of an allowed call"),
    rule("mknod", libc::SYS_mknod, AllowIf(MKNOD, Errno::Perm), "files and FIFOs, but no devices and no set-id bits"),
    rule("utime", libc::SYS_utime, Allow, "the older form of an allowed call"),
    rule("utimes", libc::SYS_utimes, Allow, "the older form of an allowed call"),
    rule("futimesat", libc::SYS_futimesat, Allow, "the older form of an allowed call"),
    rule("getdents", libc::SYS_getdents, Allow, "the older form of an allowed call"),
    rule("pipe", libc::SYS_pipe, Allow, "the older form of an allowed call"),
    rule("dup2", libc::SYS_dup2, Allow, "the older form of an allowed call"),
    rule("select", libc::SYS_select, Allow, "the older form of an allowed call"),
    rule("poll", libc::SYS_poll, Allow, "the older form of an allowed call"),
    rule("epoll_create", libc::SYS_epoll_create, Allow, "the older form of an allowed call"),
    rule("epoll_wait", libc::SYS_epoll_wait, Allow, "the older form of an allowed call"),
    rule("eventfd", libc::SYS_eventfd, Allow, "the older form of an allowed call"),
    rule("signalfd", libc::SYS_signalfd, Allow, "the older form of an allowed call"),
    rule("inotify_init", libc::SYS_inotify_init, Allow, "the older form of an allowed call"),
    rule("alarm", libc::SYS_alarm, Allow, "the older form of an allowed call"),
    rule("pause", libc::SYS_pause, Allow, "the older form of an allowed call"),
    rule("time", libc::SYS_time, Allow, "the older form of an allowed call"),
    rule("fork", libc::SYS_fork, Allow, "the older form of an allowed call"),
    rule("vfork", libc::SYS_vfork, Allow, "the older form of an allowed call"),
    rule("getpgrp", libc::SYS_getpgrp, Allow, "the older form of an allowed call"),
    rule("getrlimit", libc::SYS_getrlimit, Allow, "the older form of an allowed call"),
    rule(
        "setrlimit",
        libc::SYS_setrlimit,
        AllowUnless(&[&[Test::Is(0, RLIMIT_CORE)]], Errno::Perm),
        "its own limits, but never the core size: a core of 1 is what stops a pipe handler",
    ),
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const OLDER: &[Rule] = &[];
