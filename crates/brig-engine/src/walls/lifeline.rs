//! Init and all of the box end when brig does.

use super::Wall;

pub(crate) const WALL: Wall =
    Wall { id: "lifeline", title: "dies with brig", keeps: "processes that outlive their guard" };
