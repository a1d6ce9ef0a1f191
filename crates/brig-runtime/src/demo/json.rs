//! The report for machines: a frozen format, never the shape of our own types.

use serde_json::{Value, json};

use super::client::Era;
use super::judge::{Eras, Outcome, Report, Verdict};

/// The name and version of the format. A change that is not an addition gets a new number.
const SCHEMA: &str = "brig-demo/1";

/// The report as one JSON object.
///
/// `schema`, `verdict` (`held`, `broken`, `cannot_tell`), `exit_status`, `no_box` (a string or
/// null), `versions` (the two protocol versions), `attempts` and `harmless` (lists; `plain` and
/// `boxed` hold `legacy` and `modern`, each with `outcome` and, unless it was reached or works,
/// `why`), `took_ms`.
#[must_use]
pub fn json(report: &Report) -> String {
    let attempts: Vec<Value> = report
        .rows
        .iter()
        .map(|row| {
            json!({
                "id": row.attempt.id,
                "asset": row.attempt.asset.id(),
                "tool": row.attempt.tool,
                "call": row.call,
                "wants": row.attempt.wants,
                "wall": row.attempt.wall,
                "plain": eras(&row.plain, outcome),
                "boxed": eras(&row.boxed, outcome),
            })
        })
        .collect();
    let harmless: Vec<Value> = report
        .harmless
        .iter()
        .map(|call| {
            json!({
                "tool": call.tool,
                "call": call.call,
                "plain": eras(&call.plain, works),
                "boxed": eras(&call.boxed, works),
            })
        })
        .collect();
    let verdict = report.verdict();
    let word = match verdict {
        Verdict::Held => "held",
        Verdict::Broken => "broken",
        Verdict::CannotTell => "cannot_tell",
    };
    json!({
        "schema": SCHEMA,
        "verdict": word,
        "exit_status": verdict.exit_status(),
        "no_box": report.no_box,
        "versions": {
            "legacy": Era::Legacy.version(),
            "modern": Era::Modern.version(),
        },
        "attempts": attempts,
        "harmless": harmless,
        "took_ms": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
    })
    .to_string()
}

fn eras<T>(eras: &Eras<T>, show: impl Fn(&T) -> Value) -> Value {
    json!({"legacy": show(&eras.legacy), "modern": show(&eras.modern)})
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Reached => json!({"outcome": "reached"}),
        Outcome::Held { why } => json!({"outcome": "held", "why": why}),
        Outcome::Untested { why } => json!({"outcome": "untested", "why": why}),
    }
}

fn works(works: &Result<(), String>) -> Value {
    match works {
        Ok(()) => json!({"outcome": "works"}),
        Err(why) => json!({"outcome": "failed", "why": why}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::judge::tests::good;

    #[test]
    fn the_format_is_frozen() {
        let mut report = good();
        report.rows.truncate(1);
        report.harmless.truncate(1);
        report.rows[0].boxed.modern = Outcome::Untested { why: "no answer".to_owned() };
        report.harmless[0].boxed.legacy = Err("broken".to_owned());
        let read: Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(
            read,
            json!({
                "schema": "brig-demo/1",
                "verdict": "broken",
                "exit_status": 1,
                "no_box": null,
                "versions": {"legacy": "2025-11-25", "modern": "2026-07-28"},
                "attempts": [{
                    "id": "home-key",
                    "asset": "A01",
                    "tool": "read_file",
                    "call": "read_file something",
                    "wants": "an SSH key in the home folder",
                    "wall": "the box has a root of its own; your home folder is not in it",
                    "plain": {"legacy": {"outcome": "reached"}, "modern": {"outcome": "reached"}},
                    "boxed": {
                        "legacy": {"outcome": "held", "why": "no such file"},
                        "modern": {"outcome": "untested", "why": "no answer"},
                    },
                }],
                "harmless": [{
                    "tool": "echo",
                    "call": "echo a word",
                    "plain": {"legacy": {"outcome": "works"}, "modern": {"outcome": "works"}},
                    "boxed": {
                        "legacy": {"outcome": "failed", "why": "broken"},
                        "modern": {"outcome": "works"},
                    },
                }],
                "took_ms": 900,
            })
        );
    }
}
