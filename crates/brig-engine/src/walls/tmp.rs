//! /tmp, /dev/shm and HOME are memory of a fixed size.

use super::Wall;

pub(crate) const WALL: Wall = Wall { id: "tmp", title: "sized memory folders", keeps: "the host's disk and its /tmp" };
