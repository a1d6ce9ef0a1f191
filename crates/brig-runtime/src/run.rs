//! `brig run`: from what was asked for to the end of the session.
//!
//! Looks up what the plan needs, plans, starts, and cleans up. It prints nothing: what there is to
//! say is a [`Note`], a [`Report`](crate::session::Report) or an error.

mod aftermath;
mod error;
mod host;
mod image;
mod mounts;
mod packages;
mod volumes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use brig_engine::cgroup;
use brig_engine::launch::{Identity, Launch, Mount, What};
use brig_engine::native::{Helper, Pipes, Ready, Running};
use brig_engine::signals::Signals;
use brig_engine::walls::{Standing, State};
use brig_image::{Lease, Store, Volumes};
use brig_policy::flags;
use brig_policy::limits::Limits;
use brig_policy::request::{Program, Pull, Request, Stdio};
use tracing::debug;

use crate::environment::{self, Change, Variables};
use crate::grants::stage;
use crate::lockfile::Locked;
use crate::note::Note;
use crate::packages::{Ask, recognise};
use crate::paths::Paths;
use crate::plan::{self, Base, Grants, Terms};
use crate::programs::Caller;
use crate::runs::{self, Run, Traces};
use crate::session::{self, Client, Ending, Reporter, Traffic};
use aftermath::{Aftermath, Guarding};
use mounts::Ground;
use volumes::Measuring;

pub use error::RunError;

/// Who runs brig, and where its own files are.
#[derive(Debug, Clone)]
pub struct Context {
    /// The caller: PATH, home, working folder, environment.
    pub caller: Caller,
    /// brig's own folders.
    pub paths: Paths,
}

/// Who is told what is worth telling, from whichever thread knows it.
pub type Tell<'a> = &'a (dyn Fn(Note) + Sync);

/// A box that is ready to run its program.
#[derive(Debug)]
pub struct Prepared {
    ready: Ready,
    run: Run,
    stdio: Stdio,
    kept: Kept,
    room: PathBuf,
    quarantine: PathBuf,
}

/// What a run holds on to until it has ended: its image, its volumes, its writable grants.
#[derive(Debug, Default)]
struct Kept {
    lease: Option<Lease>,
    volumes: volumes::Held,
    aftermath: Aftermath,
}

/// A box whose program runs. Dropping it ends everything in it and takes back its record.
#[derive(Debug)]
pub struct Held {
    running: Running,
    guarding: Option<Guarding>,
    measuring: Option<Measuring>,
    room: PathBuf,
    _lease: Option<Lease>,
    _run: Run,
}

/// Makes the box. From a thread that lives as long as it: the kernel ends the box with it. What is
/// worth telling on the way goes to `tell`.
///
/// # Errors
/// Whatever was refused, was not found, or failed; nothing is left behind.
pub fn prepare(request: &Request, context: &Context, tell: Tell<'_>) -> Result<Prepared, RunError> {
    // Started first: it reads nothing of the request and is ready when the plan is.
    let helper = Helper::spawn()?;
    let swept = sweep(&context.paths);
    debug!(swept, "helper spawned, killed runs cleaned up after");
    let name = request.name.clone().unwrap_or_else(random_name);
    let room = context.paths.staged().join(&name);
    let mut held = Kept::default();
    let (ready, run) = make(helper, context, (&name, &request.limits), || {
        let gathered = gather(request, context, &room, tell)?;
        held = gathered.kept;
        let terms = Terms {
            name: name.clone(),
            identity: context.identity(),
            limits: request.limits.clone(),
            full_proc: request.full_proc,
        };
        Ok(plan::plan(gathered.base, gathered.grants, terms)?)
    })?;
    if request.strict
        && let Err(error) = check_strict(ready.walls())
    {
        drop(ready);
        drop(stage::clear(&room));
        return Err(error);
    }
    let quarantine = context.paths.quarantine().join(&name);
    Ok(Prepared { ready, run, stdio: request.stdio, kept: held, room, quarantine })
}

/// Records what is about to be made, plans it, and makes it.
fn make(
    helper: Helper,
    context: &Context,
    (name, limits): (&str, &Limits),
    assemble: impl FnOnce() -> Result<Launch, RunError>,
) -> Result<(Ready, Run), RunError> {
    let mut run = Run::begin(&context.paths.runs, name)?;
    let room = context.paths.staged().join(name);
    // A name given by hand may be in use elsewhere, by another user or with another home.
    let group_name = format!("{name}-{}", random_digits());
    run.leaves(&Traces { cgroups: cgroup::places(&group_name), folders: vec![room.clone()] })?;
    let group = cgroup::Group::create(&group_name, limits);
    debug!(group = group_name, "control groups made");
    let ready = assemble().and_then(|launch| {
        debug!(mounts = launch.mounts.len(), unix_sockets = launch.unix_sockets, "planned");
        Ok(helper.start(&launch, group)?)
    });
    debug!(ok = ready.is_ok(), "box made");
    if ready.is_err() {
        drop(stage::clear(&room));
    }
    Ok((ready?, run))
}

