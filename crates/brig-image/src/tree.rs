//! A merged, read-only view of an image's layers: what the box will see, seen from outside.
//!
//! Every step is one name in one folder's descriptor, never a path that the kernel could resolve out of
//! a layer; symbolic links are resolved here, with the image's root as the root. Deletion marks and
//! opaque folders hide what lies below, as overlayfs does.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::layer::{is_opaque, is_whiteout};

/// Most links followed for one path: the kernel's own limit (`MAXSYMLINKS`).
pub const LINKS: u32 = 40;
/// Most steps taken for one path, links included: a path of the longest kind through every link.
const STEPS: u32 = 40 * 256;
/// Most entries listed of one folder: `node_modules/.bin` has thousands, `/usr/share/doc` too.
pub const FOLDER_ENTRIES: usize = 100_000;

/// An image's layers, seen as one tree.
#[derive(Debug)]
pub struct Tree {
    root: Vec<OwnedFd>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path in the image, with every link resolved.
    pub path: PathBuf,
    /// What is there.
    pub kind: Kind,
    /// Permission bits, as unpacked.
    pub mode: u32,
    /// Bytes; 0 but for files.
    pub size: u64,
}

/// What can be found in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Dir,
    /// A file.
    File,
    /// A link; only where links are not followed.
    Link,
}

/// Where something is to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path with every link resolved; parts that do not exist are kept as they are.
    pub path: PathBuf,
    /// What is there already.
    pub kind: Option<Kind>,
}

/// Why a path could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A layer's folder cannot be opened.
    #[error("the layer {path:?} cannot be opened: {source}")]
    Layer {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in a layer cannot be read.
    #[error("{path:?} of the image cannot be read: {source}")]
    Io {
        /// What, in the image.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Links that lead in circles.
    #[error("{0:?} of the image leads through more than {LINKS} links")]
    Links(PathBuf),
    /// A file larger than the caller takes.
    #[error("{path:?} of the image is larger than {limit} bytes")]
    TooLarge {
        /// What.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// Something that is neither file nor folder.
    #[error("{0:?} of the image is not a file")]
    NotAFile(PathBuf),
    /// A folder with more entries than [`FOLDER_ENTRIES`].
    #[error("{0:?} of the image has more than {FOLDER_ENTRIES} entries")]
    Crowded(PathBuf),
}

impl TreeError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Layer { .. } => Some("fetch the image again with brig pull".to_owned()),
            Self::Io { .. } => None,
            _ => Some("the image is damaged or hostile: rebuild it, or choose another".to_owned()),
        }
    }
}

/// One name of the merged tree.
pub(crate) enum Node {
    /// The folders of this name that show, topmost first.
    Dir(Vec<OwnedFd>),
    /// A file, opened for reading.
    File(OwnedFd),
    /// A link's target.
    Link(PathBuf),
    /// A socket, FIFO or device: not made by unpacking, so somebody tampered.
    Other,
}

impl Tree {
    /// Opens the layers of an image, the topmost first, as [`crate::Image::layers`] has them.
    ///
    /// # Errors
    /// If a layer's folder is missing.
    pub fn open(layers: &[PathBuf]) -> Result<Self, TreeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |path: &PathBuf| {
            rustix::fs::openat(CWD, path, flags, Mode::empty())
                .map_err(|errno| TreeError::Layer { path: path.clone(), source: errno.into() })
        };
        Ok(Self { root: layers.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// What a path leads to; `None` if it leads nowhere. Relative paths start at the root.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn lookup(&self, path: &Path) -> Result<Option<Found>, TreeError> {
        match self.walk(path)? {
            Walk::Found(path, node) => describe(path, &node).map(Some),
            Walk::Missing { .. } => Ok(None),
        }
    }

    /// The path with every link resolved; `None` if it leads nowhere.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn resolve(&self, path: &Path) -> Result<Option<PathBuf>, TreeError> {
        Ok(self.lookup(path)?.map(|found| found.path))
    }

