//! The environment is built from nothing.

use super::Wall;

pub(crate) const WALL: Wall =
    Wall { id: "environment", title: "built environment", keeps: "tokens in the caller's environment (A02)" };
