//! `--mount type=bind|volume|tmpfs,src=…,dst=…,…`, a line of CSV.

use super::super::flag::{Asset, Disposition};
use super::super::note::Note;
use super::super::problem::{Trouble, WrongValue};
use super::super::settle::{Draft, limit};
use super::super::size;
use super::memory::permissions;
use super::{ALWAYS_FILLED, Asked, csv, memory_point};

const KNOWN: &str = "type, src, dst, readonly, rw, staged, bind-propagation, volume-nocopy, \
                     tmpfs-size, tmpfs-mode";
const LABELS: &str = "brig's volumes have no labels";
const SUBMOUNTS: &str = "what is mounted below a grant is judged on its own";

const VOLUME_OPT: Disposition = Disposition::Refused {
    gives_away: &[Asset::HostCredentials, Asset::HostFiles],
    why: "a volume's driver options can mount any folder of the host, or a network's, unjudged",
    instead: "name the folder: --mount type=bind,src=FOLDER,dst=/path",
};
const WRITABLE_BELOW: Disposition = Disposition::Refused {
    gives_away: &[Asset::HostFiles],
    why: "what is mounted below a read-only folder would stay writable",
    instead: "leave it out; grant writing where it is needed: src=FOLDER,dst=/path,rw",
};
const CREATE_SOURCE: Disposition = Disposition::NotServed { instead: "make the folder first: mkdir -p FOLDER" };
const SUBPATH: Disposition = Disposition::NotServed { instead: "mount the whole volume" };
const OTHER_DRIVER: Disposition =
    Disposition::NotServed { instead: "mount it on the host, and grant the folder: -v FOLDER:/path" };
const OTHER_TYPE: Disposition = Disposition::NotServed { instead: "use type=bind, type=volume or type=tmpfs" };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bind,
    Volume,
    Tmpfs,
}

/// The fields of one `--mount`, before they are held against one another.
#[derive(Debug, Default)]
struct Fields {
    kind: Option<Kind>,
    source: Option<String>,
    target: Option<String>,
    asked: Asked,
    size: Option<u64>,
    mode: Option<u32>,
    /// Fields that only one kind of mount has, as they were spelt.
    only: Vec<(Kind, String)>,
}

/// Takes one `--mount`.
pub(in super::super) fn mount(spec: &str, draft: &mut Draft) -> Result<(), Trouble> {
    let mut fields = Fields::default();
    for field in csv::fields(spec.trim())? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field.as_str(), None),
        };
        let key = key.to_ascii_lowercase();
        if value == Some("") {
            return Err(WrongValue::Empty.into());
        }
        fields.read(&key, value, draft)?;
    }
    fields.add(draft)
}

impl Fields {
    fn read(&mut self, key: &str, value: Option<&str>, draft: &mut Draft) -> Result<(), Trouble> {
        for (kind, start) in [(Kind::Bind, "bind-"), (Kind::Volume, "volume-"), (Kind::Tmpfs, "tmpfs-")] {
            if key.starts_with(start) {
                self.only.push((kind, key.to_owned()));
            }
        }
        match (key, value) {
            ("type", Some(value)) => self.kind = Some(kind(value)?),
            ("source" | "src", Some(value)) => self.source = Some(value.to_owned()),
            ("target" | "dst" | "destination", Some(value)) => self.target = Some(value.to_owned()),
            ("readonly" | "ro", value) => match truth(value)? {
                true => self.asked.read = true,
                false => self.asked.write = true,
            },
            ("rw", value) => match truth(value)? {
                true => self.asked.write = true,
                false => self.asked.read = true,
            },
            ("staged", value) => self.asked.staged = truth(value)?,
            ("tmpfs-size", Some(value)) => self.size = Some(limit(size::bytes(value))?),
            ("tmpfs-mode", Some(value)) => self.mode = Some(permissions(value)?),
            (key, value) => rare(key, value, draft)?,
        }
        Ok(())
    }