impl Prepared {
    /// How each wall stands.
    #[must_use]
    pub fn walls(&self) -> &[Standing] {
        self.ready.walls()
    }

    /// Starts the program. For those who talk to it themselves.
    ///
    /// # Errors
    /// When the box has ended meanwhile.
    pub fn go(self, reporter: Option<&Reporter>) -> Result<(Held, Pipes), RunError> {
        let (running, pipes) = self.ready.go()?;
        let Kept { lease, volumes, aftermath } = self.kept;
        let guarding = Some(aftermath.guard(self.quarantine, reporter.cloned()));
        let measuring = volumes.measure(running.killer().ok(), reporter.cloned());
        Ok((Held { running, guarding, measuring, room: self.room, _lease: lease, _run: self.run }, pipes))
    }

    /// Starts the program and serves it until it ends; then cleans up, which may leave something to
    /// tell.
    ///
    /// # Errors
    /// When the box ended before, or no thread can be had.
    pub fn serve(
        self,
        client: Client,
        signals: &Signals,
        reporter: &Reporter,
    ) -> Result<(Ending, Vec<Note>), RunError> {
        let traffic = match self.stdio {
            Stdio::Mcp => Traffic::Mcp,
            Stdio::Raw => Traffic::Raw,
        };
        let (mut held, pipes) = self.go(Some(reporter))?;
        let ending = session::run(&mut held.running, pipes, client, (traffic, signals, reporter));
        let notes = held.finish();
        Ok((ending.map_err(RunError::Session)?, notes))
    }
}

impl Held {
    /// Ends the box and cleans up after it. Returns what is worth telling.
    pub fn finish(mut self) -> Vec<Note> {
        self.clean_up()
    }

    fn clean_up(&mut self) -> Vec<Note> {
        self.running.kill();
        self.measuring = None;
        let notes = self.guarding.take().map(Guarding::finish).unwrap_or_default();
        // Volumes of this run alone; what a stage could not apply is kept and was said.
        drop(std::fs::remove_dir_all(self.room.join("volumes")));
        drop(std::fs::remove_dir(&self.room));
        notes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clean_up();
    }
}

impl Context {
    /// Who the box's user is outside.
    fn identity(&self) -> Identity {
        let number = |name: &str| self.caller.env.get(name).and_then(|value| value.parse().ok());
        let sudo = number("SUDO_UID").zip(number("SUDO_GID"));
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        plan::identity(uid, gid, sudo)
    }

    /// The home of whoever called sudo, which is as precious as root's.
    fn sudo_home(&self) -> Option<PathBuf> {
        let user = self.caller.env.get("SUDO_USER").filter(|user| !user.contains('/') && *user != "root")?;
        Some(PathBuf::from("/home").join(user)).filter(|home| home.is_dir())
    }
}

/// Everything that the plan is made of.
struct Gathered {
    base: Base,
    grants: Grants,
    kept: Kept,
}

/// Looks up what the plan needs: the program, the mounts, the environment.
fn gather(request: &Request, context: &Context, room: &Path, tell: Tell<'_>) -> Result<Gathered, RunError> {
    let mut gathered = match &request.program {
        Program::Host { argv } => gather_host(argv, request, (context, room), tell)?,
        Program::Image { reference, entrypoint, args } => {
            let asked = image::Asked { reference, entrypoint: entrypoint.as_deref(), args };
            gather_image(&asked, request, (context, room), tell)?
        }
    };
    let (env, changes) = variables(request, &gathered.base, context)?;
    changes.into_iter().map(Note::Environment).for_each(tell);
    gathered.base.program.env = env;
    Ok(gathered)
}

