//! `npx PACKAGE`, `uvx COMMAND`: resolved once, kept, and run from what was kept.
//!
//! The first start resolves the package in a box of its own: no grants, no credentials, no way out but the
//! registries that the host is configured for, and no scripts of the packages themselves. What was installed is
//! hashed into `brig.lock`. Every later start runs the very same files, read-only and offline, by starting Node
//! or Python on them directly; only `brig pull` moves an entry.
//!
//! Never here: a package manager run outside a box, or a version that moves by itself.

mod ask;
mod entry;
mod recipe;
mod registry;
mod spec;
mod store;
mod tree;

use std::net::SocketAddr;
use std::path::PathBuf;

use brig_egress::decide::Rules;
use brig_egress::door::{Event, Record};
use brig_engine::launch::{Entry, Mount, Program};

pub use ask::{Ask, AskError, recognise};
pub use entry::EntryError;
pub use registry::RegistryError;
pub use spec::{Spec, SpecError};
pub use store::StoreError;
pub use tree::TreeError;

use crate::lockfile::{self, Ecosystem, Key, LockFile, LockFileError, Locked};
use crate::programs::{Caller, Found, PlaceError, ProgramError};
use recipe::Tools;
use registry::Registry;
use store::{Claim, Store};

/// Where the package box's way out listens: the customary port of HTTP proxies, on its own loopback.
pub const DOOR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3128);

/// What is to be run, and by whose configuration.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The package and its arguments.
    pub ask: &'a Ask,
    /// Whose programs and configuration are used.
    pub caller: &'a Caller,
    /// Brig's folders.
    pub places: &'a Places,
    /// Whether packages may run scripts while they are installed (`--allow-install-scripts`).
    pub scripts: bool,
}

/// Brig's own folders, as far as packages go. Neither is ever shown to a box as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The cache: may be deleted at any time, and is filled again with the same content.
    pub store: PathBuf,
    /// What is the user's and is kept: `brig.lock` and what belongs to it.
    pub state: PathBuf,
}

/// One run of a package manager in a box of its own, for the planner to make a launch of. `/proc`, `/dev` and
/// `/tmp` are as in every box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Links and generated files.
    pub skeleton: Vec<Entry>,
    /// Mounts, parents before children.
    pub mounts: Vec<Mount>,
    /// The package manager.
    pub program: Program,
    /// A TCP listener to be made in the box; none when nothing may be reached.
    pub door: SocketAddr,
    /// What may be reached through it, with [`brig_egress::door::open`].
    pub rules: Rules,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// The exit status; 128 and the number for a signal.
    pub status: i32,
    /// The last lines of its output and errors.
    pub output: String,
    /// What happened at its door.
    pub record: Record,
}

/// A package that is installed and whole, and how to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The interpreter, to be placed as any host program.
    pub runtime: Found,
    /// The installed files, read-only.
    pub mount: Mount,
    /// The executable in the box.
    pub file: String,
    /// Arguments, the zeroth included.
    pub argv: Vec<String>,
    /// A folder of the package's own programs, to stand first in `PATH`.
    pub path: PathBuf,
    /// What is locked.
    pub locked: Locked,
    /// Whether it was installed by this call.
    pub fresh: bool,
}

