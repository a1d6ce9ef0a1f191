//! The hidden subcommand's words: which part of the simulator is to run.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::behaviours::{self, BEHAVIOURS};
use crate::{Facts, serve};

/// How long `hold` stays at most, in seconds: a forgotten one must not stay for ever.
const MAX_HOLD: u64 = 600;

/// Why the simulator stopped.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The words name nothing.
    #[error("the simulator knows no {words:?}")]
    Words {
        /// What was asked for.
        words: Vec<String>,
    },
    /// The streams failed, or a process could not be started.
    #[error("the simulator's streams failed")]
    Streams(#[from] io::Error),
}

impl EnterError {
    /// What to type instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Words { .. } => {
                let names: Vec<&str> = BEHAVIOURS.iter().map(|b| b.name).collect();
                Some(format!(
                    "say nothing (a well-behaved server), `say WORDS`, `hold [SECONDS]` or `misbehave NAME` with one of {}",
                    names.join(", ")
                ))
            }
            Self::Streams(_) => None,
        }
    }
}

/// Runs what `words` name, and returns the exit status to end with.
///
/// | words | what runs |
/// |---|---|
/// | none | the well-behaved server, see [`serve()`] |
/// | `say WORDS…` | prints the words and ends: a harmless program for the tool `run` |
/// | `hold` | prints `holding`, then stays until its input ends: a process to look at |
/// | `hold SECONDS` | the same, for so many seconds (at most 600) |
/// | `misbehave NAME` | one of [`BEHAVIOURS`] |
///
/// # Errors
/// [`EnterError::Words`] for other words, [`EnterError::Streams`] when a stream fails.
pub fn enter(
    words: &[String],
    mut input: impl Read,
    mut output: impl Write + Send,
    facts: &Facts,
) -> Result<u8, EnterError> {
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let unknown = || EnterError::Words { words: words.to_vec() };
    match known.as_slice() {
        [] => serve(input, output, facts)?,
        ["say", said @ ..] => writeln!(output, "{}", said.join(" "))?,
        ["hold"] => {
            holding(&mut output)?;
            io::copy(&mut input, &mut io::sink())?;
        }
        ["hold", seconds] => {
            let seconds: u64 = seconds.parse().map_err(|_| unknown())?;
            holding(&mut output)?;
            std::thread::sleep(Duration::from_secs(seconds.min(MAX_HOLD)));
        }
        ["misbehave", name] => {
            let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == *name).ok_or_else(unknown)?;
            return Ok(behaviours::perform(behaviour, input, output, facts)?);
        }
        _ => return Err(unknown()),
    }
    Ok(0)
}

fn holding(output: &mut impl Write) -> io::Result<()> {
    output.write_all(b"holding\n")?;
    output.flush()
}
