//! The plan of one box: facts in, a [`Launch`] out. The only maker of a `Launch`.
//!
//! Pure: everything that had to be looked up on this machine was looked up before and is passed in.
//! Nothing is granted here that was not asked for and judged.

use std::path::{Component, Path, PathBuf};

use brig_engine::launch::{Bind, Door, Entry, Identity, Launch, Mount, Program, Root, What};
use brig_policy::limits::Limits;

/// The user that a box started by root maps to when nobody called sudo. No account has it.
const RESERVED_ID: u32 = 65532;

/// Places in a box that the engine makes itself, and that nothing may cover.
const TAKEN: &[&str] = &["/proc", "/dev", "/sys"];

/// What the box is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What lies under `/`.
    pub root: Root,
    /// Files, folders and links on top of it.
    pub skeleton: Vec<Entry>,
    /// Mounts that belong to the program and not to the run: `/usr`, an interpreter, HOME.
    pub mounts: Vec<Mount>,
    /// What to run, with its whole environment.
    pub program: Program,
}

/// What the run was granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// Mounts: judged files and folders of the host, volumes, memory.
    pub mounts: Vec<Mount>,
    /// Doors of the box, in order.
    pub doors: Vec<Door>,
}

/// What else the run decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The box's name.
    pub name: String,
    /// Who its user is outside.
    pub identity: Identity,
    /// What it may use.
    pub limits: Limits,
    /// Whether `/proc` shows the machine.
    pub full_proc: bool,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Something would cover what the engine makes.
    #[error("{target} cannot be mounted on: every box has its own {taken}")]
    Taken {
        /// Where.
        target: PathBuf,
        /// What is there.
        taken: &'static str,
    },
    /// The place is the root, or no clean absolute path.
    #[error("{0} is no place for a mount")]
    Place(PathBuf),
    /// Two grants want the same place.
    #[error("two mounts want to be at {0}")]
    Twice(PathBuf),
}

impl PlanError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Taken { .. } => "choose another target, such as /data".to_owned(),
            Self::Place(_) => "give an absolute path below /, without .. in it".to_owned(),
            Self::Twice(path) => format!("leave one of the mounts at {} out", path.display()),
        })
    }
}

/// Who the box's user is outside: the caller; for root whoever called sudo, else nobody.
#[must_use]
pub fn identity(uid: u32, gid: u32, sudo: Option<(u32, u32)>) -> Identity {
    match (uid, sudo) {
        (0, Some((uid @ 1.., gid @ 1..))) => Identity { uid, gid },
        (0, _) => Identity { uid: RESERVED_ID, gid: RESERVED_ID },
        (uid, _) => Identity { uid, gid: if gid == 0 { RESERVED_ID } else { gid } },
    }
}

/// Puts everything together.
///
/// # Errors
/// When a mount has no place.
pub fn plan(base: Base, grants: Grants, terms: Terms) -> Result<Launch, PlanError> {
    check_places(&grants.mounts)?;
    let host_folder = |mount: &Mount| !matches!(mount.what, What::Tmpfs { .. });
    let unix_sockets = !grants.mounts.iter().any(host_folder);
    let mut mounts = base.mounts;
    // A grant at the very place of a mount of the base replaces it.
    mounts.retain(|mount| !grants.mounts.iter().any(|grant| grant.target == mount.target));
    mounts.extend(grants.mounts);
    // Parents before children; the sort is stable, so equals stay in the order asked for.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(Launch {
        name: terms.name,
        root: base.root,
        skeleton: base.skeleton,
        mounts,
        program: base.program,
        limits: terms.limits,
        identity: terms.identity,
        full_proc: terms.full_proc,
        unix_sockets,
        doors: grants.doors,
    })
}

fn check_places(mounts: &[Mount]) -> Result<(), PlanError> {
    for (index, mount) in mounts.iter().enumerate() {
        let target = &mount.target;
        let clean = target.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !target.is_absolute() || !clean || target == Path::new("/") {
            return Err(PlanError::Place(target.clone()));
        }
        if let Some(taken) = TAKEN.iter().find(|taken| target.starts_with(taken)) {
            return Err(PlanError::Taken { target: target.clone(), taken });
        }
        if mounts[..index].iter().any(|other| other.target == *target) {
            return Err(PlanError::Twice(target.clone()));
        }
    }
    Ok(())
}

/// The bind of a folder of brig's own, such as a volume: judged by being brig's.
#[must_use]
pub fn own_bind(source: PathBuf, expect: brig_engine::launch::FileId, writable: bool) -> Bind {
    Bind { source, expect, writable, inside: Vec::new(), owned: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(target: &str) -> Mount {
        Mount { target: target.into(), what: What::Tmpfs { size: 1, mode: 0o755 } }
    }

    fn folder(target: &str) -> Mount {
        let expect = brig_engine::launch::FileId { dev: 1, ino: 1 };
        Mount { target: target.into(), what: What::Bind(own_bind("/src".into(), expect, false)) }
    }

    fn planned(mounts: Vec<Mount>) -> Result<Launch, PlanError> {
        let program = Program { file: "x".into(), argv: vec![], env: vec![], workdir: "/".into() };
        let base = Base { root: Root::Empty, skeleton: vec![], mounts: vec![memory("/home/box")], program };
        let terms = Terms {
            name: "t".into(),
            identity: identity(1000, 1000, None),
            limits: Limits::default(),
            full_proc: false,
        };
        plan(base, Grants { mounts, doors: vec![] }, terms)
    }

    #[test]
    fn nobody_is_root_in_a_box() {
        for (uid, gid, sudo) in
            [(0, 0, None), (0, 0, Some((0, 0))), (0, 0, Some((1000, 1000))), (1000, 0, None), (1000, 1000, None)]
        {
            let who = identity(uid, gid, sudo);
            assert!(who.uid != 0 && who.gid != 0, "{uid} {gid} {sudo:?}");
        }
        assert_eq!(identity(0, 0, Some((1000, 100))), Identity { uid: 1000, gid: 100 });
    }

    #[test]
    fn parents_come_before_children_and_a_grant_replaces_the_base() {
        let launch = planned(vec![memory("/a/b/c"), memory("/a"), memory("/home/box")]).unwrap();
        let targets: Vec<&str> = launch.mounts.iter().map(|mount| mount.target.to_str().unwrap()).collect();
        assert_eq!(targets, ["/a", "/home/box", "/a/b/c"]);
    }

    #[test]
    fn a_host_folder_takes_unix_sockets_away() {
        assert!(planned(vec![memory("/m")]).unwrap().unix_sockets);
        assert!(!planned(vec![folder("/m")]).unwrap().unix_sockets);
    }

    #[test]
    fn places_of_the_engine_are_not_covered() {
        assert!(matches!(planned(vec![memory("/proc/x")]), Err(PlanError::Taken { .. })));
        assert!(matches!(planned(vec![memory("/dev")]), Err(PlanError::Taken { .. })));
        assert!(matches!(planned(vec![memory("/")]), Err(PlanError::Place(_))));
        assert!(matches!(planned(vec![memory("/a/../b")]), Err(PlanError::Place(_))));
        assert!(matches!(planned(vec![memory("/m"), memory("/m")]), Err(PlanError::Twice(_))));
        assert!(planned(vec![memory("/process")]).is_ok());
    }
}
