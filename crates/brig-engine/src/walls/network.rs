//! A network namespace without route, bridge or door to the host.

use std::io;
use std::os::fd::AsFd;

use super::Wall;
use crate::sys;

pub(crate) const WALL: Wall = Wall {
    id: "network",
    title: "loopback only",
    keeps: "metadata services, the local network, services on the laptop",
};

/// Brings the new namespace's loopback up and lets the box's user listen on its low ports.
pub(crate) fn raise() -> io::Result<()> {
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    sys::loopback_up(sys::bound_socket(any, false)?.as_fd())?;
    std::fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")
}
