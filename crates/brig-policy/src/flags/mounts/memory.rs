//! `--tmpfs PATH[:OPTIONS]`

use super::super::flag::{Asset, Disposition};
use super::super::note::Note;
use super::super::problem::{Trouble, WrongValue};
use super::super::settle::{Draft, limit};
use super::super::size;
use super::{ALWAYS_SAFE, Asked, memory_point};

/// Permissions and the sticky bit; setuid and setgid on a folder of the box have no use.
const MODE_MOST: u32 = 0o1777;

const KNOWN: &str = "size=, mode=, rw, exec, noexec, nosuid, nodev, uid=, gid=";
const PLAIN: &str = "it is so anyway";
const OWNED: &str = "all memory of a box belongs to its one user";
const RUNS: &str = "programs in memory can be run, as everywhere in a box";
const NO_SAFETY_LOST: Disposition = Disposition::Refused {
    gives_away: &[Asset::HostCredentials, Asset::HostFiles],
    why: "setuid programs and device nodes are how a server would gain rights it does not have",
    instead: "leave the option out",
};

/// Takes one `--tmpfs`.
pub(in super::super) fn tmpfs(spec: &str, draft: &mut Draft) -> Result<(), Trouble> {
    let (path, options) = spec.split_once(':').unwrap_or((spec, ""));
    let target = memory_point(path)?;
    let mut size = None;
    let mut mode = None;
    let mut asked = Asked::default();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("size", value)) => size = Some(limit(size::bytes(value))?),
            Some(("mode", value)) => mode = Some(permissions(value)?),
            Some(("uid" | "gid", _)) => harmless(option, OWNED, draft),
            None => word(option, &mut asked, draft)?,
            Some((key, _)) => return Err(unknown(key)),
        }
    }
    draft.add_memory(target, size, mode, &asked)
}

fn word(option: &str, asked: &mut Asked, draft: &mut Draft) -> Result<(), Trouble> {
    match option {
        "ro" => asked.read = true,
        "rw" => asked.write = true,
        "exec" | "defaults" | "async" | "relatime" => harmless(option, PLAIN, draft),
        "nosuid" | "nodev" => harmless(option, ALWAYS_SAFE, draft),
        "noexec" => {
            draft.note(Note::NotKept { option: option.to_owned(), because: RUNS });
        }
        "suid" | "dev" => return Err(Trouble::Judged(NO_SAFETY_LOST)),
        other => return Err(unknown(other)),
    }
    Ok(())
}

/// The mode of a tmpfs, in octal.
pub(super) fn permissions(value: &str) -> Result<u32, WrongValue> {
    size::octal(value).filter(|mode| *mode <= MODE_MOST).ok_or(WrongValue::Mode)
}

fn harmless(option: &str, because: &'static str, draft: &mut Draft) {
    draft.note(Note::HarmlessOption { option: option.to_owned(), because });
}

fn unknown(option: &str) -> Trouble {
    WrongValue::UnknownOption { option: option.to_owned(), known: KNOWN }.into()
}
