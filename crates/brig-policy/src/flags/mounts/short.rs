//! `-v [FROM:]TO[:OPTIONS]`

use super::super::note::Note;
use super::super::problem::{Trouble, WrongValue};
use super::super::settle::Draft;
use super::{ALWAYS_FILLED, ALWAYS_SAFE, Asked, NEVER_FILLED};
use crate::request::Program;

const KNOWN: &str = "ro, rw, staged, z, Z, nocopy, private, cached";

/// Takes one `-v`.
pub(in super::super) fn volume(spec: &str, draft: &mut Draft) -> Result<(), Trouble> {
    if spec.is_empty() {
        return Err(WrongValue::Empty.into());
    }
    let parts: Vec<&str> = spec.split(':').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(WrongValue::EmptyPart.into());
    }
    let (source, target, options) = match parts[..] {
        [target] => return anonymous(target, draft),
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => return Err(WrongValue::TooManyColons.into()),
    };
    let is_path = source.starts_with(['/', '.', '~']);
    let asked = read_options(options, is_path, draft)?;
    if is_path { draft.add_bind(source, target, &asked) } else { draft.add_volume(source, target, &asked) }
}

/// `-v /path`: Docker's anonymous volume. Before a host program it would hide the very folder that
/// was most likely meant to be granted, so there it has to be said which.
fn anonymous(target: &str, draft: &mut Draft) -> Result<(), Trouble> {
    match draft.request.program {
        Program::Host { .. } => Err(WrongValue::GrantOrVolume { path: target.to_owned() }.into()),
        Program::Image { .. } => draft.add_anonymous(target, &Asked::default()),
    }
}

fn read_options(options: &str, is_path: bool, draft: &mut Draft) -> Result<Asked, Trouble> {
    let mut asked = Asked::default();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => asked.read = true,
            "rw" => asked.write = true,
            "staged" => asked.staged = true,
            "nosuid" | "nodev" => draft.note(Note::HarmlessOption { option: option.to_owned(), because: ALWAYS_SAFE }),
            "nocopy" if is_path => {
                draft.note(Note::HarmlessOption { option: option.to_owned(), because: NEVER_FILLED })
            }
            "nocopy" => draft.note(Note::NotKept { option: option.to_owned(), because: ALWAYS_FILLED }),
            other if draft.shared_option(other)? => {}
            other => {
                let option = other.to_owned();
                return Err(WrongValue::UnknownOption { option, known: KNOWN }.into());
            }
        }
    }
    Ok(asked)
}
