//! A session of its own without a terminal.

use super::Wall;

pub(crate) const WALL: Wall = Wall { id: "terminal", title: "no terminal", keeps: "typing into the caller's shell" };
