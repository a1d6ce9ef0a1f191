//! pyenv, nodenv, rbenv: shims in `ROOT/shims`, versions in `ROOT/versions`.

use std::path::{Path, PathBuf};

use super::super::{executable, walk};
use super::{Caller, Next, ShimError, newest, plain};

/// One manager of this family.
pub(super) struct Family {
    /// Its name, and the program that its shims run.
    pub(super) manager: &'static str,
    /// Overrides every file.
    variable: &'static str,
    /// The file in the working folder or above it.
    file: &'static str,
    /// Names of versions may carry it.
    prefix: &'static str,
}

/// All of them; they differ in names only.
pub(super) const FAMILIES: [Family; 3] = [
    Family { manager: "pyenv", variable: "PYENV_VERSION", file: ".python-version", prefix: "python-" },
    Family { manager: "nodenv", variable: "NODENV_VERSION", file: ".node-version", prefix: "node-" },
    Family { manager: "rbenv", variable: "RBENV_VERSION", file: ".ruby-version", prefix: "ruby-" },
];

/// Finds what the shim would run.
pub(super) fn follow(family: &Family, shim: &Path, program: &str, caller: &Caller) -> Result<Next, ShimError> {
    let root = shim.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let Some((by, versions)) = chosen(family, root, caller) else {
        return Ok(Next::Elsewhere(program.to_owned()));
    };
    for version in &versions {
        if version == "system" {
            return Ok(Next::Elsewhere(program.to_owned()));
        }
        let version = installed(family, root, plain(version)?);
        let file = root.join("versions").join(version).join("bin").join(program);
        if executable(&file) == Some(true) {
            return Ok(Next::File(file));
        }
    }
    Err(ShimError::NotInstalled { program: program.to_owned(), version: versions.join(":"), by })
}

/// The versions that are set, and by what: the variable, the nearest file, the global file.
fn chosen(family: &Family, root: &Path, caller: &Caller) -> Option<(String, Vec<String>)> {
    if let Some(value) = caller.var(family.variable) {
        return Some((family.variable.to_owned(), value.split(':').map(str::to_owned).collect()));
    }
    let local = caller.cwd.ancestors().map(|folder| folder.join(family.file));
    let mut files = local.chain([root.join("version")]);
    files.find_map(|file: PathBuf| {
        let text = walk::read_small(&file)?;
        let words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
        let versions: Vec<String> = words.map(str::to_owned).collect();
        (!versions.is_empty()).then(|| (file.display().to_string(), versions))
    })
}

/// `3.11` means the newest installed `3.11.x`, `python-3.11.7` means `3.11.7`.
fn installed(family: &Family, root: &Path, version: &str) -> String {
    let folder = root.join("versions");
    let bare = version.strip_prefix(family.prefix).unwrap_or(version);
    let exact = [version, bare].into_iter().find(|name| folder.join(name).is_dir());
    match exact {
        Some(name) => name.to_owned(),
        None => newest(&folder, bare).unwrap_or_else(|| version.to_owned()),
    }
}
