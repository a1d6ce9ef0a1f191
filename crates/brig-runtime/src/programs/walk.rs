//! Follows a path to the real file, component by component, and remembers each link on the way.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Links on one path: the kernel's own limit (`path_resolution(7)`).
const MAX_LINKS: usize = 40;
/// What is read of a file to see what it is: the kernel reads 256 bytes for a shebang line
/// (`BINPRM_BUF_SIZE`); a shim's few lines fit into this too.
const HEAD: u64 = 4096;
/// Version files, `pyvenv.cfg`, `package.json` and the like: real ones are below 64 KiB.
const SMALL_FILE: u64 = 256 * 1024;
/// The box's own folder for homes: it may not be a link there, as its tmpfs is mounted below it.
const HOMES: &str = "/home";

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Walked {
    /// The file that it names in the end, free of links.
    pub(super) real: PathBuf,
    /// Each link on the way: where it lies (its folder free of links), and what it says.
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
}

/// Follows an absolute path.
///
/// # Errors
/// What the kernel says about a component; too many links.
pub(super) fn walk(path: &Path) -> io::Result<Walked> {
    let mut todo: VecDeque<OsString> = components(path);
    let mut real = PathBuf::from("/");
    let mut links = BTreeMap::new();
    let mut followed = 0;
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        let here = real.join(&name);
        if !fs::symlink_metadata(&here)?.is_symlink() {
            real = here;
            continue;
        }
        followed += 1;
        if followed > MAX_LINKS {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::LOOP.raw_os_error()));
        }
        let to = fs::read_link(&here)?;
        match todo.front() {
            // Where all homes lie behind a link, the link to this one is made instead.
            Some(next) if here == Path::new(HOMES) => {
                links.insert(here.join(next), tidy(&real.join(&to).join(next)));
            }
            _ => {
                links.insert(here, to.clone());
            }
        }
        if to.is_absolute() {
            real = PathBuf::from("/");
        }
        for name in components(&to).into_iter().rev() {
            todo.push_front(name);
        }
    }
    Ok(Walked { real, links })
}

fn components(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// Removes `.`; and `..` together with what is before it where that is not a link, so that the path reads
/// the same in a box that lacks the folder in between.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if let Ok(real) = fs::canonicalize(&tidy) {
                    tidy = real;
                }
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

/// The first bytes of a file.
pub(super) fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// A small text file; `None` when it is not there, not a plain file, too large or not text.
pub(crate) fn read_small(path: &Path) -> Option<String> {
    let facts = fs::metadata(path).ok()?;
    if !facts.is_file() || facts.len() > SMALL_FILE {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(SMALL_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_link_on_the_way_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("real/bin")).unwrap();
        fs::write(root.join("real/bin/x1"), "").unwrap();
        symlink("x1", root.join("real/bin/x")).unwrap();
        symlink("real", root.join("short")).unwrap();
        symlink(root.join("short/bin/../bin/x"), root.join("entry")).unwrap();
        let walked = walk(&root.join("entry")).unwrap();
        assert_eq!(walked.real, root.join("real/bin/x1"));
        let links: Vec<_> = walked.links.keys().map(|link| link.strip_prefix(&root).unwrap().to_owned()).collect();
        assert_eq!(links, ["entry", "real/bin/x", "short"].map(PathBuf::from));
    }

    #[test]
    fn a_loop_ends() {
        let root = tempfile::tempdir().unwrap();
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        assert!(walk(&root.path().join("a")).is_err());
        assert!(walk(&root.path().join("missing")).is_err());
    }

    #[test]
    fn paths_are_tidied_without_being_changed() {
        assert_eq!(tidy(Path::new("/a/./b/../c")), Path::new("/a/c"));
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("x/y")).unwrap();
        symlink("x/y", root.join("link")).unwrap();
        assert_eq!(tidy(&root.join("link/../z")), root.join("x/z"));
    }
}
