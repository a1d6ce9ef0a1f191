//! From answers to a verdict. No I/O.

use std::time::Duration;

use super::Visit;
use super::attempts::Attempt;
use super::client::{Reply, TalkError};
use super::token::Token;

/// How much of a server's own words is shown.
const MAX_REASON: usize = 160;

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The planted token came back.
    Reached,
    /// There was an answer, without the token.
    Held {
        /// What the answer said instead.
        why: String,
    },
    /// There was no answer, so nothing is known.
    Untested {
        /// Why not.
        why: String,
    },
}

/// The same thing in both eras.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eras<T> {
    /// In the era of `initialize`.
    pub legacy: T,
    /// In the stateless era.
    pub modern: T,
}

impl<T> Eras<T> {
    /// From two visits, in the order of [`super::Era::ALL`].
    pub(super) fn of(visits: &[Visit], pick: impl Fn(&Visit) -> T) -> Self {
        Self { legacy: pick(&visits[0]), modern: pick(&visits[1]) }
    }

    /// Both, the older era first.
    pub fn both(&self) -> [&T; 2] {
        [&self.legacy, &self.modern]
    }
}

/// One attempt and what it came to in both worlds.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was tried.
    pub attempt: &'static Attempt,
    /// The call, as people are shown it.
    pub call: String,
    /// As a plain process.
    pub plain: Eras<Outcome>,
    /// In the box.
    pub boxed: Eras<Outcome>,
}

/// One harmless call and whether it worked in both worlds; an error says what went wrong.
#[derive(Debug, Clone)]
pub struct Harmless {
    /// The tool that was called.
    pub tool: &'static str,
    /// The call, as people are shown it.
    pub call: &'static str,
    /// As a plain process.
    pub plain: Eras<Result<(), String>>,
    /// In the box.
    pub boxed: Eras<Result<(), String>>,
}

/// All that the demo saw. It holds no token.
#[derive(Debug, Clone)]
pub struct Report {
    /// The attempts, in the order of [`super::ATTEMPTS`].
    pub rows: Vec<Row>,
    /// The harmless calls.
    pub harmless: Vec<Harmless>,
    /// Why there was no box, when there was none.
    pub no_box: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// What it all means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The plain process reached everything, the box nothing, and all harmless calls worked.
    Held,
    /// The box let something out, or it stopped a harmless call.
    Broken,
    /// There was no box, or the plain process proved nothing.
    CannotTell,
}

impl Verdict {
    /// The exit status of a judging command.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Broken => 1,
            Self::CannotTell => 3,
        }
    }
}

impl Report {
    /// The verdict. What the box let out is never outweighed by anything else.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let boxed = || self.rows.iter().flat_map(|row| row.boxed.both());
        let plain = || self.rows.iter().flat_map(|row| row.plain.both());
        if boxed().any(|outcome| *outcome == Outcome::Reached) {
            return Verdict::Broken;
        }
        let works_plain = |call: &Harmless| call.plain.both().iter().all(|works| works.is_ok());
        let works_boxed = |call: &Harmless| call.boxed.both().iter().all(|works| works.is_ok());
        if self.no_box.is_some()
            || !self.harmless.iter().all(works_plain)
            || plain().any(|outcome| *outcome != Outcome::Reached)
        {
            return Verdict::CannotTell;
        }
        if !self.harmless.iter().all(works_boxed) {
            return Verdict::Broken;
        }
        if boxed().all(|outcome| matches!(outcome, Outcome::Held { .. })) { Verdict::Held } else { Verdict::CannotTell }
    }
}

impl Row {
    /// What the plain process shows: reached only when it was reached in both eras.
    #[must_use]
    pub fn plain(&self) -> &Outcome {
        pick(&self.plain, |outcome| *outcome != Outcome::Reached)
    }

    /// What the box shows: held only when it held in both eras.
    #[must_use]
    pub fn boxed(&self) -> &Outcome {
        if self.boxed.both().contains(&&Outcome::Reached) {
            return &Outcome::Reached;
        }
        pick(&self.boxed, |outcome| matches!(outcome, Outcome::Untested { .. }))
    }
}

/// The first that is `worse`, or else the older era's.
fn pick(eras: &Eras<Outcome>, worse: impl Fn(&Outcome) -> bool) -> &Outcome {
    let found = eras.both().into_iter().find(|outcome| worse(outcome));
    found.unwrap_or(&eras.legacy)
}

/// What an answer to an attempt proves. Stray lines are searched too: a token that got out beside
/// the answer got out.
pub(super) fn outcome(answer: Result<Reply, TalkError>, token: &Token, strays: &[Vec<u8>]) -> Outcome {
    if strays.iter().any(|line| token.is_in(line)) {
        return Outcome::Reached;
    }
    match answer {
        Ok(reply) if token.is_in(&reply.raw) || token.is_in(reply.text.as_bytes()) => Outcome::Reached,
        Ok(reply) if reply.failed => Outcome::Held { why: tame(&reply.text) },
        Ok(_) => Outcome::Held { why: "another answer, without the planted token".to_owned() },
        Err(why) => Outcome::Untested { why: tame(&why.to_string()) },
    }
}

