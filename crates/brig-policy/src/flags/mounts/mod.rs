//! The three spellings of a mount: `-v`, `--mount` and `--tmpfs`. Only their syntax is judged here;
//! what a host path *is* gets judged by whoever can look at it.

mod csv;
mod long;
mod memory;
mod short;

use super::flag::{Asset, Disposition};
use super::note::Note;
use super::problem::{Trouble, WrongValue};
use super::settle::Draft;
use crate::mount::{Access, MountRequest, Source};

pub(super) use long::mount;
pub(super) use memory::tmpfs;
pub(super) use short::volume;

/// The most mounts of one box: each costs several system calls at every start, and is walked.
pub const MOUNTS_MOST: usize = 256;
/// The longest path that the kernel takes, in bytes (`PATH_MAX`, path_resolution(7)).
const PATH_LENGTH: usize = 4096;
/// The longest name of a volume: that of a folder (`NAME_MAX`).
const VOLUME_LENGTH: usize = 255;

const PROPAGATION: Disposition = Disposition::Refused {
    gives_away: &[Asset::HostFiles],
    why: "what is mounted on the host later, a disk or another home, would appear in the box",
    instead: "leave it out; what is mounted when the box starts is seen",
};
const SYSTEM_FOLDER: Disposition = Disposition::Refused {
    gives_away: &[Asset::HostCredentials, Asset::HostFiles],
    why: "the box's /proc, /sys and /dev are brig's, since they lead into the kernel",
    instead: "leave it out; --proc full shows cpuinfo and meminfo, --shm-size sizes /dev/shm",
};
const NEVER_RELABELLED: &str = "brig needs no SELinux label on your files and changes none";
const LINUX_ONLY: &str = "it means something on Docker Desktop only";
const ALWAYS_PRIVATE: &str = "mounts of a box are always its own";
const ALWAYS_FILLED: &str = "a new volume is filled from the image all the same";
const NEVER_FILLED: &str = "a host folder is never filled from the image";
const ALWAYS_SAFE: &str = "no mount of a box honours setuid bits or device nodes";

/// Which ways of access the options of a mount ask for.
#[derive(Debug, Default)]
struct Asked {
    read: bool,
    write: bool,
    staged: bool,
}

impl Asked {
    /// The access that is meant, `default` when nothing was said.
    fn access(&self, default: Access) -> Result<Access, WrongValue> {
        match (self.read, self.write, self.staged) {
            (true, true, _) | (true, _, true) => Err(WrongValue::ReadOnlyAndWritable),
            (_, _, true) => Ok(Access::Staged),
            (true, ..) => Ok(Access::ReadOnly),
            (_, true, _) => Ok(Access::ReadWrite),
            _ => Ok(default),
        }
    }

    fn said(&self) -> bool {
        self.read || self.write || self.staged
    }
}

impl Draft {
    /// Adds a bind, and says when its access was chosen by brig.
    fn add_bind(&mut self, source: &str, target: &str, asked: &Asked) -> Result<(), Trouble> {
        let source = host_path(source)?;
        let target = mount_point(target)?;
        let access = asked.access(Access::ReadOnly)?;
        self.add(MountRequest { source: Source::Host(source.clone()), target: target.clone(), access })?;
        if !asked.said() {
            self.note(Note::ReadOnlyByDefault { source, target });
        }
        Ok(())
    }

    /// Adds a named volume. It is brig's own folder, so it is writable unless `ro`.
    fn add_volume(&mut self, name: &str, target: &str, asked: &Asked) -> Result<(), Trouble> {
        let name = volume_name(name)?;
        let target = mount_point(target)?;
        let access = asked.access(Access::ReadWrite)?;
        if access == Access::Staged {
            return Err(WrongValue::StagedNoFolder.into());
        }
        self.add(MountRequest { source: Source::Volume(name), target, access })
    }

    /// Adds memory in place of a volume without a name.
    fn add_anonymous(&mut self, target: &str, asked: &Asked) -> Result<(), Trouble> {
        let target = mount_point(target)?;
        self.add_memory(target.clone(), None, None, asked)?;
        self.note(Note::AnonymousIsMemory { target });
        Ok(())
    }

