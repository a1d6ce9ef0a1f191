//! One file per wall, as in the engine, and one list.

mod capabilities;
mod core_dumps;
mod cpu;
mod descriptors;
mod devices;
mod environment;
mod file_size;
mod groups;
mod kernel_quotas;
mod keyring;
mod landlock;
mod lifeline;
mod memory;
mod mounts;
mod namespaces;
mod network;
mod no_new_privileges;
mod no_root;
mod open_files;
mod proc;
mod processes;
mod read_only_root;
mod system_calls;
mod terminal;
mod tmp;
mod unix_sockets;

use brig_engine::walls::WALLS;

pub(crate) use cpu::groups_can_be_made;
pub(crate) use landlock::kernel_has_it;

use crate::runner::{Case, Halves};

/// The walls in the engine's order.
pub(crate) const CASES: &[Case] = &[
    no_root::CASE,
    groups::CASE,
    capabilities::CASE,
    no_new_privileges::CASE,
    system_calls::CASE,
    landlock::CASE,
    namespaces::CASE,
    network::CASE,
    unix_sockets::CASE,
    read_only_root::CASE,
    mounts::CASE,
    tmp::CASE,
    proc::CASE,
    devices::CASE,
    environment::CASE,
    descriptors::CASE,
    terminal::CASE,
    keyring::CASE,
    memory::CASE,
    processes::CASE,
    cpu::CASE,
    open_files::CASE,
    file_size::CASE,
    core_dumps::CASE,
    kernel_quotas::CASE,
    lifeline::CASE,
];

/// The list is the engine's own, and each wall is also left out by one of its proofs.
pub(crate) fn every_wall_has_its_case() {
    let walls: Vec<&str> = WALLS.iter().map(|wall| wall.id).collect();
    let cases: Vec<&str> = CASES.iter().map(|case| case.wall).collect();
    assert_eq!(cases, walls);
    for case in CASES {
        assert!(case.proofs.iter().any(|proof| proof.halves != Halves::Held), "{} is never left out", case.wall);
    }
}
