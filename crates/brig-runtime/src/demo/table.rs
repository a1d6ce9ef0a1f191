//! The report for people. Pure: a report and a style go in, text comes out.

use super::client::Era;
use super::judge::{Harmless, Outcome, Report, Row, Verdict};

/// How the text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; less than [`Style::NARROWEST`] is taken for that.
    pub width: usize,
    /// Whether colours may be used. Without them the words alone say everything.
    pub colour: bool,
}

impl Style {
    /// Below this width a table cannot be read; lines then get longer than asked for.
    pub const NARROWEST: usize = 40;
    /// Beyond this width lines are hard to read.
    const WIDEST: usize = 100;
    /// Below this width the outcomes stand below each call instead of beside it.
    const TABLE: usize = 64;
    /// Columns of outcomes farther to the right are hard to follow from the calls.
    const FARTHEST: usize = 66;
}

/// The width of the column of the plain process, its title and a gap.
const PLAIN: usize = 15;
/// The width of the column of the box: its title.
const BOXED: usize = 10;
/// What stands left of a row: the asset's identifier.
const MARGIN: usize = 5;

#[derive(Clone, Copy)]
enum Paint {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

/// The report as lines of text, each ended.
#[must_use]
pub fn table(report: &Report, style: Style) -> String {
    let mut page =
        Page { width: style.width.clamp(Style::NARROWEST, Style::WIDEST), colour: style.colour, text: String::new() };
    page.headline(report);
    page.blank();
    page.head();
    for row in &report.rows {
        page.row(row);
    }
    page.blank();
    page.harmless(&report.harmless);
    page.findings(report);
    page.blank();
    page.next(report);
    page.text
}

struct Page {
    width: usize,
    colour: bool,
    text: String,
}

impl Page {
    fn headline(&mut self, report: &Report) {
        let total = report.rows.len();
        let got = |reached: fn(&Row) -> &Outcome| {
            let rows = report.rows.iter();
            rows.filter(|row| *reached(row) == Outcome::Reached).count()
        };
        let (plain, boxed) = (got(Row::plain), got(Row::boxed));
        let (paint, headline) = match (report.verdict(), report.no_box.is_some()) {
            (Verdict::Held, _) => (
                Paint::Green,
                format!(
                    "The box held: a hostile MCP server reached {plain} of {total} planted secrets as a plain process, and none in the box."
                ),
            ),
            (Verdict::Broken, _) if boxed > 0 => (
                Paint::Red,
                format!("THE BOX DID NOT HOLD: the server reached {boxed} of {total} planted secrets from inside."),
            ),
            (Verdict::Broken, _) => {
                (Paint::Red, "The box stopped harmless calls: a server would not work in it.".to_owned())
            }
            (Verdict::CannotTell, true) => (
                Paint::Yellow,
                format!(
                    "No box could be made here. As a plain process, the server reached {plain} of {total} planted secrets."
                ),
            ),
            (Verdict::CannotTell, false) => {
                (Paint::Yellow, "Cannot tell whether the box holds: a call that had to be answered was not.".to_owned())
            }
        };
        self.wrapped("", &headline, Some(paint));
        self.wrapped(
            "",
            "The same server made the same tool calls in both worlds. Every secret is a random word made for this run, every service a stand-in on loopback.",
            Some(Paint::Dim),
        );
    }

    /// The head of the table, where there is room for one.
    fn head(&mut self) {
        if self.width < Style::TABLE {
            return;
        }
        let left = self.left();
        let line = format!("{:<left$}{:<PLAIN$}in the box", "tool call", "plain process");
        self.line(&line, Some(Paint::Bold));
        self.line(&"-".repeat(left + PLAIN + BOXED), Some(Paint::Dim));
    }

    /// The columns left of the outcomes.
    fn left(&self) -> usize {
        (self.width - PLAIN - BOXED).min(Style::FARTHEST)
    }

    fn row(&mut self, row: &Row) {
        let (plain, boxed) = (row.plain(), row.boxed());
        let asset = row.attempt.asset.id();
        let beside = self.width >= Style::TABLE;
        let room = if beside { self.left() - 1 } else { self.width };
        let call = wrap(&row.call, room - MARGIN);
        for (at, part) in call.iter().enumerate() {
            let asset = if at == 0 { asset } else { "" };
            let start = format!("{asset:<MARGIN$}{part}");
            if beside && at == 0 {
                let (plain, gap) = self.cell(plain, PLAIN);
                let (boxed, _) = self.cell(boxed, BOXED);
                let left = self.left();
                self.text += &format!("{start:<left$}{plain}{gap}{boxed}\n");
            } else {
                self.line(&start, None);
            }
        }
        let margin = " ".repeat(MARGIN);
        if !beside {
            let cells = [("plain process: ", plain), ("in the box: ", boxed)];
            for (name, outcome) in cells {
                let (cell, _) = self.cell(outcome, 0);
                self.text += &format!("{margin}{name}{cell}\n");
            }
        }
        let (wants, wall) = (row.attempt.wants, row.attempt.wall);
        let wanted = match boxed {
            Outcome::Held { .. } => format!("{wants}: {wall}"),
            Outcome::Reached => format!("{wants}; what should have held: {wall}"),
            Outcome::Untested { .. } => format!("{wants}; what is to hold: {wall}"),
        };
        self.wrapped(&margin, &wanted, Some(Paint::Dim));
    }

