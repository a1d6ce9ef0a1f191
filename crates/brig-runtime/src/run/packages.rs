//! Package runners: the package is resolved in a box of its own, and what was kept is run in another.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use brig_egress::door;
use brig_engine::launch::{Door, Program, Root, Transport};
use brig_engine::native::{BoxEvent, Helper, Pipes, Running};
use brig_policy::limits::{GIB, Limits};
use brig_policy::request::Request;

use super::{Context, RunError, Tell, make, random_name};
use crate::note::Note;
use crate::packages::{self, Ask, Ended, Job, Order, PackageError, Places, Ready};
use crate::plan::{self, Base, Grants, Terms};
use crate::programs::machine;

/// What a package manager may use: it unpacks thousands of files, and builds, when it may, with
/// compilers. Nothing of it lasts but what it installed.
const MEMORY: u64 = 4 * GIB;
/// Bytes kept of what a package manager says: its last page tells why it failed.
const SAID: usize = 16 * 1024;

/// What a package's box is built on: its interpreter, and the kept files.
pub(super) fn base(ask: &Ask, request: &Request, context: &Context, tell: Tell<'_>) -> Result<Base, RunError> {
    let ready = ready(ask, request.allow_install_scripts, (context, tell), false)?;
    let placed = ready.runtime.place(&context.caller.home)?;
    let machine = machine::machine(request.name.as_deref().unwrap_or("brig"))?;
    let mut env = machine::environment(&ready.runtime);
    let path = env.entry("PATH".to_owned()).or_default();
    *path = format!("{}:{path}", ready.path.display());
    let program = Program {
        file: ready.file,
        argv: ready.argv,
        env: env.into_iter().collect(),
        workdir: request.workdir.clone().unwrap_or_else(|| machine::HOME.to_owned()).into(),
    };
    let mut mounts: Vec<_> = machine.mounts.into_iter().chain(placed.mounts).collect();
    mounts.push(ready.mount);
    let skeleton = machine.skeleton.into_iter().chain(placed.skeleton).collect();
    Ok(Base { root: Root::Empty, skeleton, mounts, program })
}

/// Makes the package ready, in a box when it has to be fetched; `anew` fetches it whatever is kept.
pub(super) fn ready(
    ask: &Ask,
    scripts: bool,
    (context, tell): (&Context, Tell<'_>),
    anew: bool,
) -> Result<Ready, PackageError> {
    let places = Places { store: context.paths.packages(), state: context.paths.state.clone() };
    let order = Order { ask, caller: &context.caller, places: &places, scripts };
    let package = ask.specs.first().map_or("", |spec| &spec.text);
    let mut told = false;
    let start = |job: &Job| {
        if !std::mem::replace(&mut told, true) {
            tell(Note::Fetching { package: package.to_owned() });
        }
        run_job(job, context)
    };
    if anew { packages::pull(&order, start) } else { packages::ready(&order, start) }
}

/// Runs a package manager in a box whose only way out is its door.
fn run_job(job: &Job, context: &Context) -> Result<Ended, RunError> {
    let helper = Helper::spawn()?;
    let name = random_name();
    let limits = Limits { memory: MEMORY, ..Limits::default() };
    let base = Base {
        root: Root::Empty,
        skeleton: job.skeleton.clone(),
        mounts: job.mounts.clone(),
        program: job.program.clone(),
    };
    let doors = vec![Door { address: job.door, transport: Transport::Tcp }];
    let (ready, run) = make(helper, context, (&name, &limits), || {
        let terms =
            Terms { name: name.clone(), identity: context.identity(), limits: limits.clone(), full_proc: false };
        Ok(plan::plan(base, Grants { mounts: Vec::new(), doors }, terms)?)
    })?;
    let (mut running, pipes) = ready.go()?;
    let listener: Option<OwnedFd> = running.take_doors().pop();
    let door = listener.map(|listener| door::open(TcpListener::from(listener), job.rules.clone())).transpose();
    let door = door.map_err(RunError::Session)?;
    let Pipes { stdin, stdout, stderr } = pipes;
    drop(stdin);
    let heard = [listen(stdout).map_err(RunError::Session)?, listen(stderr).map_err(RunError::Session)?];
    let status = wait(&mut running);
    running.kill();
    let output = heard.into_iter().map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    drop(run);
    Ok(Ended { status, output, record: door.map(door::Door::close).unwrap_or_default() })
}

fn wait(running: &mut Running) -> i32 {
    loop {
        match running.event() {
            BoxEvent::Started => {}
            BoxEvent::Exited(code) => return code,
            BoxEvent::Killed(signal) => return 128 + signal,
            BoxEvent::NotStarted { .. } => return 127,
            BoxEvent::Gone => return 125,
        }
    }
}

/// Keeps the last of what is said.
fn listen(from: OwnedFd) -> io::Result<JoinHandle<String>> {
    let work = move || {
        let (mut from, mut said, mut piece) = (File::from(from), VecDeque::new(), [0; 4096]);
        while let Ok(count @ 1..) = from.read(&mut piece) {
            said.extend(&piece[..count]);
            said.drain(..said.len().saturating_sub(SAID));
        }
        String::from_utf8_lossy(&Vec::from(said)).into_owned()
    };
    std::thread::Builder::new().name("install".to_owned()).spawn(work)
}
