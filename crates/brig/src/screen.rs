//! The only writer to stdout and stderr. stdout is data, stderr is for people.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use brig_runtime::note::Note;

use crate::settings::Settings;
use crate::speaker;

/// Where text goes, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    quiet: bool,
    verbose: bool,
    colour: bool,
    colour_of_data: bool,
}

/// What a line is about, which a colour underlines but never carries alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warning,
    Bad,
}

impl Screen {
    pub(crate) fn new(settings: &Settings, quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose: verbose && !quiet, colour: settings.colour, colour_of_data: settings.colour_of_data }
    }

    /// The same screen for a command that has its own `-q` and `-v`.
    pub(crate) fn with(self, quiet: bool, verbose: bool) -> Self {
        let quiet = self.quiet || quiet;
        Self { quiet, verbose: (self.verbose || verbose) && !quiet, ..self }
    }

    pub(crate) fn verbose(&self) -> bool {
        self.verbose
    }

    pub(crate) fn colour_of_data(&self) -> bool {
        self.colour_of_data
    }

    /// The width of the terminal that stdout is, or a usual one.
    pub(crate) fn width(&self) -> usize {
        let size = rustix::termios::tcgetwinsize(std::io::stdout());
        size.ok().map_or(100, |size| usize::from(size.ws_col)).max(40)
    }

    /// Data: to stdout. A reader that is gone is no error.
    pub(crate) fn data(&self, text: &str) {
        drop(std::io::stdout().lock().write_all(text.as_bytes()));
    }

    /// What a user of ordinary patience wants to know.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// What a library has to tell. Progress overwrites itself on a terminal; elsewhere only its end
    /// is a line.
    pub(crate) fn note(&self, note: &Note) {
        let Note::Pulling { done, total, .. } = note else { return self.say(&note.to_string()) };
        if self.quiet {
            return;
        }
        let end = done == total;
        if std::io::stderr().is_terminal() {
            let line_end = if end { "\n" } else { "" };
            drop(write!(std::io::stderr().lock(), "\r\x1b[Kbrig: {note}{line_end}"));
        } else if end {
            self.line(&note.to_string());
        }
    }

    /// What only `-v` shows.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.line(text);
        }
    }

    /// What went wrong, and what to do: shown also with `-q`.
    pub(crate) fn error(&self, text: &str, hint: Option<&str>) {
        self.line(&format!("{} {text}", self.paint(Tone::Bad, "error:")));
        for line in hint.into_iter().flat_map(str::lines) {
            self.line(&format!("{} {line}", self.paint(Tone::Good, "help:")));
        }
    }

    /// Lines of a server's stderr, already marked and made harmless.
    pub(crate) fn raw(&self, lines: &[u8]) {
        speaker::pass(lines.to_vec());
    }

    /// Colours a word on stderr.
    fn paint(&self, tone: Tone, text: &str) -> String {
        if self.colour { painted(tone, text) } else { text.to_owned() }
    }

    /// Colours a word of data.
    pub(crate) fn paint_data(&self, tone: Tone, text: &str) -> String {
        if self.colour_of_data { painted(tone, text) } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        speaker::say(format!("brig: {text}\n").into_bytes());
    }
}

fn painted(tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Good => "32",
        Tone::Warning => "33",
        Tone::Bad => "31",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// clap's own help, version and usage errors: help to stdout with status 0, errors to stderr with 2.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    drop(error.print());
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Whether stdin is a terminal, on which a person would wait for MCP in vain.
pub(crate) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}