/// Why a package cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Node, Python or the package manager is not to be had.
    #[error("{0}")]
    Program(#[from] ProgramError),
    /// No Python of the version that was asked for.
    #[error("no Python {0} was found")]
    Python(String),
    /// One of them cannot be shown to the box.
    #[error("{0}")]
    Place(#[from] PlaceError),
    /// The host's configuration of registries cannot be followed.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The lock file cannot be used.
    #[error("brig.lock: {0}")]
    LockFile(#[from] LockFileError),
    /// The store cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The installed files cannot be hashed.
    #[error("{0}")]
    Tree(#[from] TreeError),
    /// The package has no such program.
    #[error("{0}")]
    Entry(#[from] EntryError),
    /// The package box did not start.
    #[error("the box in which {package} is resolved did not start: {source}")]
    Start {
        /// Which package.
        package: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The package manager failed.
    #[error("{tool} could not install {package} (status {}):\n{}", .ended.status, .ended.output.trim_end())]
    Failed {
        /// Which package manager.
        tool: &'static str,
        /// Which package.
        package: String,
        /// What it said, and what happened at its door.
        ended: Box<Ended>,
        /// Whether the host has credentials for a registry, which the box did not get.
        credentials: bool,
        /// Whether the host reaches its registries through a proxy, which was not used.
        proxy: bool,
    },
    /// The store lost the package, and what the registry serves now is something else.
    #[error("{package} is not what it was when it was locked: {was} then, {now} now")]
    Changed {
        /// Which package.
        package: String,
        /// The locked hash.
        was: String,
        /// What was installed.
        now: String,
    },
}

impl PackageError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Program(error) => error.hint(),
            Self::Python(version) => Some(format!("install Python {version}, or leave the version out")),
            Self::Place(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::LockFile(error) => error.hint(),
            Self::Entry(error) => error.hint(),
            Self::Failed { ended, credentials, proxy, .. } => failed_hint(ended, *credentials, *proxy),
            Self::Changed { .. } => Some("accept what is served now with: brig pull -- (the same command)".into()),
            Self::Store(_) | Self::Tree(_) | Self::Start { .. } => None,
        }
    }
}

/// What most likely kept a package manager from its work.
fn failed_hint(ended: &Ended, credentials: bool, proxy: bool) -> Option<String> {
    let refused = ended.record.events.iter().find_map(|(event, _)| match event {
        Event::Refused(refused) => {
            Some(format!("it asked for more than the registries: {refused}{}", tail(refused.hint())))
        }
        _ => None,
    });
    let unreachable = ended.record.events.iter().any(|(event, _)| matches!(event, Event::Unreachable(..)));
    let says = |words: &[&str]| words.iter().any(|word| ended.output.contains(word));
    if says(&["E401", "E403", "ENEEDAUTH", "401 Client Error", "403 Client Error", "401 Unauthorized"]) && credentials {
        return Some("the registry wants credentials, which no package box gets: use a mirror that needs none, or install the package yourself and run its program".into());
    }
    if says(&["No matching distribution", "no wheels", "no usable wheels", "no pre-built wheel", "only-binary"]) {
        return Some(
            "there may be no wheel of it for this Python; --allow-install-scripts lets it be built in the box".into(),
        );
    }
    if unreachable && proxy {
        return Some("this host is configured for an HTTP proxy, through which packages are not fetched yet".into());
    }
    refused.or_else(|| unreachable.then(|| "the registry was not reached; is this machine online?".into()))
}

fn tail(hint: Option<String>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

/// A check that a located package is still what was locked. It reads the facts of every installed file
/// (about 10 ms for 5000 files), so it may run on a thread beside the box's own start, as long as nothing of the
/// server is passed on before it said yes.
#[derive(Debug)]
pub struct Check {
    store: Store,
    locked: Locked,
}

impl Check {
    /// Whether the tree is whole. One that is not is removed: stop the box, and call [`ready`].
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn run(&self) -> Result<bool, PackageError> {
        self.store.holds(&self.locked)
    }
}

/// Finds a package that was resolved before, without checking it yet.
///
/// # Errors
/// See [`PackageError`].
pub fn locate(order: &Order<'_>) -> Result<Option<(Ready, Check)>, PackageError> {
    let tools = recipe::tools(order)?;
    let store = Store::open(order.places)?;
    let file = LockFile::load(&order.places.state)?;
    let Some(locked) = file.find(&tools.key).filter(|locked| store.tree(&locked.tree).is_dir()) else {
        return Ok(None);
    };
    // What was tampered with may not even have a program: that is for `ready` to mend.
    let Ok(ready) = run(order, &tools, &store, locked.clone(), false) else {
        return Ok(None);
    };
    Ok(Some((ready, Check { store, locked: locked.clone() })))
}

/// Makes a package ready: from the store when it is there and whole, else by resolving it with `start`, which
/// starts a job in a box, serves its door, waits, and tells how it ended.
///
/// # Errors
/// See [`PackageError`].
pub fn ready<E>(order: &Order<'_>, start: impl FnMut(&Job) -> Result<Ended, E>) -> Result<Ready, PackageError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match locate(order)? {
        Some((ready, check)) if check.run()? => return Ok(ready),
        _ => {}
    }
    let tools = recipe::tools(order)?;
    let store = Store::open(order.places)?;
    Install { order, tools: &tools, store: &store, start }.run(false)
}

/// Resolves a package anew, whatever is locked (`brig pull`).
///
/// # Errors
/// See [`PackageError`].
pub fn pull<E>(order: &Order<'_>, start: impl FnMut(&Job) -> Result<Ended, E>) -> Result<Ready, PackageError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let tools = recipe::tools(order)?;
    let store = Store::open(order.places)?;
    Install { order, tools: &tools, store: &store, start }.run(true)
}

fn run(order: &Order<'_>, tools: &Tools, store: &Store, locked: Locked, fresh: bool) -> Result<Ready, PackageError> {
    let tree = store.tree(&locked.tree);
    let entry = entry::find(&tree, order.ask, &tools.runtime)?;
    let mount = recipe::package_mount(&tree, false)?;
    let mut argv = entry.argv;
    argv.extend(order.ask.args.iter().cloned());
    let path = PathBuf::from(recipe::PACKAGE).join(match order.ask.ecosystem {
        Ecosystem::Npm => "node_modules/.bin",
        Ecosystem::Pypi => "bin",
    });
    Ok(Ready { runtime: tools.runtime.clone(), mount, file: entry.file, argv, path, locked, fresh })
}

/// One installation.
struct Install<'a, S> {
    order: &'a Order<'a>,
    tools: &'a Tools,
    store: &'a Store,
    start: S,
}

impl<S, E> Install<'_, S>
where
    S: FnMut(&Job) -> Result<Ended, E>,
    E: std::error::Error + Send + Sync + 'static,
{
    fn run(mut self, anew: bool) -> Result<Ready, PackageError> {
        let claim = self.store.claim(&self.tools.key)?;
        // Another brig may have installed it while this one waited.
        let file = LockFile::load(&self.order.places.state)?;
        let own = file.find(&self.tools.key);
        if let Some(locked) = self.store.whole(own.filter(|_| !anew))? {
            return run(self.order, self.tools, self.store, locked.clone(), false);
        }
        // What was locked for another interpreter keeps its versions, but lays its files out differently.
        let pinned = own.or_else(|| file.find_elsewhere(&self.tools.key)).filter(|_| !anew);
        let registry =
            registry::configured(self.order.ask.ecosystem, self.order.caller, Some(&self.tools.runtime.real))?;
        self.install(&claim, &registry, pinned)?;
        let resolved = entry::resolved(&claim.tree(), self.order.ask)?;
        let hash = tree::hash(&claim.tree())?;
        if let Some(was) = own.filter(|own| !anew && own.tree != hash) {
            return Err(PackageError::Changed {
                package: self.package(),
                was: was.tree.clone().into(),
                now: hash.into(),
            });
        }
        let installer = self.tools.installer(pinned);
        let locked = Locked { key: self.tools.key.clone(), installer, resolved, tree: hash };
        // A package whose program is not there is an error before it is locked.
        entry::find(&claim.tree(), self.order.ask, &self.tools.runtime)?;
        self.store.keep(&claim, &locked)?;
        lockfile::record(&self.order.places.state, locked.clone())?;
        claim.finish()?;
        run(self.order, self.tools, self.store, locked, true)
    }

    fn install(&mut self, claim: &Claim, registry: &Registry, pinned: Option<&Locked>) -> Result<(), PackageError> {
        let steps = recipe::steps(self.order, self.tools, self.store, claim, pinned)?;
        for step in steps {
            let job = recipe::job(self.order, &step, registry, claim)?;
            let ended = (self.start)(&job)
                .map_err(|source| PackageError::Start { package: self.package(), source: Box::new(source) })?;
            if ended.status != 0 {
                let output = recipe::readable(&ended.output);
                return Err(PackageError::Failed {
                    tool: step.tool,
                    package: self.package(),
                    ended: Box::new(Ended { output, ..ended }),
                    credentials: registry.credentials,
                    proxy: registry.proxy,
                });
            }
        }
        Ok(())
    }

    fn package(&self) -> String {
        self.order.ask.specs.first().map(|spec| spec.text.clone()).unwrap_or_default()
    }
}

/// The key of an order, for `brig.lock`.
fn key(order: &Order<'_>, runtime: String) -> Key {
    let asked = order.ask.specs.iter().map(|spec| spec.text.clone()).collect();
    Key { ecosystem: order.ask.ecosystem, asked, runtime, scripts: order.scripts }
}

#[cfg(test)]
mod tests;