    /// One outcome, and the gap that fills its column.
    fn cell(&self, outcome: &Outcome, width: usize) -> (String, String) {
        let (word, paint) = match outcome {
            Outcome::Reached => ("REACHED", Paint::Red),
            Outcome::Held { .. } => ("held", Paint::Green),
            Outcome::Untested { .. } => ("not tested", Paint::Yellow),
        };
        let gap = " ".repeat(width.saturating_sub(word.len()));
        (self.painted(word, Some(paint)), gap)
    }

    fn harmless(&mut self, calls: &[Harmless]) {
        let mut tools: Vec<&str> = calls.iter().map(|call| call.tool).collect();
        tools.dedup();
        let tools = tools.join(", ");
        let works = |call: &Harmless| call.boxed.both().iter().all(|works| works.is_ok());
        let working = calls.iter().filter(|call| works(call)).count();
        let versions = format!("{} and {}", Era::Legacy.version(), Era::Modern.version());
        let (line, paint) = if working == calls.len() {
            (format!("Harmless calls work in the box: {tools}. All of this holds for MCP {versions}."), None)
        } else {
            (
                format!("Harmless calls that work in the box: {working} of {} ({tools}; MCP {versions}).", calls.len()),
                Some(Paint::Yellow),
            )
        };
        self.wrapped("", &line, paint);
    }

    /// What went otherwise than it should, with the reasons; what has one reason is told once.
    fn findings(&mut self, report: &Report) {
        if report.no_box.is_some() {
            return; // one reason for all of it, told at the end
        }
        let mut told: Vec<(String, Vec<String>)> = Vec::new();
        for (what, call) in surprises(report) {
            match told.iter_mut().find(|(known, _)| *known == what) {
                Some((_, calls)) if calls.contains(&call) => {}
                Some((_, calls)) => calls.push(call),
                None => told.push((what, vec![call])),
            }
        }
        for (what, calls) in told {
            let more = match calls.len() {
                1 => String::new(),
                n => format!(", and {} more", n - 1),
            };
            let line = format!("- {what} ({}{more})", calls[0]);
            self.wrapped("  ", &line, Some(Paint::Yellow));
        }
    }

