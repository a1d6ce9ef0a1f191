//! Only what was granted is mounted: nosuid, nodev, read-only unless granted, real paths only.

use super::Wall;

pub(crate) const WALL: Wall =
    Wall { id: "mounts", title: "granted mounts only", keeps: "the host's files and keys (A01, A03)" };
