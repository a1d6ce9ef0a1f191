//! `brig run`

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;

use brig_engine::signals::{self, Signals};
use brig_engine::walls::State;
use brig_policy::flags::{self, Level};
use brig_policy::request::Stdio;
use brig_runtime::run;
use brig_runtime::session::{Client, Ending, Killer, Report, Reporter};

use super::Outcome;
use crate::failure::Failure;
use crate::screen::{self, Screen};
use crate::settings::Settings;
use crate::speaker;

pub(super) fn run(words: &[OsString], settings: &Settings, screen: &Screen) -> Outcome {
    let words = &text(words)?;
    if words.iter().take_while(|word| *word != "--").any(|word| word == "--help" || word == "-h") {
        screen.data(&flags::help());
        return Ok(ExitCode::SUCCESS);
    }
    let reading = flags::read(words)?;
    let screen = screen.with(reading.quiet, reading.verbose);
    for note in &reading.notes {
        match note.level() {
            Level::Always => screen.say(&note.to_string()),
            Level::Verbose => screen.detail(&note.to_string()),
        }
    }
    // Before the first thread, so that all of them leave the signals to this one.
    let signals = Signals::watch()?;
    speaker::start()?;
    let prepared = run::prepare(&reading.request, &settings.context(), &|note| screen.note(&note))?;
    for standing in prepared.walls() {
        let better = match &standing.state {
            State::Weaker { better: Some(better), .. } | State::Missing { better: Some(better), .. } => {
                format!(" ({better})")
            }
            _ => String::new(),
        };
        screen.detail(&format!("wall {}: {}{better}", standing.wall.id, standing.state));
    }
    if reading.request.stdio == Stdio::Mcp && screen::stdin_is_terminal() {
        screen.say("speaking MCP on this terminal; for a program that talks to people use --stdio raw");
    }
    let client =
        Client { input: io::stdin().as_fd().try_clone_to_owned()?, output: io::stdout().as_fd().try_clone_to_owned()? };
    let (ending, notes) = prepared.serve(client, &signals, &reporter(screen))?;
    for note in notes {
        screen.say(&note.to_string());
    }
    Ok(ExitCode::from(tell(&ending, &screen)))
}

/// The words as text: a box's order travels as text, so others cannot be passed on.
fn text(words: &[OsString]) -> Result<Vec<String>, Failure> {
    let one = |word: &OsString| {
        word.to_str().map(str::to_owned).ok_or_else(|| Failure {
            status: 2,
            text: format!("the argument {} is not UTF-8", word.display()),
            hint: Some("rename the file it names, or pass it in another way".to_owned()),
        })
    };
    words.iter().map(one).collect()
}

fn reporter(screen: Screen) -> Reporter {
    Arc::new(move |report: Report<'_>| match report {
        Report::Stderr(lines) => screen.raw(lines),
        Report::NotAMessage(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            screen.say(&format!("the server wrote something else than MCP to stdout: {}", text.trim_end()));
        }
        Report::ClientRefused(reason) => screen.say(&format!("refused a message of the client: {reason}")),
        Report::ServerRefused(reason) => screen.say(&format!("refused a message of the server: {reason}")),
        Report::ManyRefused(count) => {
            screen.say(&format!("{count} lines of the server were not passed on by now; most are not shown here"));
        }
        Report::Grant(note) => screen.say(&note.to_string()),
        Report::Escalated(what) => screen.say(what),
    })
}

/// Says who ended the server, as the last line; returns the exit status.
fn tell(ending: &Ending, screen: &Screen) -> u8 {
    match ending {
        Ending::Exited(code) => {
            let text = format!("the server exited with status {code}");
            if *code == 0 {
                screen.detail(&text)
            } else {
                screen.say(&text)
            }
            u8::try_from(*code).unwrap_or(u8::MAX)
        }
        Ending::Killed { signal, by } => {
            let who = match by {
                Killer::Box => "inside the box",
                Killer::ClientLeft => "brig, since its client had left",
                Killer::Caller => "whoever sent brig a signal",
            };
            screen.say(&format!("the server was ended by {} from {who}", signals::name(*signal)));
            128_u8.saturating_add(u8::try_from(*signal).unwrap_or(u8::MAX))
        }
        Ending::NotStarted { step, errno } => {
            let error = io::Error::from_raw_os_error(*errno);
            screen.error(&format!("cannot {step}: {error}"), None);
            if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
        }
        Ending::Gone => {
            screen.error("the box ended without a word", Some("was it out of memory? give it more: -m 4g"));
            125
        }
    }
}
