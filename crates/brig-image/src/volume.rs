//! Named volumes: folders of the user's own that outlive boxes, filled from the image at first use.
//!
//! ```text
//! NAME/data    what the box sees
//! .locks/      who uses or makes what (outside of what a box sees)
//! .tmp/RANDOM  what is being made or removed
//! ```
//!
//! Volumes are the user's, not a cache: nothing removes one but [`Volumes::remove`]. Their size cannot be
//! enforced by the kernel without quotas, so whoever runs a box measures ([`Volumes::measure`]).

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use crate::layer::Owner;
use crate::lock::Lock;
use crate::tree::{Node, Tree, TreeError, names, step};

/// How much a volume may hold unless the user says otherwise: what a memory or a small database needs
/// many times over.
pub const VOLUME_BYTES: u64 = 1 << 30;
/// Most entries that are copied into a new volume or counted when one is measured.
pub const VOLUME_ENTRIES: u64 = 200_000;
/// Deepest folder that is copied or counted, as in an image's layer.
pub const VOLUME_DEPTH: usize = crate::layer::NAME_DEPTH;
/// Longest name.
pub const NAME_BYTES: usize = 128;

/// The named volumes in a folder of the caller's own.
#[derive(Debug)]
pub struct Volumes {
    root: PathBuf,
    owner: Option<Owner>,
}

/// A volume that cannot be removed while this is held.
#[derive(Debug)]
pub struct Volume {
    /// The folder that the box sees.
    pub path: PathBuf,
    /// Whether it was made just now.
    pub new: bool,
    _lock: Lock,
}

/// How much a volume holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: u64,
    /// False if counting stopped at a limit, so that there is more.
    pub complete: bool,
}

/// One volume, as `brig volume ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVolume {
    /// Its name.
    pub name: String,
    /// How much it holds.
    pub usage: Usage,
    /// Whether a box uses it.
    pub in_use: bool,
}

/// Why a volume could not be used.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// A name that could be a path, or is reserved.
    #[error("{0:?} cannot be a volume's name")]
    Name(String),
    /// A file or folder.
    #[error("cannot {act} {path:?}: {source}")]
    Io {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The image's content could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The image's content at that path is larger than a volume may be.
    #[error("the image has more than {limit} {what} at {path:?}, too much for a volume")]
    TooLarge {
        /// Where in the image.
        path: PathBuf,
        /// Bytes, entries or levels.
        what: &'static str,
        /// How many are taken.
        limit: u64,
    },
    /// No volume of this name.
    #[error("there is no volume {0:?}")]
    Unknown(String),
    /// A volume that a running box uses.
    #[error("the volume {0:?} is in use by a running box")]
    InUse(String),
}

impl VolumeError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name(_) => Some(
                "use letters, digits, '_', '.' and '-', a letter or digit first; \
                 for a folder of this machine write its whole path"
                    .to_owned(),
            ),
            Self::Unknown(_) => Some("brig volume ls shows what there is".to_owned()),
            Self::InUse(_) => Some("stop it first: brig ps shows what runs".to_owned()),
            Self::TooLarge { .. } => {
                Some("mount a folder of this machine there instead: -v /FOLDER:/PATH:rw".to_owned())
            }
            Self::Tree(error) => error.hint(),
            Self::Io { .. } => None,
        }
    }
}

/// What a new volume is filled with.
#[derive(Debug, Clone, Copy)]
pub struct Fill<'a> {
    /// The image.
    pub tree: &'a Tree,
    /// The folder in it; a path that is no folder leaves the volume empty.
    pub path: &'a Path,
    /// Bytes before it is refused.
    pub limit: u64,
}

