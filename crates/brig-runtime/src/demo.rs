//! `brig demo`: one simulated server, told to misbehave, first as a plain process, then in a box.
//!
//! Worthless random tokens are planted where real secrets lie on a laptop: a key in a (made up)
//! home folder, a file, services on loopback, the environment, another process. The server's tools
//! are then called to get them, in both eras of the protocol. The only proof that counts is such a
//! token in an answer, never that something "could be opened". Every harmless call must work in
//! both worlds, and the plain process must reach everything: otherwise a box that holds proves
//! nothing, and the verdict says so.
//!
//! Nothing is ever sent to an address that is not this machine's own loopback, no secret of the
//! user is looked at, and all that was made is removed, whatever happens; what a kill left behind
//! is removed by the next call. Library code: it neither prints nor reads the environment, and how
//! a box is started is the caller's.

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

mod attempts;
mod client;
mod json;
mod judge;
mod plain;
mod plants;
mod service;
mod table;
mod token;

pub use attempts::{ATTEMPTS, Asset, Attempt};
pub use client::Era;
pub use json::json;
pub use judge::{Eras, Harmless, Outcome, Report, Row, Verdict};
pub use table::{Style, table};

use attempts::HARMLESS;
use client::{Client, TalkError};
use plants::Plants;

/// How much is told of why there is no box: brig's own words, so more than a server gets.
const MAX_NO_BOX: usize = 1000;

/// What the demo needs to know of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// A program that contains the simulated server: brig itself.
    pub program: &'a Path,
    /// The words that lead it to `brig_sim::enter`, such as `["__sim"]`.
    pub words: &'a [String],
    /// Where the demo may make a folder of its own: the system's folder for temporary files.
    pub scratch: &'a Path,
    /// Set by a signal handler; the demo then stops at its next step and cleans up.
    pub stop: &'a AtomicBool,
}

/// The box that the caller is to start for the demo: as for
/// `brig run --stdio raw -v GRANT -e NAME=value… -- PROGRAM WORDS…`.
#[derive(Debug, Clone)]
pub struct BoxOrder {
    /// What is to run: the program and its arguments. The program is to be mounted read-only,
    /// alone; it needs no other file.
    pub program: PathBuf,
    /// Its arguments, the zeroth not included.
    pub words: Vec<String>,
    /// Variables to be given as `-e NAME=value` would: one is harmless, one looks like a
    /// credential and is to be replaced by a placeholder.
    pub env: Vec<(String, String)>,
    /// A folder to be granted read-only at its own path, as `-v GRANT` would. It lies in
    /// [`Order::scratch`]; everybody may read it.
    pub grant: PathBuf,
}

/// A running server.
pub struct Talk {
    /// Its standard input; dropped before `end` is called.
    pub input: Box<dyn Write + Send>,
    /// Its standard output. It must end when the server does.
    pub output: Box<dyn Read + Send>,
    /// Ends what is still there, and returns when it is gone.
    pub end: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").finish_non_exhaustive()
    }
}

/// Starts the server in a box. Called once for each era.
pub type StartBox<'a> = dyn FnMut(&BoxOrder) -> Result<Talk, Box<dyn Error + Send + Sync>> + 'a;

/// Why the demo could not be held at all. That the box could not be made is not among it: that is a
/// finding, and stands in the report.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The scratch folder cannot be named in a tool call, which is JSON.
    #[error("the path of the folder {} is not UTF-8", path.display())]
    Name {
        /// The folder.
        path: PathBuf,
    },
    /// No folder could be made for the stand-ins.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A stand-in could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// A stand-in for a service could not listen.
    #[error("cannot listen on the loopback address {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The other process, which holds a token, could not be started.
    #[error("cannot start {} as a process to look at", program.display())]
    Holder {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The simulated server could not be started as a plain process.
    #[error("cannot start {} as a plain process", program.display())]
    Plain {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// [`Order::stop`] was set. Everything was cleaned up.
    #[error("the demo was interrupted")]
    Interrupted,
}

impl DemoError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } | Self::Folder { .. } | Self::Write { .. } => {
                Some("name a folder that can be written: TMPDIR=/some/folder brig demo".to_owned())
            }
            Self::Listen { .. } => Some("the loopback interface must be up: ip link set lo up".to_owned()),
            Self::Holder { .. } | Self::Plain { .. } => {
                Some("brig starts itself here: its own file must be readable and executable by you".to_owned())
            }
            Self::Random(_) | Self::Interrupted => None,
        }
    }
}

