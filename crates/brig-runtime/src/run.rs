//! `brig run`: from what was asked for to the end of the session.
//!
//! Looks up what the plan needs, plans, starts, and cleans up. It prints nothing: what there is to
//! say is a [`Note`], a [`Report`](crate::session::Report) or an error.

mod error;
mod host;
mod note;

use std::collections::BTreeMap;

use brig_engine::cgroup;
use brig_engine::native::{Helper, Pipes, Ready, Running};
use brig_engine::signals::Signals;
use brig_engine::walls::{Standing, State};
use brig_policy::request::{EnvRequest, Program, Request, Stdio};

use crate::environment;
use crate::paths::Paths;
use crate::plan::{self, Base, Grants, Terms};
use crate::programs::Caller;
use crate::runs::{self, Run, Traces};
use crate::session::{self, Client, Ending, Reporter, Traffic};

pub use error::RunError;
pub use note::Note;

/// Who runs brig, and where its own files are.
#[derive(Debug, Clone)]
pub struct Context {
    /// The caller: PATH, home, working folder, environment.
    pub caller: Caller,
    /// brig's own folders.
    pub paths: Paths,
}

/// A box that is ready to run its program.
#[derive(Debug)]
pub struct Prepared {
    ready: Ready,
    run: Run,
    stdio: Stdio,
    notes: Vec<Note>,
}

/// A box whose program runs. Dropping it ends everything in it and takes back its record.
#[derive(Debug)]
pub struct Held {
    running: Running,
    _run: Run,
}

/// Makes the box. From a thread that lives as long as it: the kernel ends the box with it.
///
/// # Errors
/// Whatever was refused, was not found, or failed; nothing is left behind.
pub fn prepare(request: &Request, context: &Context) -> Result<Prepared, RunError> {
    // Started first: it reads nothing of the request and is ready when the plan is.
    let helper = Helper::spawn()?;
    sweep(&context.paths);
    let (base, grants, notes) = look_up(request, context)?;
    let name = request.name.clone().unwrap_or_else(random_name);
    let mut run = Run::begin(&context.paths.runs, &name)?;
    let terms = Terms {
        name: name.clone(),
        identity: identity(&context.caller.env),
        limits: request.limits.clone(),
        full_proc: request.full_proc,
    };
    let launch = plan::plan(base, grants, terms)?;
    let group = cgroup::Group::create(&launch.name, &launch.limits);
    run.leaves(&Traces { cgroups: group.folders().to_vec(), folders: Vec::new() })?;
    let ready = helper.start(&launch, group)?;
    if request.strict {
        check_strict(ready.walls())?;
    }
    Ok(Prepared { ready, run, stdio: request.stdio, notes })
}

impl Prepared {
    /// How each wall stands.
    #[must_use]
    pub fn walls(&self) -> &[Standing] {
        self.ready.walls()
    }

    /// What is worth telling before the program starts.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Starts the program. For those who talk to it themselves.
    ///
    /// # Errors
    /// When the box has ended meanwhile.
    pub fn go(self) -> Result<(Held, Pipes), RunError> {
        let (running, pipes) = self.ready.go()?;
        Ok((Held { running, _run: self.run }, pipes))
    }

    /// Starts the program and serves it until it ends.
    ///
    /// # Errors
    /// When the box ended before, or no thread can be had.
    pub fn serve(self, client: Client, signals: &Signals, reporter: &Reporter) -> Result<Ending, RunError> {
        let traffic = match self.stdio {
            Stdio::Mcp => Traffic::Mcp,
            Stdio::Raw => Traffic::Raw,
        };
        let (mut held, pipes) = self.go()?;
        session::run(&mut held.running, pipes, client, (traffic, signals, reporter)).map_err(RunError::Session)
    }
}

/// Cleans up after runs that were killed.
pub fn sweep(paths: &Paths) -> usize {
    runs::sweep(&paths.runs, &|traces| {
        traces.cgroups.iter().for_each(|folder| cgroup::remove(folder));
        for folder in traces.folders.iter().filter(|folder| folder.starts_with(&paths.state)) {
            drop(std::fs::remove_dir_all(folder));
        }
    })
}

fn look_up(request: &Request, context: &Context) -> Result<(Base, Grants, Vec<Note>), RunError> {
    let mut notes = Vec::new();
    let base = match &request.program {
        Program::Host { argv } => host::base(argv, request, context)?,
        Program::Image { .. } => return Err(RunError::NoImages),
    };
    let grants = Grants::default();
    let asked: Vec<EnvRequest> = request.env.clone();
    let start: BTreeMap<String, String> = base.program.env.iter().cloned().collect();
    let (env, changes) = environment::extend(start, &asked, &context.caller.env);
    notes.extend(changes.into_iter().map(Note::Environment));
    let mut base = base;
    base.program.env = env;
    Ok((base, grants, notes))
}

fn identity(env: &BTreeMap<String, String>) -> brig_engine::launch::Identity {
    let number = |name: &str| env.get(name).and_then(|value| value.parse().ok());
    let sudo = number("SUDO_UID").zip(number("SUDO_GID"));
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    plan::identity(uid, gid, sudo)
}

fn check_strict(walls: &[Standing]) -> Result<(), RunError> {
    let short: Vec<Standing> = walls.iter().filter(|one| one.state != State::Enforced).cloned().collect();
    if short.is_empty() { Ok(()) } else { Err(RunError::Strict(short)) }
}

/// `brig-` and eight hexadecimal digits.
fn random_name() -> String {
    let mut bytes = [0; 4];
    // The kernel's pool is ready long before anybody logs in; a name is no secret all the same.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    format!("brig-{:08x}", u32::from_ne_bytes(bytes))
}
