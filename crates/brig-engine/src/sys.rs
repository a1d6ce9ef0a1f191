//! The system calls that no safe library covers, each behind a safe function.
//!
//! This is the only module of the project with unsafe code. It decides nothing: every function is
//! one system call (or the smallest group that is only sound together), and reports the kernel's
//! own error. Nothing here allocates between `fork` and `exec`.
#![allow(unsafe_code, reason = "the one module that talks to the kernel directly")]

use std::ffi::{CStr, CString, c_char, c_int, c_long};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// One instruction of a classic BPF program, as the kernel reads it (linux/filter.h).
pub(crate) use libc::sock_filter as Instruction;

/// Which side of a [`fork`] this process is.
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The one that called, with the new process' id.
    Parent(rustix::process::Pid),
}

/// Whose child the new process is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentIs {
    /// The caller, as with fork(2).
    Caller,
    /// The caller's own parent (`CLONE_PARENT`), who then reaps it and whose death it can follow.
    CallersParent,
}

/// fork(2) for a process with a single thread.
///
/// The helper and init never start a second thread, so the child finds no lock held by a thread
/// that does not exist there. Callers are `helper.rs` and `init.rs` alone.
pub(crate) fn fork(parent: ParentIs) -> io::Result<Fork> {
    let flags = match parent {
        ParentIs::Caller => 0,
        ParentIs::CallersParent => libc::CLONE_PARENT,
    };
    let signal = match parent {
        // With CLONE_PARENT the kernel takes the exit signal from the caller and refuses another.
        ParentIs::CallersParent => 0,
        ParentIs::Caller => libc::SIGCHLD,
    };
    // SAFETY: no new stack, no shared memory and no thread-local storage is asked for, so this is
    // fork(2) as the kernel implements it. The C library's own fork handlers are skipped; they
    // guard locks between threads, and this process has a single one (see above).
    let pid = unsafe { libc::syscall(libc::SYS_clone, c_long::from(flags | signal), 0, 0, 0, 0) };
    let pid = checked(pid)?;
    Ok(rustix::process::Pid::from_raw(pid).map_or(Fork::Child, Fork::Parent))
}