    /// Adds memory; at `/tmp` and `/dev/shm`, which are memory anyway, it sets their size.
    fn add_memory(
        &mut self,
        target: String,
        size: Option<u64>,
        mode: Option<u32>,
        asked: &Asked,
    ) -> Result<(), Trouble> {
        match asked.access(Access::ReadWrite)? {
            Access::ReadOnly => return Err(WrongValue::ReadOnlyMemory.into()),
            Access::Staged => return Err(WrongValue::StagedNoFolder.into()),
            Access::ReadWrite => {}
        }
        let limits = &mut self.request.limits;
        match target.as_str() {
            "/tmp" => limits.tmp = size.unwrap_or(limits.tmp),
            "/dev/shm" => limits.shm = size.unwrap_or(limits.shm),
            _ => {
                let source = Source::Tmpfs { size, mode };
                return self.add(MountRequest { source, target, access: Access::ReadWrite });
            }
        }
        Ok(())
    }

    fn add(&mut self, mount: MountRequest) -> Result<(), Trouble> {
        let mounts = &mut self.request.mounts;
        if mounts.iter().any(|other| other.target == mount.target) {
            return Err(WrongValue::TargetTwice { path: mount.target }.into());
        }
        if mounts.len() == MOUNTS_MOST {
            return Err(WrongValue::TooManyMounts.into());
        }
        mounts.push(mount);
        Ok(())
    }

    /// Takes an option that all spellings of a mount share; false when it is none.
    fn shared_option(&mut self, option: &str) -> Result<bool, Trouble> {
        let because = match option {
            "private" | "rprivate" => ALWAYS_PRIVATE,
            "shared" | "rshared" | "slave" | "rslave" => {
                return Err(Trouble::Judged(PROPAGATION));
            }
            "consistent" | "cached" | "delegated" | "default" => LINUX_ONLY,
            "z" | "Z" => NEVER_RELABELLED,
            _ => return Ok(false),
        };
        self.note(Note::HarmlessOption { option: option.to_owned(), because });
        Ok(true)
    }
}

/// A host path as it was spelt.
fn host_path(path: &str) -> Result<String, WrongValue> {
    if path.starts_with('~') {
        return Err(WrongValue::Tilde);
    }
    if path.len() > PATH_LENGTH {
        return Err(WrongValue::PathTooLong);
    }
    Ok(path.to_owned())
}

/// A volume's name, which is also its folder's.
fn volume_name(name: &str) -> Result<String, WrongValue> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && name.len() <= VOLUME_LENGTH && name.bytes().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err(WrongValue::VolumeName { name: name.to_owned() })
    }
}

/// Where a mount appears: not on the root, nor on the folders that lead into the kernel.
fn mount_point(path: &str) -> Result<String, Trouble> {
    let path = path_in_box(path)?;
    if path == "/" {
        return Err(WrongValue::RootTarget.into());
    }
    let first = path.split('/').nth(1).unwrap_or_default();
    if ["proc", "sys", "dev"].contains(&first) {
        return Err(Trouble::Judged(SYSTEM_FOLDER));
    }
    Ok(path)
}

/// The same for memory, which `/dev/shm` is anyway.
fn memory_point(path: &str) -> Result<String, Trouble> {
    match path_in_box(path)?.as_str() {
        "/dev/shm" => Ok("/dev/shm".to_owned()),
        other => mount_point(other),
    }
}

/// A path in the box, made plain: absolute, without `.`, `//` or an end slash.
///
/// `..` is refused rather than resolved, for a reader and the kernel may resolve it differently
/// when a part before it is a link.
pub(super) fn path_in_box(path: &str) -> Result<String, WrongValue> {
    if path.is_empty() {
        return Err(WrongValue::Empty);
    }
    if path.len() > PATH_LENGTH {
        return Err(WrongValue::PathTooLong);
    }
    if !path.starts_with('/') {
        return Err(WrongValue::NotAbsolute { path: path.to_owned() });
    }
    let mut plain = String::with_capacity(path.len());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                return Err(WrongValue::Upwards { path: path.to_owned() });
            }
            part => {
                plain.push('/');
                plain.push_str(part);
            }
        }
    }
    if plain.is_empty() {
        plain.push('/');
    }
    Ok(plain)
}
