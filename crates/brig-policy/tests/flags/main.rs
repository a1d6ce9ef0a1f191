//! The flags of `brig run`: the table, what reading them asks for, and what is refused.

mod docker;
mod mounts;
mod properties;
mod reading;
mod refusing;
mod table;

use brig_policy::flags::{
    ARGUMENT_LENGTH_MOST, ARGUMENTS_MOST, Asset, EXIT_REFUSED, EXIT_USAGE, FlagError, Level, MOUNTS_MOST, Note,
    Problem, Reading, WrongValue, fuzz_flags, read,
};
use brig_policy::limits::{GIB, MIB};
use brig_policy::mount::{Access, MountRequest, Source};
use brig_policy::request::{EnvRequest, Program, Pull, Stdio};

/// The lines of a text that say something.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A command line as a shell without quotes would split it.
pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn ok(line: &str) -> Reading {
    read(&words(line)).unwrap_or_else(|error| panic!("{line}: {error}"))
}

pub(crate) fn error(line: &str) -> FlagError {
    match read(&words(line)) {
        Err(error) => error,
        Ok(reading) => panic!("{line} was taken: {reading:?}"),
    }
}

pub(crate) fn wrong(line: &str) -> WrongValue {
    match error(line) {
        FlagError::NotTaken(problems) => match problems.as_slice() {
            [Problem::Wrong { wrong, .. }] => wrong.clone(),
            other => panic!("{line}: {other:?}"),
        },
        other => panic!("{line}: {other:?}"),
    }
}

pub(crate) fn refused(line: &str) -> &'static [Asset] {
    let error = error(line);
    assert_eq!(error.exit_status(), EXIT_REFUSED, "{line}: {error}");
    match error {
        FlagError::NotTaken(problems) => match problems.as_slice() {
            [Problem::Refused { gives_away, .. }] => gives_away,
            other => panic!("{line}: {other:?}"),
        },
        other => panic!("{line}: {other:?}"),
    }
}

pub(crate) fn not_served(line: &str) {
    let error = error(line);
    assert_eq!(error.exit_status(), EXIT_USAGE, "{line}: {error}");
    let FlagError::NotTaken(problems) = &error else { panic!("{line}: {error:?}") };
    let all = problems.iter().all(|p| matches!(p, Problem::NotServed { .. }));
    assert!(all && !problems.is_empty(), "{line}: {problems:?}");
    assert!(error.hint().is_some(), "{line}");
}

/// Taken, and nothing but notes for those who ask came of it.
pub(crate) fn harmless(line: &str) {
    let reading = ok(line);
    assert!(!reading.notes.is_empty(), "{line} is not even mentioned");
    assert!(reading.notes.iter().all(|n| n.level() == Level::Verbose), "{line}");
    assert_eq!(reading.request, ok("x").request, "{line} changed the request");
}

pub(crate) fn env(name: &str, value: &str) -> EnvRequest {
    EnvRequest::Literal { name: name.to_owned(), value: value.to_owned() }
}

pub(crate) fn bind(source: &str, target: &str, access: Access) -> MountRequest {
    let source = Source::Host(source.to_owned());
    MountRequest { source, target: target.to_owned(), access }
}

pub(crate) fn mounts(line: &str) -> Vec<MountRequest> {
    ok(line).request.mounts
}