impl Volumes {
    /// The volumes in `root`, which is made where it is missing. `owner` is whose new content is, where
    /// it is not the caller.
    ///
    /// # Errors
    /// If a folder cannot be made or what killed processes left cannot be removed.
    pub fn open(root: &Path, owner: Option<Owner>) -> Result<Self, VolumeError> {
        let volumes = Self { root: root.to_owned(), owner };
        for path in [root.to_owned(), volumes.locks(), volumes.tmp()] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed("make", &path))?;
        }
        volumes.sweep()?;
        Ok(volumes)
    }

    /// Takes hold of a volume, making and filling it if there is none of this name.
    ///
    /// # Errors
    /// See [`VolumeError`]. A volume that cannot be filled is not made.
    pub fn acquire(&self, name: &str, fill: Option<Fill<'_>>) -> Result<Volume, VolumeError> {
        check_name(name)?;
        let path = self.root.join(name).join("data");
        let mut new = false;
        loop {
            let lock = Lock::shared(&self.locks(), &use_lock(name)).map_err(failed("lock", &self.locks()))?;
            if path.is_dir() {
                return Ok(Volume { path, new, _lock: lock });
            }
            drop(lock);
            self.make(name, fill)?;
            new = true;
        }
    }

    /// All volumes by name.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<ListedVolume>, VolumeError> {
        let mut list = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(failed("list", &self.root))? {
            let entry = entry.map_err(failed("list", &self.root))?;
            let name = entry.file_name().into_string();
            let Some(name) = name.ok().filter(|name| check_name(name).is_ok()) else {
                continue;
            };
            let free = Lock::try_exclusive(&self.locks(), &use_lock(&name)).map_err(failed("lock", &self.locks()))?;
            list.push(ListedVolume { usage: self.measure(&name, u64::MAX)?, in_use: free.is_none(), name });
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// Counts what a volume holds, up to `limit` bytes and [`VOLUME_ENTRIES`]. What a box changes
    /// meanwhile may or may not be counted; links are not followed.
    ///
    /// # Errors
    /// [`VolumeError::Unknown`].
    pub fn measure(&self, name: &str, limit: u64) -> Result<Usage, VolumeError> {
        check_name(name)?;
        let path = self.root.join(name).join("data");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = rustix::fs::openat(rustix::fs::CWD, &path, flags, Mode::empty())
            .map_err(|_| VolumeError::Unknown(name.to_owned()))?;
        let mut usage = Usage::default();
        usage.complete = count(root.as_fd(), &mut usage, limit, 0);
        Ok(usage)
    }

    /// Removes a volume and all that is in it.
    ///
    /// # Errors
    /// [`VolumeError::InUse`], [`VolumeError::Unknown`].
    pub fn remove(&self, name: &str) -> Result<Usage, VolumeError> {
        let usage = self.measure(name, u64::MAX)?;
        let lock = Lock::try_exclusive(&self.locks(), &use_lock(name))
            .map_err(failed("lock", &self.locks()))?
            .ok_or_else(|| VolumeError::InUse(name.to_owned()))?;
        let (folder, tmp_lock) = self.tmp_folder()?;
        let path = self.root.join(name);
        fs::rename(&path, folder.join("gone")).map_err(failed("remove", &path))?;
        lock.remove_quietly();
        fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
        tmp_lock.remove_quietly();
        Ok(usage)
    }

    fn make(&self, name: &str, fill: Option<Fill<'_>>) -> Result<(), VolumeError> {
        let (folder, lock) = self.tmp_folder()?;
        let made = self.fill(&folder, fill).and_then(|()| {
            let target = self.root.join(name);
            match fs::rename(&folder, &target) {
                // Somebody else made it meanwhile: theirs is taken.
                Err(_) if target.join("data").is_dir() => Ok(()),
                renamed => renamed.map_err(failed("make", &target)),
            }
        });
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
        }
        lock.remove_quietly();
        made
    }

    fn fill(&self, folder: &Path, fill: Option<Fill<'_>>) -> Result<(), VolumeError> {
        let data = folder.join("data");
        fs::create_dir(&data).map_err(failed("make", &data))?;
        let dir = OwnedFd::from(fs::File::open(&data).map_err(failed("open", &data))?);
        let source = match fill {
            Some(fill) => fill.tree.folder(fill.path)?.zip(Some(fill)),
            None => None,
        };
        let mut mode = 0o700;
        if let Some((source, fill)) = source {
            mode = mode_of(source.first()).map_or(mode, |bits| bits | 0o700);
            let mut copy = Copy { owner: self.owner, left_bytes: fill.limit, left_entries: VOLUME_ENTRIES, fill };
            copy.folder(&source, dir.as_fd(), 0)?;
        }
        settle(dir.as_fd(), mode, self.owner).map_err(|errno| failed("make", &data)(errno.into()))
    }

    fn tmp_folder(&self) -> Result<(PathBuf, Lock), VolumeError> {
        let mut random = [0_u8; 16];
        let tmp = self.tmp();
        getrandom::fill(&mut random).map_err(io::Error::other).map_err(failed("name a folder in", &tmp))?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let lock = Lock::exclusive(&self.locks(), &format!("tmp-{name}")).map_err(failed("lock", &self.locks()))?;
        let folder = tmp.join(&name);
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(failed("make", &folder))?;
        Ok((folder, lock))
    }

    /// Removes what killed processes left.
    fn sweep(&self) -> Result<(), VolumeError> {
        let tmp = self.tmp();
        for entry in fs::read_dir(&tmp).map_err(failed("list", &tmp))?.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let held =
                Lock::try_exclusive(&self.locks(), &format!("tmp-{name}")).map_err(failed("lock", &self.locks()))?;
            if let Some(lock) = held {
                match fs::remove_dir_all(entry.path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed("remove", &entry.path())(error));
                    }
                    _ => lock.remove_quietly(),
                }
            }
        }
        Ok(())
    }

    fn locks(&self) -> PathBuf {
        self.root.join(".locks")
    }

    fn tmp(&self) -> PathBuf {
        self.root.join(".tmp")
    }
}

