//! The help of `brig run`, told from the table.

use super::flag::{Disposition, Flag, Setting, Takes, When};
use super::table::FLAGS;

/// The widest line, which fits a terminal of usual width.
const WIDTH: usize = 100;
/// Where the descriptions begin.
const COLUMN: usize = 30;

const USAGE: &str = "\
Run an MCP server in a locked box.

Usage: brig run [FLAGS] IMAGE [ARGS…]
       brig run [FLAGS] -- PROGRAM [ARGS…]
";

/// The parts of the help that tell of honoured flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Server,
    Files,
    Limits,
    Other,
}

const GROUPS: [(Group, &str); 4] = [
    (Group::Server, "The server"),
    (Group::Files, "What it sees"),
    (Group::Limits, "What it may use (SIZE: 512m, 1.5g)"),
    (Group::Other, "The box"),
];

/// The help text: honoured flags by group, then what is accepted, refused and not served.
#[must_use]
pub fn help() -> String {
    let mut text = USAGE.to_owned();
    for (group, title) in GROUPS {
        text.push_str(&format!("\n{title}:\n"));
        for flag in FLAGS {
            if let Disposition::Honoured { sets, about } = flag.disposition
                && group_of(sets) == group
            {
                entry(&mut text, &left(flag), about);
            }
        }
    }
    text.push_str("\nAccepted without effect (--verbose says why):\n");
    words(&mut text, spellings(is_harmless));
    text.push_str("\nRefused, exit status 77 (the message says what would be given away, and the safe way):\n");
    for flag in FLAGS {
        for (when, disposition) in judged(flag) {
            if let Disposition::Refused { why, .. } = disposition {
                entry(&mut text, &spelling(flag, when), why);
            }
        }
    }
    text.push_str("\nNot served, exit status 2 (the message says what to type instead):\n");
    words(&mut text, spellings(is_not_served));
    text
}

fn group_of(setting: Setting) -> Group {
    match setting {
        Setting::Entrypoint
        | Setting::Env
        | Setting::EnvFile
        | Setting::Platform
        | Setting::Pull
        | Setting::AllowInstallScripts
        | Setting::Stdio
        | Setting::User
        | Setting::Workdir => Group::Server,
        Setting::Here | Setting::Mount | Setting::Proc | Setting::Tmpfs | Setting::Volume => Group::Files,
        Setting::CpuPeriod
        | Setting::CpuQuota
        | Setting::Cpus
        | Setting::FileSize
        | Setting::Memory
        | Setting::OpenFiles
        | Setting::Processes
        | Setting::Shm
        | Setting::TmpSize
        | Setting::Ulimit => Group::Limits,
        Setting::Help | Setting::Name | Setting::Quiet | Setting::Strict | Setting::Verbose => Group::Other,
    }
}

/// Each disposition of a flag with the values that it is for.
fn judged(flag: &'static Flag) -> Vec<(When, Disposition)> {
    match flag.disposition {
        Disposition::ByValue(cases) => cases.iter().map(|case| (case.when, case.then)).collect(),
        other => vec![(When::Any, other)],
    }
}

/// The flags of which something is true, each with the first value of which it is.
fn spellings(wanted: fn(Disposition) -> bool) -> impl Iterator<Item = String> {
    FLAGS.iter().filter_map(move |flag| match flag.takes {
        // What a bare flag means is what people look for; `=false` takes it back.
        Takes::Nothing => wanted(flag.judge("true")).then(|| left_short(flag)),
        _ => {
            judged(flag).into_iter().find(|(_, disposition)| wanted(*disposition)).map(|(when, _)| spelling(flag, when))
        }
    })
}

fn is_harmless(disposition: Disposition) -> bool {
    matches!(disposition, Disposition::Harmless { .. })
}

fn is_not_served(disposition: Disposition) -> bool {
    matches!(disposition, Disposition::NotServed { .. })
}

/// `  -e, --env NAME[=VALUE]`
fn left(flag: &Flag) -> String {
    let letter = flag.short.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
    let value = match flag.takes {
        Takes::Nothing => String::new(),
        Takes::Value(shape) => format!(" {shape}"),
        Takes::Maybe { shape, .. } => format!("[={shape}]"),
    };
    format!("{letter}--{}{value}", flag.long)
}

/// `-i/--interactive`
fn left_short(flag: &Flag) -> String {
    match flag.short {
        Some(letter) => format!("-{letter}/--{}", flag.long),
        None => format!("--{}", flag.long),
    }
}

/// The flag with the value that is meant: `--pid host`, `--security-opt seccomp=unconfined`.
fn spelling(flag: &Flag, when: When) -> String {
    let value = match when {
        When::OneOf(all) | When::NoCase(all) => {
            all.iter().find(|value| !value.is_empty()).copied().unwrap_or("").to_owned()
        }
        When::StartsWith(start) => format!("{start}…"),
        When::Pair(key, value) => format!("{key}={value}"),
        When::PairBool(key, truth) => format!("{key}={truth}"),
        When::Any => String::new(),
    };
    match (flag.long, flag.takes) {
        // The only truth that is refused by being false.
        ("read-only", _) => "--read-only=false".to_owned(),
        (long, Takes::Value(_)) if !value.is_empty() => format!("--{long} {value}"),
        (long, _) => format!("--{long}"),
    }
}

/// One line of the table, its description wrapped.
fn entry(text: &mut String, left: &str, about: &str) {
    let mut line = format!("  {left}");
    if line.chars().count() + 2 > COLUMN {
        text.push_str(&line);
        text.push('\n');
        line.clear();
    }
    wrap(text, line, about.split(' '), COLUMN);
}

/// Words, as many on a line as fit.
fn words(text: &mut String, all: impl Iterator<Item = String>) {
    let all: Vec<String> = all.collect();
    wrap(text, String::new(), all.iter().map(String::as_str), 2);
}

fn wrap<'a>(text: &mut String, first: String, all: impl Iterator<Item = &'a str>, indent: usize) {
    let pad = |line: &mut String| {
        let missing = indent.saturating_sub(line.chars().count());
        line.extend(std::iter::repeat_n(' ', missing));
    };
    let mut line = first;
    pad(&mut line);
    let mut fresh = true;
    for word in all {
        if !fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.clear();
            pad(&mut line);
            fresh = true;
        }
        if !fresh {
            line.push(' ');
        }
        line.push_str(word);
        fresh = false;
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_told_of() {
        let text = help();
        for flag in FLAGS {
            assert!(text.contains(&format!("--{}", flag.long)), "--{} is missing", flag.long);
        }
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "too wide: {line}");
            assert_eq!(line.trim_end(), line, "space at the end: {line}");
        }
    }

    #[test]
    fn honoured_flags_come_before_refused_ones() {
        let text = help();
        let at = |what: &str| text.find(what).unwrap();
        assert!(at("-e, --env NAME[=VALUE]") < at("Accepted without"));
        assert!(at("Accepted without") < at("Refused, exit"));
        assert!(at("Refused, exit") < at("--privileged"));
        assert!(at("--pid host") < at("Not served"));
    }
}
