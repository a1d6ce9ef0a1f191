//! Null, zero, full, random and urandom, and no other device.

use super::Wall;

/// The devices, as they are called in `/dev`.
pub(crate) const NAMES: &[&str] = &["null", "zero", "full", "random", "urandom"];

pub(crate) const WALL: Wall =
    Wall { id: "devices", title: "five devices", keeps: "disks, terminals, cameras and kernel interfaces" };
