//! Servers that misbehave on purpose, as one list. A new one is a file in `behaviours/` and a line
//! in [`BEHAVIOURS`].
//!
//! They are for tests of whoever must survive such a server. None of them outlives [`LIFETIME`].

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use crate::Facts;
use crate::serve::{Line, MAX_LINE, answer_line, read_line};
use crate::session::Session;

mod asks_client;
mod bad_utf8;
mod chatty;
mod deaf_to_term;
mod deep;
mod dies_by_signal;
mod duplicate_keys;
mod endless_line;
mod exits_with_code;
mod flood;
mod grandchild;
mod half_line;
mod huge;
mod never_answers;
mod never_reads;
mod slow_start;
mod wrong_id;

/// All of them, sorted by name.
pub const BEHAVIOURS: &[Behaviour] = &[
    asks_client::BEHAVIOUR,
    bad_utf8::BEHAVIOUR,
    chatty::BEHAVIOUR,
    deaf_to_term::BEHAVIOUR,
    deep::BEHAVIOUR,
    dies_by_signal::BEHAVIOUR,
    duplicate_keys::BEHAVIOUR,
    endless_line::BEHAVIOUR,
    exits_with_code::BEHAVIOUR,
    flood::BEHAVIOUR,
    grandchild::BEHAVIOUR,
    half_line::BEHAVIOUR,
    huge::BEHAVIOUR,
    never_answers::BEHAVIOUR,
    never_reads::BEHAVIOUR,
    slow_start::BEHAVIOUR,
    wrong_id::BEHAVIOUR,
];

/// How long a behaviour that ends only by being killed stays, should nobody kill it.
const LIFETIME: Duration = Duration::from_secs(600);

/// One way to misbehave.
#[derive(Debug)]
pub struct Behaviour {
    /// The word that chooses it: `misbehave NAME`.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Runs it and returns the exit status.
    run: fn(&mut Stage<'_>) -> io::Result<u8>,
}

/// What a behaviour plays with.
struct Stage<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    facts: &'a Facts,
    session: Session,
}

impl Stage<'_> {
    /// The next line that has an answer, and what a well-behaved server would answer, without its
    /// line end; `None` when the client closed its end.
    fn next_answer(&mut self) -> io::Result<Option<String>> {
        while let Some(line) = read_line(&mut self.input, MAX_LINE)? {
            if let Line::Whole(line) = line
                && let Some(answer) = answer_line(&mut self.session, &line, self.facts)
            {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Sends bytes as they are.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.output.flush()
    }

    /// Sends a line.
    fn send_line(&mut self, line: &str) -> io::Result<()> {
        self.send(format!("{line}\n").as_bytes())
    }
}

/// Runs `behaviour` on these streams.
pub(crate) fn perform(
    behaviour: &Behaviour,
    input: impl Read,
    mut output: impl Write,
    facts: &Facts,
) -> io::Result<u8> {
    (behaviour.run)(&mut Stage {
        input: &mut BufReader::new(input),
        output: &mut output,
        facts,
        session: Session::default(),
    })
}