/// A server's words, made harmless for a terminal: one short line of printable ASCII.
pub(super) fn tame(text: &str) -> String {
    tame_to(text, MAX_REASON)
}

/// Somebody's words, made harmless for a terminal: one line of at most `max` letters.
pub(super) fn tame_to(text: &str, max: usize) -> String {
    let mut line = String::new();
    for (at, letter) in text.trim().chars().enumerate() {
        if at == max {
            line.push_str("...");
            break;
        }
        line.push(match letter {
            ' '..='~' => letter,
            '\n' | '\r' | '\t' => ' ',
            _ => '?',
        });
    }
    line
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::attempts::{ATTEMPTS, HARMLESS};
    use super::*;

    fn both<T: Clone>(value: T) -> Eras<T> {
        Eras { legacy: value.clone(), modern: value }
    }

    fn held() -> Outcome {
        Outcome::Held { why: "no such file".to_owned() }
    }

    fn untested() -> Outcome {
        Outcome::Untested { why: "no answer".to_owned() }
    }

    /// A report as it should be; tests spoil it.
    pub(in super::super) fn good() -> Report {
        let rows = ATTEMPTS.iter().map(|attempt| Row {
            attempt,
            call: format!("{} something", attempt.tool),
            plain: both(Outcome::Reached),
            boxed: both(held()),
        });
        let harmless = HARMLESS.iter().map(|call| Harmless {
            tool: call.tool,
            call: call.shown,
            plain: both(Ok(())),
            boxed: both(Ok(())),
        });
        Report { rows: rows.collect(), harmless: harmless.collect(), no_box: None, took: Duration::from_millis(900) }
    }

    fn spoilt(spoil: impl Fn(&mut Report)) -> Verdict {
        let mut report = good();
        spoil(&mut report);
        report.verdict()
    }

    #[test]
    fn the_verdict_follows_from_what_was_seen() {
        let broken = || Err("broken".to_owned());
        assert_eq!(spoilt(|_| ()), Verdict::Held);
        assert_eq!(spoilt(|r| r.rows[2].boxed.modern = Outcome::Reached), Verdict::Broken);
        assert_eq!(spoilt(|r| r.rows[0].boxed.legacy = Outcome::Reached), Verdict::Broken);
        assert_eq!(spoilt(|r| r.rows[5].boxed.legacy = untested()), Verdict::CannotTell);
        assert_eq!(spoilt(|r| r.rows[1].plain.modern = held()), Verdict::CannotTell);
        assert_eq!(spoilt(|r| r.rows[1].plain.legacy = untested()), Verdict::CannotTell);
        assert_eq!(spoilt(|r| r.harmless[0].boxed.modern = broken()), Verdict::Broken);
        assert_eq!(spoilt(|r| r.harmless[3].plain.legacy = broken()), Verdict::CannotTell);
        assert_eq!(spoilt(|r| r.no_box = Some(String::new())), Verdict::CannotTell);
        // What got out is never outweighed.
        let all = |r: &mut Report| {
            r.rows[3].boxed.modern = Outcome::Reached;
            r.rows[1].plain.modern = held();
            r.harmless[3].plain.legacy = broken();
        };
        assert_eq!(spoilt(all), Verdict::Broken);
        let statuses = [Verdict::Held, Verdict::Broken, Verdict::CannotTell];
        assert_eq!(statuses.map(Verdict::exit_status), [0, 1, 3]);
    }

    #[test]
    fn a_row_shows_the_worse_of_its_eras() {
        let mut row = good().rows.remove(0);
        row.boxed.modern = untested();
        assert_eq!(row.boxed(), &untested());
        row.boxed.legacy = Outcome::Reached;
        assert_eq!(row.boxed(), &Outcome::Reached);
        row.plain.modern = held();
        assert_eq!(row.plain(), &held());
    }

    #[test]
    fn only_the_token_proves_that_something_was_reached() {
        let token = Token::random().unwrap();
        let reply = |text: &str, failed| Ok(Reply { raw: Vec::new(), text: text.to_owned(), failed });
        let quiet = Vec::new();
        assert_eq!(outcome(reply(token.text(), false), &token, &quiet), Outcome::Reached);
        assert_eq!(outcome(reply(token.text(), true), &token, &quiet), Outcome::Reached);
        let opened = outcome(reply("opened", false), &token, &quiet);
        assert!(matches!(opened, Outcome::Held { .. }));
        let refused = outcome(reply("no such\u{1b}[2J file", true), &token, &quiet);
        let why = "no such?[2J file".to_owned();
        assert_eq!(refused, Outcome::Held { why });
        let silent = outcome(Err(TalkError::Closed), &token, &quiet);
        assert!(matches!(silent, Outcome::Untested { .. }));
        let beside = vec![format!("log: {}", token.text()).into_bytes()];
        let answer = outcome(Err(TalkError::Closed), &token, &beside);
        assert_eq!(answer, Outcome::Reached);
    }

    #[test]
    fn a_servers_words_are_tamed() {
        assert_eq!(tame(" a\tb\u{202e}\u{7}é "), "a b???");
        assert_eq!(tame(&"x".repeat(500)).len(), MAX_REASON + 3);
    }
}
