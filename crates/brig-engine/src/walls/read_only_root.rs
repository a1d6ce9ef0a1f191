//! Nothing but the granted mounts and memory folders can be written.

use super::Wall;

pub(crate) const WALL: Wall = Wall { id: "read-only-root", title: "read-only root", keeps: "a payload that stays" };