/// Copies a folder of an image, as the merged tree shows it.
struct Copy<'a> {
    owner: Option<Owner>,
    left_bytes: u64,
    left_entries: u64,
    fill: Fill<'a>,
}

impl Copy<'_> {
    fn folder(&mut self, source: &[OwnedFd], target: BorrowedFd<'_>, depth: usize) -> Result<(), VolumeError> {
        if depth > VOLUME_DEPTH {
            return Err(self.too_large("levels of folders", VOLUME_DEPTH as u64));
        }
        for name in names(source, self.fill.path)? {
            self.left_entries =
                self.left_entries.checked_sub(1).ok_or_else(|| self.too_large("entries", VOLUME_ENTRIES))?;
            let io = |errno: Errno| failed("copy", Path::new(&name))(errno.into());
            match step(source, &name).map_err(io)? {
                None | Some(Node::Other) => {}
                Some(Node::Dir(folder)) => {
                    rustix::fs::mkdirat(target, &name, Mode::from_raw_mode(0o700)).map_err(io)?;
                    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
                    let made = rustix::fs::openat(target, &name, flags | OFlags::CLOEXEC, Mode::empty()).map_err(io)?;
                    let mode = mode_of(folder.first()).unwrap_or(0o755) | 0o700;
                    self.folder(&folder, made.as_fd(), depth + 1)?;
                    settle(made.as_fd(), mode, self.owner).map_err(io)?;
                }
                Some(Node::File(file)) => self.file(file, target, &name)?,
                Some(Node::Link(to)) => {
                    rustix::fs::symlinkat(&to, target, &name).map_err(io)?;
                    if let Some(owner) = self.owner {
                        let (uid, gid) = ids(owner);
                        let nofollow = AtFlags::SYMLINK_NOFOLLOW;
                        rustix::fs::chownat(target, &name, uid, gid, nofollow).map_err(io)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, file: OwnedFd, target: BorrowedFd<'_>, name: &OsStr) -> Result<(), VolumeError> {
        let fail = |error: io::Error| failed("copy", Path::new(name))(error);
        // The image's root could write to it whatever its bits say; the box's one user must as well.
        let mode = mode_of(Some(&file)).unwrap_or(0o644) | 0o600;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let made =
            rustix::fs::openat(target, name, flags, Mode::from_raw_mode(0o600)).map_err(|errno| fail(errno.into()))?;
        let mut made = fs::File::from(made);
        let mut source = fs::File::from(file).take(self.left_bytes.saturating_add(1));
        let copied = io::copy(&mut source, &mut made).map_err(fail)?;
        self.left_bytes =
            self.left_bytes.checked_sub(copied).ok_or_else(|| self.too_large("bytes", self.fill.limit))?;
        settle(made.as_fd(), mode, self.owner).map_err(|errno| fail(errno.into()))
    }

    fn too_large(&self, what: &'static str, limit: u64) -> VolumeError {
        VolumeError::TooLarge { path: self.fill.path.to_owned(), what, limit }
    }
}

/// Counts a folder; false if it stopped at a limit. What cannot be read, or vanishes, is left out.
fn count(folder: BorrowedFd<'_>, usage: &mut Usage, limit: u64, depth: usize) -> bool {
    if depth > VOLUME_DEPTH {
        return false;
    }
    let Ok(entries) = rustix::fs::Dir::read_from(folder) else {
        return true;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        usage.entries += 1;
        // Blocks, not the length: a sparse file takes no room.
        usage.bytes = usage.bytes.saturating_add(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512));
        if usage.bytes > limit || usage.entries > VOLUME_ENTRIES {
            return false;
        }
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(below) = rustix::fs::openat(folder, name, flags, Mode::empty())
                && !count(below.as_fd(), usage, limit, depth + 1)
            {
                return false;
            }
        }
    }
    true
}

fn mode_of(fd: Option<&OwnedFd>) -> Option<u32> {
    let meta = fs::File::from(fd?.try_clone().ok()?).metadata().ok()?;
    Some(meta.mode() & 0o777)
}

fn settle(fd: BorrowedFd<'_>, mode: u32, owner: Option<Owner>) -> Result<(), Errno> {
    if let Some(owner) = owner {
        let (uid, gid) = ids(owner);
        rustix::fs::fchown(fd, uid, gid)?;
    }
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode))
}

fn ids(owner: Owner) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))
}

/// Docker's own rule for volumes' names.
fn check_name(name: &str) -> Result<(), VolumeError> {
    let good = (2..=NAME_BYTES).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-'));
    if good { Ok(()) } else { Err(VolumeError::Name(name.chars().take(NAME_BYTES).collect())) }
}

/// The lock that says a volume is in use.
fn use_lock(name: &str) -> String {
    format!("use-{name}")
}

fn failed(act: &'static str, path: &Path) -> impl Fn(io::Error) -> VolumeError {
    let path = path.to_owned();
    move |source| VolumeError::Io { act, path: path.clone(), source }
}
