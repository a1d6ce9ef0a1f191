//! A program of this machine: found, and placed in a root that has nothing else.

use std::path::{Path, PathBuf};

use brig_engine::launch::{Mount, Program, Root};
use brig_policy::request::Request;

use super::{Context, RunError};
use crate::plan::Base;
use crate::programs::{self, machine};

/// What a host program's box is built on.
pub(super) fn base(argv: &[String], request: &Request, context: &Context) -> Result<Base, RunError> {
    let name = argv.first().map_or("", String::as_str);
    let found = programs::resolve(name, &context.caller)?;
    let placed = found.place(&context.caller.home)?;
    let host_name = request.name.as_deref().unwrap_or("brig");
    let machine = machine::machine(host_name)?;
    let program = Program {
        file: text(&found.file),
        argv: argv.to_vec(),
        env: machine::environment(&found).into_iter().collect(),
        workdir: request.workdir.clone().map_or_else(|| PathBuf::from(machine::HOME), PathBuf::from),
    };
    Ok(Base {
        root: Root::Empty,
        skeleton: machine.skeleton.into_iter().chain(placed.skeleton).collect(),
        mounts: machine.mounts.into_iter().chain(placed.mounts).collect(),
        program,
    })
}

/// A program starts in the caller's working folder when that is granted at its own path, so that
/// relative arguments mean what they say.
pub(super) fn stay_where_granted(base: &mut Base, request: &Request, context: &Context, grants: &[Mount]) {
    let cwd = &context.caller.cwd;
    if request.workdir.is_none() && grants.iter().any(|grant| cwd.starts_with(&grant.target)) {
        base.program.workdir.clone_from(cwd);
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
