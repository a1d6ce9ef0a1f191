//! From arguments to flags with values, by the rules of Docker's own reader: `-it`, `-e=A=B`,
//! `-eA=B`, `--env A`, `--env=A`; the first argument that is no flag ends them, and so does `--`.

use super::flag::{Flag, Takes};
use super::problem::FlagError;
use super::{closest, size, table};

/// A command line, cut up.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The flags in their order.
    pub given: Vec<Given>,
    /// What follows them, without the `--`.
    pub rest: Vec<String>,
    /// Whether a `--` stood before it.
    pub host: bool,
}

/// One flag as it was given.
#[derive(Debug)]
pub(super) struct Given {
    /// Which.
    pub flag: &'static Flag,
    /// As it was spelt, without the value: `-e`, `--net`.
    pub spelt: String,
    /// Its value; of a flag that takes none, `true` or `false`, or what else stood behind `=`.
    pub value: String,
}

/// Cuts up a command line.
pub(super) fn scan(args: &[String]) -> Result<Scanned, FlagError> {
    let mut scanner = Scanner { args, next: 0, given: Vec::new() };
    let mut host = false;
    while let Some(arg) = args.get(scanner.next) {
        if arg == "--" {
            scanner.next += 1;
            host = true;
            break;
        }
        if !arg.starts_with('-') || arg == "-" {
            break;
        }
        scanner.next += 1;
        match arg.strip_prefix("--") {
            Some(long) => scanner.long(long)?,
            None => scanner.letters(&arg[1..])?,
        }
    }
    let rest = args.get(scanner.next..).unwrap_or_default().to_vec();
    Ok(Scanned { given: scanner.given, rest, host })
}

struct Scanner<'a> {
    args: &'a [String],
    next: usize,
    given: Vec<Given>,
}

impl Scanner<'_> {
    /// `name` or `name=value`, after the two dashes.
    fn long(&mut self, text: &str) -> Result<(), FlagError> {
        let (name, behind) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let spelt = format!("--{name}");
        let Some(flag) = table::by_name(name) else {
            return Err(unknown(spelt, closest::to(name)));
        };
        let value = match (behind, flag.takes) {
            (Some(value), _) => value.to_owned(),
            (None, Takes::Nothing) => "true".to_owned(),
            (None, Takes::Maybe { without, .. }) => without.to_owned(),
            (None, Takes::Value(shape)) => self.following(&spelt, shape)?,
        };
        self.push(flag, spelt, value)
    }

    /// One or more letters, the last of which may have a value, after the one dash.
    fn letters(&mut self, text: &str) -> Result<(), FlagError> {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let spelt = format!("-{letter}");
            let Some(flag) = table::by_letter(letter) else {
                // `-name` for `--name` is a common slip; the rest of other words may be a value.
                let meant = table::by_name(text.split('=').next().unwrap_or(text));
                return Err(unknown(spelt, meant));
            };
            let after = &rest[letter.len_utf8()..];
            let behind = after.strip_prefix('=').filter(|value| !value.is_empty());
            rest = match (behind, flag.takes) {
                (Some(value), _) => {
                    self.push(flag, spelt, value.to_owned())?;
                    ""
                }
                (None, Takes::Nothing) => {
                    self.push(flag, spelt, "true".to_owned())?;
                    after
                }
                (None, Takes::Maybe { without, .. }) => {
                    self.push(flag, spelt, without.to_owned())?;
                    after
                }
                (None, Takes::Value(shape)) if after.is_empty() => {
                    let value = self.following(&spelt, shape)?;
                    self.push(flag, spelt, value)?;
                    ""
                }
                (None, Takes::Value(_)) => {
                    self.push(flag, spelt, after.to_owned())?;
                    ""
                }
            };
        }
        Ok(())
    }

    /// The next argument, whatever it looks like.
    fn following(&mut self, spelt: &str, shape: &'static str) -> Result<String, FlagError> {
        let value = self.args.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| FlagError::ValueMissing { flag: spelt.to_owned(), shape })
    }

    fn push(&mut self, flag: &'static Flag, spelt: String, value: String) -> Result<(), FlagError> {
        let truth = if flag.takes == Takes::Nothing { size::truth(&value) } else { None };
        if flag.long == "help" && truth == Some(true) {
            return Err(FlagError::HelpAsked);
        }
        let value = truth.map_or(value, |truth| truth.to_string());
        self.given.push(Given { flag, spelt, value });
        Ok(())
    }
}

fn unknown(flag: String, closest: Option<&'static Flag>) -> FlagError {
    // The name is cut, for whoever forgot a space may have put a password behind it.
    let flag = super::problem::shown(&flag.chars().take(closest::NAME_LENGTH).collect::<String>());
    FlagError::UnknownFlag { flag, closest: closest.map(|known| format!("--{}", known.long)) }
}
