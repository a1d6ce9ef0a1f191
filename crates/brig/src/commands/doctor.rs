//! `brig doctor`: the only true answer is a box, so it makes one and says how its walls stand.

use std::fmt::Write;
use std::process::ExitCode;

use brig_engine::seccomp;
use brig_engine::walls::{Standing, State};
use brig_policy::request::{Program, Request};
use brig_runtime::run;
use serde_json::json;

use super::Outcome;
use crate::args::Doctor;
use crate::screen::{Screen, Tone};
use crate::settings::Settings;

/// The form of `--json`; raised when a field changes its meaning.
const SCHEMA: &str = "brig.doctor/1";

/// Lets brig make namespaces where AppArmor keeps unprivileged programs from it (apparmor.d(5)).
const PROFILE: &str = "\
abi <abi/4.0>,
include <tunables/global>

profile brig @{BRIG} flags=(unconfined) {
  userns,
}
";

pub(super) fn run(args: &Doctor, settings: &Settings, screen: &Screen) -> Outcome {
    if args.system_calls {
        screen.data(&system_calls());
        return Ok(ExitCode::SUCCESS);
    }
    if args.apparmor_profile {
        let brig = std::env::current_exe()?;
        screen.data(&PROFILE.replace("@{BRIG}", &brig.display().to_string()));
        return Ok(ExitCode::SUCCESS);
    }
    // Nothing is run in it: the walls stand before a program could.
    let request = Request::new(Program::Host { argv: vec!["true".to_owned()] });
    match run::prepare(&request, &settings.context(), &|_| ()) {
        Ok(prepared) => Ok(tell(prepared.walls(), args, screen)),
        Err(error) => {
            if args.json {
                let value = json!({ "schema": SCHEMA, "box": false, "why": error.to_string(), "hint": error.hint() });
                screen.data(&format!("{value}\n"));
            }
            Err(error.into())
        }
    }
}

/// 0 when every wall is enforced, 1 otherwise.
fn tell(walls: &[Standing], args: &Doctor, screen: &Screen) -> ExitCode {
    let short = walls.iter().filter(|one| one.state != State::Enforced).count();
    if args.json {
        let walls: Vec<_> = walls.iter().map(as_json).collect();
        let value = json!({ "schema": SCHEMA, "box": true, "engine": "native", "walls": walls });
        screen.data(&format!("{value}\n"));
    } else {
        screen.data(&table(walls, screen));
        let end = match short {
            0 => "This machine can enforce every wall.".to_owned(),
            1 => "One wall is less than it could be; boxes start all the same, unless --strict.".to_owned(),
            _ => format!("{short} walls are less than they could be; boxes start all the same, unless --strict."),
        };
        screen.data(&format!("\n{end}\n"));
    }
    ExitCode::from(u8::from(short > 0))
}

fn table(walls: &[Standing], screen: &Screen) -> String {
    let mut text = String::new();
    for Standing { wall, state } in walls {
        let (tone, word, more) = match state {
            State::Enforced => (Tone::Good, "enforced", None),
            State::Weaker { how, better } => (Tone::Warning, "weaker", Some((how, better))),
            State::Missing { why, better } => (Tone::Bad, "missing", Some((why, better))),
        };
        // Padded before it is painted: escapes have no width.
        let word = screen.paint_data(tone, &format!("{word:9}"));
        let _ = writeln!(text, "{:20}{word} {}", wall.id, wall.title);
        if let Some((why, better)) = more {
            let _ = writeln!(text, "{:20}          {why}", "");
            if let Some(better) = better {
                let _ = writeln!(text, "{:20}          better: {better}", "");
            }
        } else if screen.verbose() {
            let _ = writeln!(text, "{:20}          keeps away from {}", "", wall.keeps);
        }
    }
    text
}

fn as_json(standing: &Standing) -> serde_json::Value {
    let Standing { wall, state } = standing;
    let (word, why, better) = match state {
        State::Enforced => ("enforced", None, None),
        State::Weaker { how, better } => ("weaker", Some(how), better.as_ref()),
        State::Missing { why, better } => ("missing", Some(why), better.as_ref()),
    };
    json!({ "id": wall.id, "title": wall.title, "keeps": wall.keeps, "state": word, "why": why, "better": better })
}

fn system_calls() -> String {
    let mut text = String::new();
    for line in seccomp::list(false) {
        let _ = writeln!(text, "{:24}{:28}{}", line.name, line.verdict, line.why);
    }
    text
}