/// Namespaces to leave (unshare(2)). The caller has a single thread.
pub(crate) fn unshare(flags: rustix::thread::UnshareFlags) -> io::Result<()> {
    let flags = flags - rustix::thread::UnshareFlags::FILES;
    // SAFETY: unshare is unsafe for CLONE_FILES alone, which would let this thread close
    // descriptors that others believe theirs; the caller has one thread and the flag is removed.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}

/// Changes the attributes of a mount, or of it and all below (mount_setattr(2), Linux 5.12).
pub(crate) fn mount_setattr(mount: BorrowedFd<'_>, recursive: bool, change: &MountChange<'_>) -> io::Result<()> {
    let attr = libc::mount_attr {
        attr_set: change.set | change.idmap.map_or(0, |_| libc::MOUNT_ATTR_IDMAP),
        attr_clr: 0,
        propagation: change.propagation,
        userns_fd: change.idmap.map_or(0, |ns| u64::from(ns.as_raw_fd().unsigned_abs())),
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string, `attr` lives for the call and its true size is passed,
    // and both descriptors are borrowed and therefore open.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    checked(done).map(drop)
}

/// What [`mount_setattr`] changes.
#[derive(Default)]
pub(crate) struct MountChange<'a> {
    /// `MOUNT_ATTR_*` bits to set.
    pub(crate) set: u64,
    /// `MS_PRIVATE` and the like, or 0.
    pub(crate) propagation: u64,
    /// The user namespace whose mapping the mount shows.
    pub(crate) idmap: Option<BorrowedFd<'a>>,
}

/// Closes every descriptor from `first` on (close_range(2), Linux 5.9).
///
/// The caller owns none of them through an `OwnedFd`: the helper calls it before it opens anything,
/// and the server's process calls it right before exec.
pub(crate) fn close_from(first: RawFd) -> io::Result<()> {
    // SAFETY: closing a descriptor is memory-safe; that no live `OwnedFd` names one of them is the
    // caller's promise above.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, c_int::MAX, 0) };
    checked(done).map(drop)
}

/// Marks every descriptor from `first` on to be closed by execve (close_range(2), Linux 5.11).
pub(crate) fn close_on_exec_from(first: RawFd) -> io::Result<()> {
    // SAFETY: sets a flag on descriptors and closes none.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, c_int::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    checked(done).map(drop)
}

/// Takes ownership of a descriptor that this process was started with.
pub(crate) fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD on any number is safe and tells whether it is open.
    let open = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    checked(c_long::from(open))?;
    // SAFETY: it is open, and the caller is the start of a program in which nobody owns it yet.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Installs a seccomp filter on this thread and all its later children (seccomp(2)).
pub(crate) fn install_filter(program: &[Instruction]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` points to `len` initialised instructions that outlive the call; the kernel
    // copies and verifies them and writes nothing.
    let done = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    checked(done).map(drop)
}

/// Gives this process a fresh, anonymous session keyring (keyctl(2)).
pub(crate) fn new_session_keyring() -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: c_long = 1;
    // SAFETY: a null name asks for an anonymous keyring; nothing is read or written.
    let done = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<c_char>()) };
    checked(done).map(drop)
}

/// Brings the loopback interface of the current network namespace up (netdevice(7)).
pub(crate) fn loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: an ifreq of zero bytes is a valid value of this plain C structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo\0") {
        *to = c_char::from_ne_bytes([*from]);
    }
    // SAFETY: SIOCGIFFLAGS reads the name and writes the flags, both inside `request`.
    checked(c_long::from(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) }))?;
    let up = libc::IFF_UP | libc::IFF_RUNNING;
    // SAFETY: the call above left the flags as the union's live member.
    unsafe { request.ifr_ifru.ifru_flags |= i16::try_from(up).unwrap_or_default() };
    // SAFETY: SIOCSIFFLAGS reads name and flags from `request`.
    checked(c_long::from(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) })).map(drop)
}

/// The cookie of the network namespace that a socket belongs to (SO_NETNS_COOKIE, Linux 5.14).
pub(crate) fn netns_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut cookie = 0_u64;
    let mut size = libc::socklen_t::try_from(size_of::<u64>()).unwrap_or_default();
    // SAFETY: the option writes at most `size` bytes, the size of `cookie`, and the true size back.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut size,
        )
    };
    checked(c_long::from(done)).map(|_| cookie)
}

/// Blocks `signals` for this thread and returns a descriptor from which they are read (signalfd(2)).
pub(crate) fn signals_as_fd(signals: &[c_int]) -> io::Result<OwnedFd> {
    let set = signal_set(signals);
    // SAFETY: `set` is initialised and outlives the call; no old set is asked for.
    checked(c_long::from(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) }))?;
    // SAFETY: -1 asks for a new descriptor, `set` is initialised.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    let fd = checked(c_long::from(fd))?;
    // SAFETY: the kernel has just made it for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts every signal back to its default and unblocks all: the Rust runtime ignores SIGPIPE, and an
/// ignored or blocked signal would otherwise be inherited by the server.
pub(crate) fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL is a valid disposition; the kernel refuses KILL and STOP, which is fine.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let none = signal_set(&[]);
    // SAFETY: `none` is initialised and outlives the call.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
}

/// Kills every process of this pid namespace but the caller, which must be its init.
pub(crate) fn kill_all_others() {
    // SAFETY: kill(2) touches no memory. Pid -1 reaches only the caller's own pid namespace, and
    // pid 1 is spared; the check keeps it from ever being sent by a process of the host.
    unsafe {
        if libc::getpid() == 1 {
            libc::kill(-1, libc::SIGKILL);
        }
    }
}

/// Ends this process without running anything of it: the child of a fork leaves its parent's
/// destructors alone.
pub(crate) fn exit_now(code: c_int) -> ! {
    // SAFETY: _exit(2) touches no memory and does not return.
    unsafe { libc::_exit(code) }
}

/// Replaces this process by a program (execve(2)). Returns only on failure.
pub(crate) fn execve(file: &CStr, argv: &CStrings, env: &CStrings) -> io::Error {
    // SAFETY: `file` is a C string; both arrays end in a null pointer and point to C strings that
    // `CStrings` owns (its own invariant).
    unsafe { libc::execve(file.as_ptr(), argv.pointers.as_ptr(), env.pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// C strings and the null-terminated array of pointers to them that execve(2) wants.
///
/// Invariant: `pointers` holds one pointer to each of `_owned`, in order, and a final null.
pub(crate) struct CStrings {
    _owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl CStrings {
    /// Fails for a string with a NUL inside.
    pub(crate) fn new<'a>(strings: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let owned = strings.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>()?;
        let pointers = owned.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Ok(Self { _owned: owned, pointers })
    }
}

/// A listening TCP socket, or a bound UDP one, in the current network namespace.
pub(crate) fn bound_socket(address: SocketAddr, stream: bool) -> io::Result<OwnedFd> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = if stream { SocketType::STREAM } else { SocketType::DGRAM };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    if stream {
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &address)?;
    if stream {
        listen(&socket, 128)?;
    }
    Ok(socket)
}

fn signal_set(signals: &[c_int]) -> libc::sigset_t {
    // SAFETY: zero bytes are a valid sigset_t, and sigemptyset initialises it fully anyway.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a live sigset_t.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in signals {
        // SAFETY: as above; an invalid number is refused by the call.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

fn checked(result: c_long) -> io::Result<c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    c_int::try_from(result).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))
}
