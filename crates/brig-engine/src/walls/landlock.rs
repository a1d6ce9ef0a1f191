//! Landlock: the mounts' rules once more, by another part of the kernel.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, PathFdError, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::{Exception, Wall};

pub(crate) const WALL: Wall = Wall {
    id: "landlock",
    title: "Landlock",
    keeps: "files and devices, should a mount be wrong; processes outside, should a namespace be",
};

/// The newest interface whose every right was thought through here (Linux 6.15).
const KNOWN: ABI = ABI::V7;

/// Restricts this process and all that it starts: everything may be read and run, only `writable`
/// may be written, no device answers ioctl, no signal and no abstract socket leaves.
///
/// Returns how it stands when the kernel has less than all of it.
pub(crate) fn raise(writable: &[PathBuf]) -> Result<Option<Exception>, Refused> {
    let all = AccessFs::from_all(KNOWN);
    let written = all & !(AccessFs::IoctlDev | AccessFs::MakeBlock | AccessFs::MakeChar);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new("/")?, AccessFs::from_read(KNOWN)))?;
    for device in super::devices::NAMES {
        let device = PathFd::new(format!("/dev/{device}"))?;
        ruleset = ruleset.add_rule(PathBeneath::new(device, AccessFs::ReadFile | AccessFs::WriteFile))?;
    }
    for path in writable {
        let rights = if path.is_dir() { written } else { written & AccessFs::from_file(KNOWN) };
        ruleset = ruleset.add_rule(PathBeneath::new(PathFd::new(path)?, rights))?;
    }
    let better = Some("a kernel of Linux 6.15 or later with landlock in its lsm= list");
    Ok(match ruleset.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => None,
        RulesetStatus::PartiallyEnforced => {
            Some(Exception::weaker(&WALL, "this kernel's Landlock is older than ABI 7", better))
        }
        RulesetStatus::NotEnforced => Some(Exception::missing(&WALL, "this kernel has no Landlock", better)),
    })
}

/// Landlock is there, but did not take the rules.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("landlock refused the rules")]
    Rules(#[from] RulesetError),
    #[error("landlock could not open a path")]
    Path(#[from] PathFdError),
}