    /// Where a mount on `path` would really be, whether or not something is there.
    ///
    /// # Errors
    /// See [`TreeError`]; [`TreeError::NotAFile`] if the path leads through something that is no
    /// folder.
    pub fn place(&self, path: &Path) -> Result<Place, TreeError> {
        match self.walk(path)? {
            Walk::Found(path, node) => Ok(Place { kind: Some(describe(path.clone(), &node)?.kind), path }),
            Walk::Missing { path, rest, blocked } if !blocked => {
                Ok(Place { path: rest.iter().fold(path, |path, part| path.join(part)), kind: None })
            }
            Walk::Missing { path, .. } => Err(TreeError::NotAFile(path)),
        }
    }

    /// The bytes of a file; `None` if the path leads nowhere.
    ///
    /// # Errors
    /// [`TreeError::TooLarge`] above `limit`; see [`TreeError`].
    pub fn read(&self, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, TreeError> {
        let (path, file) = match self.walk(path)? {
            Walk::Found(path, Node::File(file)) => (path, file),
            Walk::Found(path, _) => return Err(TreeError::NotAFile(path)),
            Walk::Missing { .. } => return Ok(None),
        };
        let mut bytes = Vec::new();
        let mut file = std::fs::File::from(file).take(limit.saturating_add(1));
        file.read_to_end(&mut bytes).map_err(|source| TreeError::Io { path: path.clone(), source })?;
        if bytes.len() as u64 > limit {
            return Err(TreeError::TooLarge { path, limit });
        }
        Ok(Some(bytes))
    }

    /// The folder that a path leads to; `None` if there is none.
    pub(crate) fn folder(&self, path: &Path) -> Result<Option<Vec<OwnedFd>>, TreeError> {
        match self.walk(path)? {
            Walk::Found(_, Node::Dir(folder)) => Ok(Some(folder)),
            _ => Ok(None),
        }
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn list(&self, path: &Path) -> Result<Option<Vec<OsString>>, TreeError> {
        match self.folder(path)? {
            Some(folder) => names(&folder, path).map(Some),
            None => Ok(None),
        }
    }

    fn walk(&self, path: &Path) -> Result<Walk, TreeError> {
        let too_many = || TreeError::Links(path.to_owned());
        let mut rest = parts_reversed(path);
        // Folders from the root down to where the walk stands, with their names.
        let mut stack: Vec<(OsString, Vec<OwnedFd>)> = Vec::new();
        let (mut links, mut steps) = (0, 0);
        while let Some(part) = rest.pop() {
            steps += 1;
            if steps > STEPS {
                return Err(too_many());
            }
            if part == ".." {
                stack.pop();
                continue;
            }
            let here = stack.last().map_or(&self.root, |(_, folder)| folder);
            let standing = || path_of(&stack);
            match step(here, &part)
                .map_err(|errno| TreeError::Io { path: standing().join(&part), source: errno.into() })?
            {
                None => {
                    let path = standing();
                    rest.push(part);
                    return Ok(Walk::missing(path, rest));
                }
                Some(Node::Dir(folder)) => stack.push((part, folder)),
                Some(Node::Link(target)) => {
                    links += 1;
                    if links > LINKS {
                        return Err(too_many());
                    }
                    if target.is_absolute() {
                        stack.clear();
                    }
                    rest.extend(parts_reversed(&target));
                }
                Some(node) if rest.is_empty() => {
                    return Ok(Walk::Found(standing().join(part), node));
                }
                Some(_) => {
                    let path = standing().join(part);
                    rest.reverse();
                    return Ok(Walk::Missing { path, rest, blocked: true });
                }
            }
        }
        let path = path_of(&stack);
        let folder = match stack.pop() {
            Some((_, folder)) => folder,
            None => self.root_again(path.as_path())?,
        };
        Ok(Walk::Found(path, Node::Dir(folder)))
    }

    fn root_again(&self, path: &Path) -> Result<Vec<OwnedFd>, TreeError> {
        let copies = self.root.iter().map(OwnedFd::try_clone);
        copies.collect::<io::Result<_>>().map_err(|source| TreeError::Io { path: path.to_owned(), source })
    }
}

enum Walk {
    Found(PathBuf, Node),
    Missing {
        /// The last folder that exists, or what stands in the way.
        path: PathBuf,
        /// What is missing below it.
        rest: Vec<OsString>,
        /// Whether it could not even be made: a file stands in the way, or `..` follows.
        blocked: bool,
    },
}

impl Walk {
    fn missing(path: PathBuf, mut rest: Vec<OsString>) -> Self {
        rest.reverse();
        let blocked = rest.iter().any(|part| part == "..");
        Self::Missing { path, rest, blocked }
    }
}

/// One name in one merged folder.
pub(crate) fn step(folder: &[OwnedFd], name: &OsStr) -> Result<Option<Node>, Errno> {
    let mut merged = Vec::new();
    for layer in folder {
        let stat = match rustix::fs::statat(layer, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let opened = rustix::fs::openat(layer, name, flags | OFlags::DIRECTORY, Mode::empty())?;
                let opaque = is_opaque(opened.as_fd());
                merged.push(opened);
                if opaque {
                    break;
                }
            }
            // Below a folder, anything else is hidden, and so is all below that.
            _ if !merged.is_empty() || is_whiteout(layer.as_fd(), name) => break,
            FileType::RegularFile => {
                let file = rustix::fs::openat(layer, name, flags, Mode::empty())?;
                return Ok(Some(Node::File(file)));
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(layer, name, Vec::new())?;
                let target = OsString::from_vec(target.into_bytes());
                return Ok(Some(Node::Link(PathBuf::from(target))));
            }
            _ => return Ok(Some(Node::Other)),
        }
    }
    Ok((!merged.is_empty()).then_some(Node::Dir(merged)))
}

/// The names of a merged folder, sorted, without those marked as deleted.
pub(crate) fn names(folder: &[OwnedFd], path: &Path) -> Result<Vec<OsString>, TreeError> {
    let fail = |errno: Errno| TreeError::Io { path: path.to_owned(), source: errno.into() };
    let mut seen = BTreeSet::new();
    for layer in folder {
        let entries = rustix::fs::Dir::read_from(layer).map_err(fail)?;
        for entry in entries {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                seen.insert(OsString::from_vec(name.to_vec()));
            }
            if seen.len() > FOLDER_ENTRIES {
                return Err(TreeError::Crowded(path.to_owned()));
            }
        }
    }
    let mut shown = Vec::with_capacity(seen.len());
    for name in seen {
        if step(folder, &name).map_err(fail)?.is_some() {
            shown.push(name);
        }
    }
    Ok(shown)
}

