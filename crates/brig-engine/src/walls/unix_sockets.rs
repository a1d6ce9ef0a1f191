//! Socket(AF_UNIX) is refused while a host folder is mounted.

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "unix-sockets",
    title: "no host sockets",
    keeps: "every socket that lies in a granted folder: agents, D-Bus, databases",
};
