//! Probes of what the kernel grants a process.

use std::fs;
use std::io::Write;
use std::process::Command;

use rustix::fs::inotify;
use rustix::mount::MountFlags;
use rustix::net::{AddressFamily, SocketType, netlink};
use rustix::process::{Pid, Resource, Rlimit};
use rustix::thread::UnshareFlags;

use super::{done, outcome, say};

pub(super) fn identity(_: &[String]) {
    say("uid", rustix::process::getuid().as_raw());
    say("gid", rustix::process::getgid().as_raw());
    for map in ["uid_map", "gid_map"] {
        let text = fs::read_to_string(format!("/proc/self/{map}")).unwrap();
        say(map, text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    say("host", fs::read_to_string("/etc/hostname").unwrap_or_default().trim());
    say("node", rustix::system::uname().nodename().to_string_lossy());
}

/// The lines of `/proc/self/status`.
pub(super) fn status(_: &[String]) {
    for line in fs::read_to_string("/proc/self/status").unwrap().lines() {
        let (what, value) = line.split_once(':').unwrap();
        say(what, value.trim());
    }
}

pub(super) fn keep_privileges(_: &[String]) {
    say("unset", done(rustix::thread::set_no_new_privs(false)));
}

/// System calls that the list refuses, and that would do no harm here.
pub(super) fn calls(_: &[String]) {
    let mut child = Command::new("/proc/self/exe").args(["probe", "sleep", "5"]).spawn().unwrap();
    let other = Pid::from_child(&child);
    let lower = Rlimit { current: Some(32), maximum: Some(32) };
    say("prlimit of another", done(rustix::process::prlimit(Some(other), Resource::Nofile, lower)));
    child.kill().unwrap();
    child.wait().unwrap();
    say("prlimit of itself", done(rustix::process::setrlimit(Resource::Nofile, lower)));
    let socket = |family, protocol| done(rustix::net::socket(family, SocketType::DGRAM, protocol));
    say("vsock", done(rustix::net::socket(AddressFamily::VSOCK, SocketType::STREAM, None)));
    say("uevents", socket(AddressFamily::NETLINK, Some(netlink::KOBJECT_UEVENT)));
    // Protocol 0 is NETLINK_ROUTE.
    say("routes", socket(AddressFamily::NETLINK, None));
    say("udp", socket(AddressFamily::INET, None));
    #[allow(deprecated, reason = "this process has one thread, and descriptors are not unshared")]
    let unshared = rustix::thread::unshare(UnshareFlags::NEWUSER);
    say("user namespace", done(unshared));
}

/// Mounts an empty memory folder over `/tmp`.
pub(super) fn mount(_: &[String]) {
    fs::write("/tmp/before", "x").unwrap();
    say("mount", done(rustix::mount::mount("none", "/tmp", "tmpfs", MountFlags::empty(), None)));
    say("covered", !fs::exists("/tmp/before").unwrap());
}

/// Asks a device for its terminal settings.
pub(super) fn terminal_call(_: &[String]) {
    let device = fs::File::open("/dev/urandom").unwrap();
    say("tcgetattr", done(rustix::termios::tcgetattr(&device)));
}

/// Session and terminal of this process, and a line typed into the terminal.
pub(super) fn terminal(words: &[String]) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    say("session", fields[3]);
    say("terminal", fields[4]);
    if let Some(line) = words.first() {
        let line: String = line.chars().rev().collect();
        let tty = fs::OpenOptions::new().write(true).open("/dev/tty");
        say("typed", outcome(tty.and_then(|mut tty| writeln!(tty, "{line}").map(|()| ""))));
    }
}

/// How many file watchers can be had: `watches AT-MOST`.
pub(super) fn watches(words: &[String]) {
    let most: usize = words[0].parse().unwrap();
    let mut open = Vec::new();
    while open.len() < most
        && let Ok(one) = inotify::init(inotify::CreateFlags::CLOEXEC)
    {
        open.push(one);
    }
    say("watches", open.len());
}

/// The names and values of its own environment.
pub(super) fn environment(_: &[String]) {
    let bytes = fs::read("/proc/self/environ").unwrap();
    for one in String::from_utf8_lossy(&bytes).split('\0').filter(|one| !one.is_empty()) {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        say(name, value);
    }
}

/// Whether a process of this number can be told something.
pub(super) fn process(words: &[String]) {
    let pid = Pid::from_raw(words[0].parse().unwrap()).unwrap();
    say("process", done(rustix::process::test_kill_process(pid)));
}
