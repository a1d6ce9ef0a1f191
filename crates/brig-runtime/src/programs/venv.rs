//! Python's virtual environments (PEP 405): a folder with `pyvenv.cfg`, and a base interpreter elsewhere.

use std::path::{Path, PathBuf};

use super::walk::read_small;

/// What an environment consists of. Its folder may be a whole project (`python -m venv .`), so it is never
/// shown as one.
const PARTS: [&str; 7] = ["bin", "etc", "include", "lib", "lib64", "pyvenv.cfg", "share"];

/// An environment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Environment {
    /// Its own parts that exist.
    pub(super) parts: Vec<PathBuf>,
    /// The interpreter that it was made from.
    pub(super) base: Option<PathBuf>,
}

/// The environment in whose `bin` the program lies.
pub(super) fn around(program: &Path) -> Option<Environment> {
    let bin = program.parent().filter(|bin| bin.ends_with("bin"))?;
    let folder = bin.parent()?;
    let text = read_small(&folder.join("pyvenv.cfg"))?;
    let parts = PARTS.iter().map(|part| folder.join(part)).filter(|path| path.exists()).collect();
    Some(Environment { parts, base: base(&text) })
}

/// `home` names the base's folder; `executable` (since Python 3.11) the base itself.
fn base(text: &str) -> Option<PathBuf> {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case(key).then(|| PathBuf::from(value.trim()))
        })
    };
    let base = value("executable").or_else(|| value("home").map(|home| home.join("python3")))?;
    base.is_absolute().then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_read_as_python_reads_it() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(base(text), expect.map(PathBuf::from));
        check("home = /usr/bin\nversion = 3.10.1\n", Some("/usr/bin/python3"));
        check("Home=/a/bin\nexecutable = /a/bin/python3.12\n", Some("/a/bin/python3.12"));
        check("home = bin\n", None);
        check("version = 3.10.1\n", None);
    }
}
