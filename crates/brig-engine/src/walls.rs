//! The walls of a box: what each is called, what it keeps, and how well it stands here.
//!
//! One file per wall; its name is the wall's id in `brig doctor`, in the docs and in the tests. A
//! wall that cannot be raised at all stops the start, unless it is one of the few that a kernel or a
//! machine may lack; those are reported as weaker or missing, never left out silently. Nothing in a
//! release binary can turn one off.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) mod capabilities;
pub(crate) mod core_dumps;
pub(crate) mod cpu;
pub(crate) mod descriptors;
pub(crate) mod devices;
pub(crate) mod environment;
pub(crate) mod file_size;
pub(crate) mod groups;
pub(crate) mod kernel_quotas;
pub(crate) mod keyring;
pub(crate) mod landlock;
pub(crate) mod lifeline;
pub(crate) mod memory;
pub(crate) mod mounts;
pub(crate) mod namespaces;
pub(crate) mod network;
pub(crate) mod no_new_privileges;
pub(crate) mod no_root;
pub(crate) mod open_files;
pub(crate) mod proc;
pub(crate) mod processes;
pub(crate) mod read_only_root;
pub(crate) mod system_calls;
pub(crate) mod terminal;
pub(crate) mod tmp;
pub(crate) mod unix_sockets;

/// Every wall, in the order in which people read them: who, what, where, how much.
pub const WALLS: &[&Wall] = &[
    &no_root::WALL,
    &groups::WALL,
    &capabilities::WALL,
    &no_new_privileges::WALL,
    &system_calls::WALL,
    &landlock::WALL,
    &namespaces::WALL,
    &network::WALL,
    &unix_sockets::WALL,
    &read_only_root::WALL,
    &mounts::WALL,
    &tmp::WALL,
    &proc::WALL,
    &devices::WALL,
    &environment::WALL,
    &descriptors::WALL,
    &terminal::WALL,
    &keyring::WALL,
    &memory::WALL,
    &processes::WALL,
    &cpu::WALL,
    &open_files::WALL,
    &file_size::WALL,
    &core_dumps::WALL,
    &kernel_quotas::WALL,
    &lifeline::WALL,
];

/// One wall.
#[derive(Debug, PartialEq, Eq)]
pub struct Wall {
    /// Its name, which is also its file's and its test's.
    pub id: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What could be reached without it.
    pub keeps: &'static str,
}

/// How well a wall stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As designed.
    Enforced,
    /// It stands, but less than designed.
    Weaker {
        /// In which way.
        how: String,
        /// What would improve it, when something can be done.
        better: Option<String>,
    },
    /// It does not stand.
    Missing {
        /// Why not.
        why: String,
        /// What would raise it, when something can be done.
        better: Option<String>,
    },
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enforced => f.write_str("enforced"),
            Self::Weaker { how, .. } => write!(f, "weaker: {how}"),
            Self::Missing { why, .. } => write!(f, "missing: {why}"),
        }
    }
}

/// How one wall of one box stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which wall.
    pub wall: &'static Wall,
    /// How it stands.
    pub state: State,
}

/// A wall that stands less well than designed, as the box reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exception {
    pub(crate) wall: String,
    pub(crate) state: State,
}

impl Exception {
    pub(crate) fn weaker(wall: &Wall, how: impl Into<String>, better: Option<&str>) -> Self {
        let state = State::Weaker { how: how.into(), better: better.map(str::to_owned) };
        Self { wall: wall.id.to_owned(), state }
    }

    pub(crate) fn missing(wall: &Wall, why: impl Into<String>, better: Option<&str>) -> Self {
        let state = State::Missing { why: why.into(), better: better.map(str::to_owned) };
        Self { wall: wall.id.to_owned(), state }
    }
}

/// All walls, with the reported exceptions in place. An exception that names no wall of ours is
/// ignored: the box cannot add walls, and those it does not name were raised before it could run.
pub(crate) fn standings(exceptions: &[Exception]) -> Vec<Standing> {
    let state = |wall: &Wall| {
        let of_this_wall = exceptions.iter().filter(|exception| exception.wall == wall.id);
        of_this_wall.map(|exception| exception.state.clone()).next().unwrap_or(State::Enforced)
    };
    WALLS.iter().map(|wall| Standing { wall, state: state(wall) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_wall_of_the_list_with_its_name() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/walls");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().replace('_', "-"))
            .collect();
        let mut listed: Vec<String> = WALLS.iter().map(|wall| wall.id.to_owned()).collect();
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
    }

    #[test]
    fn a_box_cannot_invent_walls() {
        let standings = standings(&[Exception { wall: "moat".to_owned(), state: State::Enforced }]);
        assert_eq!(standings.len(), WALLS.len());
    }
}
