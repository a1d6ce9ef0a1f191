//! The mounts that a run asks for: judged, and turned into the engine's orders.

use std::path::{Path, PathBuf};

use brig_engine::launch::{Mount, What};
use brig_image::Tree;
use brig_policy::limits::TMP;
use brig_policy::mount::{Access, Source};
use brig_policy::request::Request;

use super::aftermath::Aftermath;
use super::{Context, RunError, volumes};
use crate::grants::arguments::{here, ungranted_paths};
use crate::grants::stage::Stage;
use crate::grants::{Caller, Granted, Survey, judge};
use crate::note::Note;

/// Permission bits of a memory folder that asks for none: anybody's, as `docker run --tmpfs`.
const MEMORY_MODE: u32 = 0o1777;

/// What the run was granted, what is to be told, and what is to be done when it has ended.
#[derive(Debug, Default)]
pub(super) struct Granting {
    pub(super) mounts: Vec<Mount>,
    pub(super) notes: Vec<Note>,
    pub(super) aftermath: Aftermath,
    pub(super) volumes: volumes::Held,
}

/// Where a grant is judged: by whom, in which image, and with which private folder of this run for
/// what is written.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) context: &'a Context,
    pub(super) survey: &'a Survey,
    pub(super) tree: Option<&'a Tree>,
    pub(super) room: &'a Path,
}

/// Judges every mount.
pub(super) fn grant(request: &Request, ground: Ground<'_>) -> Result<Granting, RunError> {
    let mut granting = Granting::default();
    let here = request.here.map(|access| here(access, ground.survey)).transpose()?;
    for asked in request.mounts.iter().chain(&here) {
        let target = volumes::place(&asked.target, ground.tree)?;
        let mount = match &asked.source {
            Source::Tmpfs { size, mode } => {
                let what = What::Tmpfs { size: size.unwrap_or(TMP), mode: mode.unwrap_or(MEMORY_MODE) };
                Mount { target, what }
            }
            Source::Volume(name) => {
                granting.volumes.named(name, (&target, asked.access), ground.tree, ground.context)?
            }
            Source::Host(spelt) => Mount { target, what: granting.host(spelt, asked.access, ground)? },
        };
        granting.mounts.push(mount);
    }
    Ok(granting)
}

impl Granting {
    fn host(&mut self, spelt: &str, access: Access, ground: Ground<'_>) -> Result<What, RunError> {
        let granted = judge(spelt, access, ground.survey)?;
        self.notes.extend(notes(&granted));
        Ok(match access {
            Access::ReadOnly => What::Bind(granted.bind().clone()),
            Access::ReadWrite => {
                let what = What::Bind(granted.bind().clone());
                self.aftermath.live(granted);
                what
            }
            Access::Staged => {
                private_folder(ground.room)?;
                let owner = rustix::process::geteuid().is_root().then(|| ground.context.identity());
                let stage = Stage::make(&granted, ground.room, owner)?;
                let what = stage.what(&granted);
                self.aftermath.staged(stage, granted);
                what
            }
        })
    }
}

/// A folder of this run that nobody else looks into.
pub(super) fn private_folder(path: &Path) -> Result<(), RunError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| RunError::Room { path: path.to_owned(), source })
}

/// Looks at what must never be granted on this machine.
pub(super) fn survey(context: &Context) -> Result<Survey, RunError> {
    let caller = Caller {
        cwd: context.caller.cwd.clone(),
        homes: [Some(context.caller.home.clone()), context.sudo_home()].into_iter().flatten().collect(),
        own: context.paths.all(),
    };
    Ok(Survey::take(&caller)?)
}

/// An argument of a host program that names a file which the box will not see is an error: the
/// server would only say that it does not exist.
pub(super) fn check_arguments(argv: &[String], mounts: &[Mount], survey: &Survey) -> Result<(), RunError> {
    let shown: Vec<PathBuf> = mounts.iter().map(|mount| mount.target.clone()).collect();
    let ungranted = ungranted_paths(argv, &shown, survey);
    if ungranted.is_empty() { Ok(()) } else { Err(RunError::Ungranted(ungranted)) }
}

fn notes(granted: &Granted) -> impl Iterator<Item = Note> + use<> {
    let source = granted.bind().source.clone();
    let report = granted.report();
    let masked: Vec<PathBuf> = report
        .treated
        .iter()
        .filter(|part| part.treat == brig_engine::launch::Treat::Mask)
        .map(|part| part.path.clone())
        .collect();
    let hidden = (!masked.is_empty()).then(|| Note::Masked { source: source.clone(), paths: masked });
    let weaker = report.weaker().map(|how| Note::Weaker { source: source.clone(), how });
    hidden.into_iter().chain(weaker)
}
