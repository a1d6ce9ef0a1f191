//! The flags of `brig run`: every one of `docker run`, and brig's own.
//!
//! [`FLAGS`] says of each what becomes of it; [`read`] turns a command line into a [`Request`], the
//! [`Note`]s that are worth telling, or a [`FlagError`] that names everything that was not taken;
//! [`help`] tells it all from the same table. Nothing here looks at the machine: whether a path
//! exists, and what it is, is judged by whoever can open it.

mod cases;
mod closest;
mod env_file;
mod flag;
mod help;
mod mounts;
mod note;
mod problem;
mod scan;
mod settle;
mod size;
mod table;

pub use env_file::{ENV_FILE_LENGTH_MOST, EnvFileError, env_file, fuzz_env_file};
pub use flag::{Asset, Case, Disposition, Flag, Origin, Setting, Takes, When};
pub use help::help;
pub use mounts::MOUNTS_MOST;
pub use note::{Level, Note};
pub use problem::{EXIT_REFUSED, EXIT_USAGE, FlagError, Problem, WrongValue};
pub use size::NotANumber;
pub use table::FLAGS;

use crate::request::{Program, Request};
use settle::Draft;

/// The most arguments that are read: a shell's `*` in a large folder stays below, and what is
/// collected from them stays small.
pub const ARGUMENTS_MOST: usize = 16_384;
/// The longest argument, in bytes: Linux passes no longer one to a program (`MAX_ARG_STRLEN`,
/// execve(2)).
pub const ARGUMENT_LENGTH_MOST: usize = 128 * 1024;

/// What a command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is asked for. Nothing in it has been judged but its spelling.
    pub request: Request,
    /// What is worth telling, in the order of the flags, each once.
    pub notes: Vec<Note>,
    /// `--quiet`: say only what went wrong.
    pub quiet: bool,
    /// `--verbose`: tell every note, not only those of [`Level::Always`].
    pub verbose: bool,
}

/// Reads what follows `brig run`.
///
/// Everything before the first argument that is no flag, or before `--`, is flags. The former is an
/// image and what follows it is the server's; what follows `--` is a program of this host.
///
/// # Errors
///
/// An unknown flag or a missing value ends the reading. Everything else that is not taken is
/// collected, so that one error names it all.
pub fn read(args: &[String]) -> Result<Reading, FlagError> {
    check_sizes(args)?;
    let scan::Scanned { given, rest, host } = scan::scan(args)?;
    let mut draft = Draft::new(program(rest, host)?);
    for given in &given {
        draft.take(given);
    }
    draft.settle();
    let Draft { request, notes, problems, quiet, verbose, .. } = draft;
    if problems.is_empty() {
        Ok(Reading { request, notes, quiet, verbose })
    } else {
        Err(FlagError::NotTaken(problems))
    }
}

fn check_sizes(args: &[String]) -> Result<(), FlagError> {
    if args.len() > ARGUMENTS_MOST {
        return Err(FlagError::TooManyArguments { count: args.len() });
    }
    for (position, arg) in (1..).zip(args) {
        if arg.len() > ARGUMENT_LENGTH_MOST {
            return Err(FlagError::ArgumentTooLong { position, length: arg.len() });
        }
        if arg.contains('\0') {
            return Err(FlagError::ArgumentWithNul { position });
        }
    }
    Ok(())
}

fn program(rest: Vec<String>, host: bool) -> Result<Program, FlagError> {
    if rest.first().is_none_or(String::is_empty) {
        return Err(FlagError::NothingToRun);
    }
    if host {
        return Ok(Program::Host { argv: rest });
    }
    let mut rest = rest.into_iter();
    let reference = rest.next().ok_or(FlagError::NothingToRun)?;
    Ok(Program::Image { reference, entrypoint: None, args: rest.collect() })
}

/// Reads arbitrary bytes as a command line, one argument a line, for fuzzing.
#[doc(hidden)]
pub fn fuzz_flags(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let args: Vec<String> = text.split('\n').map(str::to_owned).collect();
    match read(&args) {
        Ok(reading) => {
            for mount in &reading.request.mounts {
                assert!(mount.target.starts_with('/') && mount.target.len() > 1);
                assert!(!mount.target.split('/').any(|part| part == ".." || part == "."));
            }
            for note in &reading.notes {
                assert!(!note.to_string().is_empty());
            }
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!([0, EXIT_USAGE, EXIT_REFUSED].contains(&error.exit_status()));
            let _ = error.hint();
        }
    }
}
