//! Three pipes are all that the program has open.

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "descriptors",
    title: "no inherited descriptor",
    keeps: "sockets and files that brig or its client hold",
};