fn gather_host(
    argv: &[String],
    request: &Request,
    (context, room): (&Context, &Path),
    tell: Tell<'_>,
) -> Result<Gathered, RunError> {
    let survey = mounts::survey(context)?;
    let granting = mounts::grant(request, Ground { context, survey: &survey, tree: None, room })?;
    granting.notes.into_iter().for_each(tell);
    let mut base = match recognise(argv)? {
        Some(ask) => packages::base(&ask, request, context, tell)?,
        None => host::base(argv, request, context)?,
    };
    let shown: Vec<Mount> = base.mounts.iter().chain(&granting.mounts).cloned().collect();
    mounts::check_arguments(argv.get(1..).unwrap_or_default(), &shown, &survey)?;
    host::stay_where_granted(&mut base, request, context, &granting.mounts);
    let kept = Kept { lease: None, volumes: granting.volumes, aftermath: granting.aftermath };
    Ok(Gathered { base, grants: Grants { mounts: granting.mounts, doors: Vec::new() }, kept })
}

fn gather_image(
    asked: &image::Asked<'_>,
    request: &Request,
    (context, room): (&Context, &Path),
    tell: Tell<'_>,
) -> Result<Gathered, RunError> {
    let survey = mounts::survey(context)?;
    let unpacked = image::unpack(asked, request, context, tell)?;
    let ground = Ground { context, survey: &survey, tree: Some(&unpacked.tree), room };
    let mut granting = mounts::grant(request, ground)?;
    granting.notes.into_iter().for_each(tell);
    for declared in image::volumes(&unpacked) {
        let (target, filled) = declared?;
        if volumes::is_covered(&target, &granting.mounts) {
            continue;
        }
        let mount = if filled {
            mounts::private_folder(room)?;
            granting.volumes.anonymous(&target, &unpacked.tree, room)?
        } else {
            Mount { target, what: What::Tmpfs { size: request.limits.tmp, mode: 0o1777 } }
        };
        granting.mounts.push(mount);
    }
    let base = image::base(&unpacked, asked, request)?;
    let kept = Kept { lease: Some(unpacked.lease), volumes: granting.volumes, aftermath: granting.aftermath };
    Ok(Gathered { base, grants: Grants { mounts: granting.mounts, doors: Vec::new() }, kept })
}

/// The program's own variables, those of the files, then those of the flags.
fn variables(request: &Request, base: &Base, context: &Context) -> Result<(Variables, Vec<Change>), RunError> {
    let mut asked = Vec::new();
    for path in &request.env_files {
        let content = std::fs::read(context.caller.cwd.join(path))
            .map_err(|source| RunError::EnvFileRead { path: path.clone(), source })?;
        let lines = flags::env_file(&content).map_err(|source| RunError::EnvFile { path: path.clone(), source })?;
        asked.extend(lines);
    }
    asked.extend(request.env.iter().cloned());
    let start: BTreeMap<String, String> = base.program.env.iter().cloned().collect();
    Ok(environment::extend(start, &asked, &context.caller.env))
}

/// Brings an image into the store.
pub(crate) fn fetch_image(
    reference: &str,
    how: (Option<&str>, Pull),
    context: &Context,
    tell: Tell<'_>,
) -> Result<Lease, RunError> {
    image::fetch(reference, how, context, tell)
}

/// Resolves a package anew.
pub(crate) fn fetch_package(
    ask: &Ask,
    scripts: bool,
    (context, tell): (&Context, Tell<'_>),
) -> Result<Locked, RunError> {
    Ok(packages::ready(ask, scripts, (context, tell), true)?.locked)
}

/// The image store of this user.
pub(crate) fn image_store(context: &Context) -> Result<Store, RunError> {
    image::store(context)
}

/// The named volumes of this user.
pub(crate) fn user_volumes(context: &Context) -> Result<Volumes, RunError> {
    volumes::of_user(context)
}

/// Cleans up after runs that were killed.
pub fn sweep(paths: &Paths) -> usize {
    runs::sweep(&paths.runs, &|traces| {
        let ended = traces.cgroups.iter().filter(|folder| !cgroup::remove(folder)).count() == 0;
        let folders = traces.folders.iter().filter(|folder| folder.starts_with(paths.staged()));
        ended && folders.filter(|folder| stage::clear(folder).is_err()).count() == 0
    })
}

fn check_strict(walls: &[Standing]) -> Result<(), RunError> {
    let short: Vec<Standing> = walls.iter().filter(|one| one.state != State::Enforced).cloned().collect();
    if short.is_empty() { Ok(()) } else { Err(RunError::Strict(short)) }
}

/// `brig-` and eight hexadecimal digits.
fn random_name() -> String {
    format!("brig-{}", random_digits())
}

fn random_digits() -> String {
    let mut bytes = [0; 4];
    // The kernel's pool is ready long before anybody logs in; a name is no secret all the same.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    format!("{:08x}", u32::from_ne_bytes(bytes))
}