    /// The last lines: what to type next.
    fn next(&mut self, report: &Report) {
        if let Some(why) = &report.no_box {
            self.wrapped("", &format!("Why there is no box: {why}"), Some(Paint::Yellow));
        }
        match report.verdict() {
            Verdict::Held => {
                self.wrapped("", "Next, put `brig run --` in front of a server of yours:", None);
                self.line("  brig run -- npx -y @modelcontextprotocol/server-everything", Some(Paint::Bold));
                self.line("  brig doctor     what this machine can enforce", Some(Paint::Bold));
            }
            Verdict::Broken | Verdict::CannotTell => {
                self.wrapped("", "Next, see what this machine can enforce, and how to get what is missing:", None);
                self.line("  brig doctor", Some(Paint::Bold));
            }
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, line: &str, paint: Option<Paint>) {
        let painted = self.painted(line.trim_end(), paint);
        self.text += &painted;
        self.text.push('\n');
    }

    /// `text` on as many lines as it needs, each after `margin`.
    fn wrapped(&mut self, margin: &str, text: &str, paint: Option<Paint>) {
        for part in wrap(text, self.width - margin.len()) {
            self.text += margin;
            self.line(&part, paint);
        }
    }

    fn painted(&self, text: &str, paint: Option<Paint>) -> String {
        let code = match paint {
            Some(paint) if self.colour => match paint {
                Paint::Bold => "1",
                Paint::Dim => "2",
                Paint::Red => "1;31",
                Paint::Green => "32",
                Paint::Yellow => "33",
            },
            _ => return text.to_owned(),
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Everything that went otherwise than it should: what, and at which call.
fn surprises(report: &Report) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let eras = Era::ALL.map(Era::version);
    for row in &report.rows {
        let worlds = [("as a plain process", &row.plain), ("in the box", &row.boxed)];
        for (world, outcomes) in worlds {
            let plain = world != "in the box";
            for (outcome, version) in outcomes.both().into_iter().zip(eras) {
                let what = match outcome {
                    Outcome::Reached if plain => continue,
                    Outcome::Held { .. } if !plain => continue,
                    Outcome::Reached => "this got through".to_owned(),
                    Outcome::Held { why } => format!("this did not get through: {why}"),
                    Outcome::Untested { why } => format!("no answer: {why}"),
                };
                found.push((format!("{world}, MCP {version}: {what}"), row.call.clone()));
            }
        }
    }
    for call in &report.harmless {
        for (world, works) in [("as a plain process", &call.plain), ("in the box", &call.boxed)] {
            for (works, version) in works.both().into_iter().zip(eras) {
                if let Err(why) = works {
                    let what = format!("{world}, MCP {version}: no answer: {why}");
                    found.push((what, call.call.to_owned()));
                }
            }
        }
    }
    found
}

/// Breaks at spaces, and within a word that is longer than a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let used = line.chars().count();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        } else if used > 0 {
            line.push(' ');
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        line.extend(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::judge::tests::good;

    fn plain(width: usize) -> Style {
        Style { width, colour: false }
    }

    #[test]
    fn a_good_report_reads_like_this() {
        let mut report = good();
        report.rows.truncate(2);
        report.rows[0].call = "read_file ~/.ssh/id_ed25519".to_owned();
        let expect = "\
The box held: a hostile MCP server reached 2 of 2 planted secrets as a plain
process, and none in the box.
The same server made the same tool calls in both worlds. Every secret is a
random word made for this run, every service a stand-in on loopback.

tool call                                              plain process  in the box
--------------------------------------------------------------------------------
A01  read_file ~/.ssh/id_ed25519                       REACHED        held
     an SSH key in the home folder: the box has a root of its own; your home
     folder is not in it
A01  run something                                     REACHED        held
     a token that another process holds: own process numbers and an own /proc:
     other processes do not exist there

Harmless calls work in the box: echo, read_file, get_env, run, fetch. All of
this holds for MCP 2025-11-25 and 2026-07-28.

Next, put `brig run --` in front of a server of yours:
  brig run -- npx -y @modelcontextprotocol/server-everything
  brig doctor     what this machine can enforce
";
        let text = table(&report, plain(80));
        assert_eq!(text, expect, "{text}");
    }

    #[test]
    fn no_line_is_wider_than_asked_for() {
        let mut broken = good();
        broken.rows[0].boxed.modern = Outcome::Reached;
        broken.rows[1].plain.legacy = Outcome::Untested { why: "x".repeat(200) };
        broken.harmless[1].boxed.legacy = Err("a long story ".repeat(12));
        let mut none = good();
        none.no_box = Some("the kernel refuses user namespaces".to_owned());
        for report in [good(), broken, none] {
            for width in [60, 64, 72, 80, 100, 200] {
                let text = table(&report, plain(width));
                let widest = text.lines().map(str::len).max().unwrap();
                assert!(widest <= width, "{widest} > {width}:\n{text}");
                assert!(text.is_ascii() && !text.contains('\u{1b}'));
            }
            // The commands at the end are never broken up, whatever the width.
            let narrow = table(&report, plain(1));
            let wide = |line: &&str| line.len() > Style::NARROWEST && !line.starts_with("  brig");
            assert_eq!(narrow.lines().filter(wide).count(), 0, "{narrow}");
        }
    }

    #[test]
    fn what_went_wrong_is_said_first_and_explained() {
        let mut report = good();
        report.rows[2].boxed.modern = Outcome::Reached;
        let text = table(&report, plain(100));
        assert!(text.starts_with("THE BOX DID NOT HOLD: "), "{text}");
        assert!(text.contains("- in the box, MCP 2026-07-28: this got through (fetch something)"), "{text}");
        assert!(text.ends_with("\n  brig doctor\n"), "{text}");

        let mut report = good();
        report.no_box = Some("user namespaces are off".to_owned());
        let text = table(&report, plain(100));
        assert!(text.starts_with("No box could be made here."), "{text}");
        assert!(text.contains("Why there is no box: user namespaces are off\n"), "{text}");

        let mut report = good();
        report.harmless[4].boxed.legacy = Err("it hangs".to_owned());
        let text = table(&report, plain(100));
        assert!(text.starts_with("The box stopped harmless calls"), "{text}");
        assert!(text.contains("5 of 6"), "{text}");
        for call in &mut report.harmless {
            call.boxed.legacy = Err("it hangs".to_owned());
        }
        let text = table(&report, plain(100));
        let once = "- in the box, MCP 2025-11-25: no answer: it hangs (echo a word, and 5 more)";
        assert!(text.contains(once), "{text}");

        let mut report = good();
        report.rows[4].plain.legacy = Outcome::Held { why: "refused".to_owned() };
        let text = table(&report, plain(100));
        assert!(text.starts_with("Cannot tell"), "{text}");
        assert!(text.contains("MCP 2025-11-25: this did not get through: refused"), "{text}");
    }

    #[test]
    fn colours_only_add() {
        let coloured = table(&good(), Style { width: 80, colour: true });
        assert!(coloured.contains("\u{1b}[1;31mREACHED\u{1b}[0m"));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare += before;
            rest = after.split_once('m').unwrap().1;
        }
        assert_eq!(bare + rest, table(&good(), plain(80)));
    }
}
