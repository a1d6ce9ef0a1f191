//! A program of this machine: found, and placed in a root that has nothing else.

use std::path::PathBuf;

use brig_engine::launch::{Program, Root};
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

fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}
