//! A share of the processor, when one was asked for.

use super::Wall;

pub(crate) const WALL: Wall =
    Wall { id: "cpu", title: "processor limit", keeps: "the laptop's other work, when --cpus was given" };