/// Holds the demo: about a second, most of it the box's.
///
/// # Errors
/// See [`DemoError`]. A box that does not hold, or cannot be made, is not an error but a
/// [`Verdict`].
pub fn run(order: &Order<'_>, start: &mut StartBox<'_>) -> Result<Report, DemoError> {
    let begun = Instant::now();
    plants::clean_stale(order.scratch);
    let plants = Plants::plant(order)?;
    let stop = order.stop;

    let mut plain = Vec::new();
    for era in Era::ALL {
        let talk = plain::start(order, &plants)?;
        plain.push(visit(talk, era, &plants, stop)?);
    }

    let box_order = BoxOrder {
        program: order.program.to_owned(),
        words: order.words.to_vec(),
        env: plants.environment(),
        grant: plants.project(),
    };
    let mut boxed = Vec::new();
    let mut no_box = None;
    for era in Era::ALL {
        let started = match &no_box {
            None => start(&box_order).map_err(|why| chain(why.as_ref())),
            Some(why) => Err(String::clone(why)),
        };
        boxed.push(match started {
            Ok(talk) => visit(talk, era, &plants, stop)?,
            Err(why) => {
                no_box = Some(judge::tame_to(&why, MAX_NO_BOX));
                Visit::missed(&format!("there is no box: {why}"))
            }
        });
    }
    Ok(report(plants, (plain, boxed), no_box, begun.elapsed()))
}

/// What one server did in one era.
struct Visit {
    /// As [`ATTEMPTS`].
    attempts: Vec<Outcome>,
    /// As [`HARMLESS`].
    harmless: Vec<Result<(), String>>,
}

impl Visit {
    /// The visit to a server that could not be talked to.
    fn missed(why: &str) -> Self {
        let why = judge::tame(why);
        Self {
            attempts: vec![Outcome::Untested { why: why.clone() }; ATTEMPTS.len()],
            harmless: vec![Err(why); HARMLESS.len()],
        }
    }
}

/// Makes every call, harmless ones first, and judges the answers.
fn visit(talk: Talk, era: Era, plants: &Plants, stop: &AtomicBool) -> Result<Visit, DemoError> {
    let mut client = match Client::connect(talk, era, stop) {
        Ok(client) => client,
        Err(TalkError::Interrupted) => return Err(DemoError::Interrupted),
        Err(why) => return Ok(Visit::missed(&why.to_string())),
    };
    let mut harmless = Vec::new();
    for call in HARMLESS {
        harmless.push(call.make(&mut client, plants));
        interrupted(stop)?;
    }
    let mut attempts = Vec::new();
    for attempt in ATTEMPTS {
        let answer = client.call(attempt.tool, &attempt.arguments(plants));
        attempts.push(judge::outcome(answer, attempt.token(plants), client.strays()));
        interrupted(stop)?;
    }
    Ok(Visit { attempts, harmless })
}

fn interrupted(stop: &AtomicBool) -> Result<(), DemoError> {
    if stop.load(Ordering::Relaxed) { Err(DemoError::Interrupted) } else { Ok(()) }
}

fn report(plants: Plants, (plain, boxed): (Vec<Visit>, Vec<Visit>), no_box: Option<String>, took: Duration) -> Report {
    let rows = ATTEMPTS.iter().enumerate().map(|(at, attempt)| Row {
        attempt,
        call: attempt.shown(&plants),
        plain: Eras::of(&plain, |visit| visit.attempts[at].clone()),
        boxed: Eras::of(&boxed, |visit| visit.attempts[at].clone()),
    });
    let harmless = HARMLESS.iter().enumerate().map(|(at, call)| Harmless {
        tool: call.tool,
        call: call.shown,
        plain: Eras::of(&plain, |visit| visit.harmless[at].clone()),
        boxed: Eras::of(&boxed, |visit| visit.harmless[at].clone()),
    });
    let report = Report { rows: rows.collect(), harmless: harmless.collect(), no_box, took };
    drop(plants);
    report
}

/// An error and what caused it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}