    fn add(self, draft: &mut Draft) -> Result<(), Trouble> {
        let kind = self.kind.unwrap_or(Kind::Volume);
        if let Some((_, option)) = self.only.into_iter().find(|(of, _)| *of != kind) {
            return Err(WrongValue::UnknownOption { option, known: KNOWN }.into());
        }
        let target = self.target.ok_or(WrongValue::NoTarget)?;
        match (kind, self.source) {
            (Kind::Bind, None) => Err(WrongValue::NoSource.into()),
            (Kind::Bind, Some(source)) => draft.add_bind(&source, &target, &self.asked),
            (Kind::Volume, Some(name)) => draft.add_volume(&name, &target, &self.asked),
            (Kind::Volume, None) => draft.add_anonymous(&target, &self.asked),
            (Kind::Tmpfs, None) => draft.add_memory(memory_point(&target)?, self.size, self.mode, &self.asked),
            (Kind::Tmpfs, Some(_)) => {
                let option = "src".to_owned();
                Err(WrongValue::UnknownOption { option, known: "dst, tmpfs-size, tmpfs-mode" }.into())
            }
        }
    }
}

/// The fields that set nothing.
fn rare(key: &str, value: Option<&str>, draft: &mut Draft) -> Result<(), Trouble> {
    let harmless = |option: String, because| Note::HarmlessOption { option, because };
    let option = match value {
        // A label may say anything; the others are single words.
        Some(value) if key != "volume-label" => format!("{key}={value}"),
        _ => key.to_owned(),
    };
    match (key, value) {
        ("consistency" | "bind-propagation", Some(value)) => {
            if !draft.shared_option(value)? {
                return Err(WrongValue::UnknownOption { option, known: "private" }.into());
            }
        }
        ("bind-recursive", Some("enabled" | "disabled" | "readonly")) => {
            draft.note(harmless(option, SUBMOUNTS));
        }
        ("bind-recursive", Some("writable")) => return Err(Trouble::Judged(WRITABLE_BELOW)),
        ("bind-nonrecursive", value) => {
            truth(value)?;
            draft.note(harmless(option, SUBMOUNTS));
        }
        ("bind-create-src", value) => match truth(value)? {
            true => return Err(Trouble::Judged(CREATE_SOURCE)),
            false => draft.note(harmless(option, "a missing source is always an error")),
        },
        ("volume-nocopy", value) => {
            if truth(value)? {
                draft.note(Note::NotKept { option: key.to_owned(), because: ALWAYS_FILLED });
            }
        }
        ("volume-label", Some(_)) => draft.note(harmless(option, LABELS)),
        ("volume-subpath", Some(_)) => return Err(Trouble::Judged(SUBPATH)),
        ("volume-driver", Some("local")) => {
            draft.note(harmless(option, "brig keeps volumes in its own store"));
        }
        ("volume-driver", Some(_)) => return Err(Trouble::Judged(OTHER_DRIVER)),
        ("volume-opt", Some(_)) => return Err(Trouble::Judged(VOLUME_OPT)),
        ("image-subpath", Some(_)) => return Err(Trouble::Judged(OTHER_TYPE)),
        (key, _) => {
            let option = key.to_owned();
            return Err(WrongValue::UnknownOption { option, known: KNOWN }.into());
        }
    }
    Ok(())
}

fn kind(value: &str) -> Result<Kind, Trouble> {
    match value.to_ascii_lowercase().as_str() {
        "bind" => Ok(Kind::Bind),
        "volume" => Ok(Kind::Volume),
        "tmpfs" => Ok(Kind::Tmpfs),
        "image" | "npipe" | "cluster" => Err(Trouble::Judged(OTHER_TYPE)),
        _ => Err(WrongValue::NotOneOf { expects: "type=bind, type=volume or type=tmpfs" }.into()),
    }
}

fn truth(value: Option<&str>) -> Result<bool, WrongValue> {
    match value {
        None => Ok(true),
        Some(value) => size::truth(value).ok_or(WrongValue::NotATruth),
    }
}
