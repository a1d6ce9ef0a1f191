//! What is tried inside a box. Each probe prints lines `WHAT<tab>OUTCOME`; an outcome is `ok …` or the
//! name of the kernel's error.

mod files;
mod kernel;
mod life;
mod limits;
mod sockets;

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// A probe: its arguments are checked by the tests that give them.
type Probe = fn(&[String]);

const PROBES: &[(&str, Probe)] = &[
    ("read", files::read),
    ("make", files::make),
    ("fill", files::fill),
    ("list", files::list),
    ("rooms", files::rooms),
    ("everywhere", files::everywhere),
    ("descriptors", files::descriptors),
    ("set-id", files::set_id),
    ("links", files::links),
    ("search-environments", files::search_environments),
    ("identity", kernel::identity),
    ("status", kernel::status),
    ("keep-privileges", kernel::keep_privileges),
    ("calls", kernel::calls),
    ("mount", kernel::mount),
    ("terminal-call", kernel::terminal_call),
    ("terminal", kernel::terminal),
    ("watches", kernel::watches),
    ("environment", kernel::environment),
    ("process", kernel::process),
    ("tcp", sockets::tcp),
    ("abstract", sockets::abstract_name),
    ("unix-later", sockets::unix_later),
    ("unix", sockets::unix),
    ("touch-memory", limits::touch_memory),
    ("reserve-memory", limits::reserve_memory),
    ("threads", limits::threads),
    ("open", limits::open),
    ("limits", limits::limits),
    ("crash", limits::crash),
    ("burn", limits::burn),
    ("heartbeat", life::heartbeat),
    ("reopen-pipes", life::reopen_pipes),
    ("sleep", life::sleep),
];

/// Stands for `/` in a probe's words.
const SLASH: &str = "|";

/// A word for a probe, without a path in it.
pub(crate) fn spell(word: &str) -> String {
    word.replace('/', SLASH)
}

/// Runs the probe that the first word names.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let probe = words.split_first().and_then(|(name, rest)| {
        let found = PROBES.iter().find(|(known, _)| known == name);
        found.map(|(_, probe)| (*probe, rest))
    });
    let Some((probe, rest)) = probe else { return ExitCode::from(2) };
    probe(&rest.iter().map(|word| word.replace(SLASH, "/")).collect::<Vec<_>>());
    ExitCode::SUCCESS
}

fn say(what: &str, outcome: impl Display) {
    println!("{what}\t{outcome}");
}

/// An attempt's outcome in one word, and what it brought.
fn outcome<T: Display, E: Into<io::Error>>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("ok {value}").trim_end().to_owned(),
        Err(error) => name(&error.into()),
    }
}

/// An attempt's outcome when what it brings cannot be shown.
fn done<T, E: Into<io::Error>>(result: Result<T, E>) -> String {
    outcome(result.map(|_| ""))
}

/// errno(3)'s name, for those that the walls answer with.
fn name(error: &io::Error) -> String {
    const NAMES: &[(i32, &str)] = &[
        (1, "EPERM"),
        (2, "ENOENT"),
        (3, "ESRCH"),
        (6, "ENXIO"),
        (11, "EAGAIN"),
        (12, "ENOMEM"),
        (13, "EACCES"),
        (20, "ENOTDIR"),
        (22, "EINVAL"),
        (24, "EMFILE"),
        (25, "ENOTTY"),
        (27, "EFBIG"),
        (28, "ENOSPC"),
        (30, "EROFS"),
        (38, "ENOSYS"),
        (97, "EAFNOSUPPORT"),
        (111, "ECONNREFUSED"),
    ];
    let number = error.raw_os_error();
    let known = NAMES.iter().find(|(one, _)| Some(*one) == number);
    known.map_or_else(|| format!("error {error}"), |(_, name)| (*name).to_owned())
}