fn describe(path: PathBuf, node: &Node) -> Result<Found, TreeError> {
    let (fd, kind) = match node {
        Node::Dir(folder) => (folder.first(), Kind::Dir),
        Node::File(file) => (Some(file), Kind::File),
        Node::Link(_) | Node::Other => return Err(TreeError::NotAFile(path)),
    };
    let stat = fd.map(rustix::fs::fstat).transpose();
    let stat = stat.map_err(|errno| TreeError::Io { path: path.clone(), source: errno.into() })?;
    Ok(Found {
        path,
        kind,
        // An image without layers has an empty root.
        mode: stat.as_ref().map_or(0o755, |stat| stat.st_mode & 0o777),
        size: stat.filter(|_| kind == Kind::File).and_then(|stat| u64::try_from(stat.st_size).ok()).unwrap_or(0),
    })
}

/// A path's parts, the last first, without `/` and `.`.
fn parts_reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    // A zero byte cannot name anything; the kernel would refuse it with a less clear error.
    parts.filter(|part| !part.as_bytes().contains(&0)).collect()
}

fn path_of(stack: &[(OsString, Vec<OwnedFd>)]) -> PathBuf {
    let root = PathBuf::from("/");
    stack.iter().fold(root, |path, (name, _)| path.join(name))
}
