//! The interpreter that a script's first line names (`execve(2)`).

use std::path::PathBuf;

/// The kernel's limit for the line (`BINPRM_BUF_SIZE`); a longer one it cuts, so it is refused here.
const MAX_LINE: usize = 256;
/// Assignments and options that `env` may carry before the name: scripts have none to two.
const MAX_ENV_WORDS: usize = 16;

/// Who runs a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interpreter {
    /// The program at this path.
    Path(PathBuf),
    /// The program that `PATH` finds (`#!/usr/bin/env node`).
    Name(String),
}

/// Why a first line cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShebangError {
    /// The kernel would cut it.
    #[error("it is longer than {MAX_LINE} bytes")]
    TooLong,
    /// Bytes that are not text.
    #[error("it is not UTF-8")]
    Text,
    /// `#!` and nothing behind it, or a relative path.
    #[error("it names no interpreter by an absolute path")]
    NoInterpreter,
    /// `env` without a program, or with an option that cannot be followed.
    #[error("it runs env in a way that cannot be followed")]
    Env,
}

/// Reads the head of a file; `None` when it is no script.
pub(super) fn parse(head: &[u8]) -> Result<Option<Interpreter>, ShebangError> {
    let Some(rest) = head.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let end = rest.iter().position(|byte| *byte == b'\n');
    if end.unwrap_or(rest.len()) > MAX_LINE - 2 {
        return Err(ShebangError::TooLong);
    }
    let (line, body) = rest.split_at(end.unwrap_or(rest.len()));
    let line = std::str::from_utf8(line).map_err(|_| ShebangError::Text)?.trim_matches([' ', '\t', '\r']);
    let (path, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    if !path.starts_with('/') {
        return Err(ShebangError::NoInterpreter);
    }
    if path == "/usr/bin/env" || path == "/bin/env" {
        return env_program(argument).map(|name| Some(interpreter(name)));
    }
    let python = if path == "/bin/sh" { exec_line(body) } else { None };
    Ok(Some(Interpreter::Path(python.unwrap_or_else(|| PathBuf::from(path)))))
}

fn interpreter(name: &str) -> Interpreter {
    if name.starts_with('/') { Interpreter::Path(PathBuf::from(name)) } else { Interpreter::Name(name.to_owned()) }
}

/// The program that `env` would run.
fn env_program(argument: &str) -> Result<&str, ShebangError> {
    let argument = argument.trim_start();
    // Without -S the kernel hands over the rest of the line as one word.
    let split = argument.strip_prefix("-S").or_else(|| argument.strip_prefix("--split-string="));
    let Some(words) = split else {
        let one_word = !argument.is_empty() && !argument.starts_with('-') && !argument.contains([' ', '\t', '=']);
        return if one_word { Ok(argument) } else { Err(ShebangError::Env) };
    };
    let mut words = words.split_ascii_whitespace().take(MAX_ENV_WORDS);
    let name = words.find(|word| !word.contains('=')).ok_or(ShebangError::Env)?;
    let plain = !name.starts_with('-') && !name.contains(['"', '\'', '\\', '$']);
    if plain { Ok(name) } else { Err(ShebangError::Env) }
}

/// Python's installers write a second line for interpreters whose path is too long or has a blank:
/// `'''exec' "/long path/python" "$0" "$@"`.
fn exec_line(body: &[u8]) -> Option<PathBuf> {
    let line = body.strip_prefix(b"\n")?.split(|byte| *byte == b'\n').next()?;
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("'''exec' ")?.strip_suffix(" \"$0\" \"$@\"")?;
    let quoted = |quote: char| rest.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let path = quoted('"').or_else(|| quoted('\'')).unwrap_or(rest);
    (path.starts_with('/') && !path.contains(['"', '\'', '\\', '$'])).then(|| PathBuf::from(path))
}

/// Fuzz entry: no file head panics.
#[doc(hidden)]
pub fn fuzz_shebang(data: &[u8]) {
    let _ = parse(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expect: Result<Option<Interpreter>, ShebangError>) {
        assert_eq!(parse(head.as_bytes()), expect, "{head:?}");
    }

    fn path(path: &str) -> Result<Option<Interpreter>, ShebangError> {
        Ok(Some(Interpreter::Path(path.into())))
    }

    fn name(name: &str) -> Result<Option<Interpreter>, ShebangError> {
        Ok(Some(Interpreter::Name(name.into())))
    }

    #[test]
    fn first_lines_of_real_scripts() {
        check("\x7fELF", Ok(None));
        check("#!/bin/sh\necho\n", path("/bin/sh"));
        check("#! /usr/bin/python3 -I\n", path("/usr/bin/python3"));
        check("#!/usr/bin/env node\r\n", name("node"));
        check("#!/usr/bin/env -S node --no-warnings\n", name("node"));
        check("#!/usr/bin/env -S A=b uv run --script\n", name("uv"));
        check("#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\n", path("/a b/python"));
        check("#!/bin/sh\n'''exec' '/a b/python' \"$0\" \"$@\"\n' '''\n", path("/a b/python"));
        check("#!/bin/sh\n'''exec' /ab/python \"$0\" \"$@\"\n' '''\n", path("/ab/python"));
        check("#!/bin/sh", path("/bin/sh"));
    }

    #[test]
    fn lines_that_cannot_be_followed_are_errors() {
        check("#!\n", Err(ShebangError::NoInterpreter));
        check("#!node\n", Err(ShebangError::NoInterpreter));
        check("#!/usr/bin/env\n", Err(ShebangError::Env));
        check("#!/usr/bin/env -i node\n", Err(ShebangError::Env));
        check("#!/usr/bin/env node --flag\n", Err(ShebangError::Env));
        check("#!/usr/bin/env -S \"node\"\n", Err(ShebangError::Env));
        check(&format!("#!/{}\n", "x".repeat(300)), Err(ShebangError::TooLong));
        assert_eq!(parse(b"#!/\xff\n"), Err(ShebangError::Text));
    }
}
