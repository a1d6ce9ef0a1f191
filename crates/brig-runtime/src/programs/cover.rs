//! Which folder of the host belongs to a program: its prefix, and nothing beside it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Found;

/// What has to be shown for a real file to work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// Nothing more: it is part of the machine's own software.
    Machine,
    /// These folders or files.
    Folders {
        /// Which, free of links.
        folders: Vec<PathBuf>,
        /// What they are.
        why: &'static str,
    },
    /// The file itself.
    Alone,
}

/// Where the machine's own software lies; each is shown as the host has it.
pub(super) const MACHINE: [&str; 8] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives"];

/// How an installer lays out what it installs.
struct Layout {
    /// Who, for people.
    why: &'static str,
    /// Names of folders that follow one another; a first `/` pins them to the root.
    marker: &'static [&'static str],
    /// How many folders below the marker make one installation.
    below: usize,
}

const fn layout(why: &'static str, marker: &'static [&'static str], below: usize) -> Layout {
    Layout { why, marker, below }
}

/// Installations by their place. One folder each, so that a neighbour's version or data stays out.
const LAYOUTS: [Layout; 22] = [
    // ~/.nvm/versions/node/v22.1.0, and `n` with a prefix of its own
    layout("Node of nvm", &["versions", "node"], 1),
    // ~/.local/share/fnm/node-versions/v22.1.0/installation
    layout("Node of fnm", &["node-versions"], 2),
    layout("Node of volta", &["tools", "image", "node"], 1),
    layout("npm of volta", &["tools", "image", "npm"], 1),
    layout("yarn of volta", &["tools", "image", "yarn"], 1),
    layout("pnpm of volta", &["tools", "image", "pnpm"], 1),
    // a name with a scope is two folders, see `below`
    layout("package of volta", &["tools", "image", "packages"], 1),
    layout("tool of mise", &["mise", "installs"], 2),
    layout("tool of asdf", &[".asdf", "installs"], 2),
    layout("tool of asdf", &["asdf", "installs"], 2),
    layout("tool of proto", &[".proto", "tools"], 2),
    layout("Python of pyenv", &[".pyenv", "versions"], 1),
    layout("Node of nodenv", &[".nodenv", "versions"], 1),
    layout("Ruby of rbenv", &[".rbenv", "versions"], 1),
    layout("Python of uv", &["uv", "python"], 1),
    layout("Java of sdkman", &[".sdkman", "candidates"], 2),
    layout("Rust toolchain", &[".rustup", "toolchains"], 1),
    // Formulas refer to one another through `opt`; the tree holds packages only.
    layout("Homebrew", &["/", "home", "linuxbrew", ".linuxbrew"], 0),
    // Which paths belong to a program is known to nix alone; the store is public by its own design.
    layout("nix store", &["/", "nix", "store"], 0),
    layout("gnu store", &["/", "gnu", "store"], 0),
    layout("snap", &["/", "snap"], 2),
    layout("package under /opt", &["/", "opt"], 1),
];

/// Folders of a conda installation that its programs use; `pkgs` and `envs` hold others.
const CONDA: [&str; 7] = ["bin", "conda-meta", "etc", "lib", "libexec", "share", "ssl"];

/// Folders that are never a prefix, however a layout reads: they hold many things of many owners.
const WIDE: [&str; 19] = [
    "/bin", "/boot", "/dev", "/etc", "/gnu", "/home", "/lib", "/media", "/mnt", "/nix", "/opt", "/proc", "/root",
    "/run", "/snap", "/srv", "/sys", "/tmp", "/var",
];

/// Whether the machine's own software holds this path.
pub(super) fn is_machine(path: &Path) -> bool {
    MACHINE.iter().any(|folder| path.starts_with(folder))
}

/// Decides what to show for a file that is free of links.
pub(super) fn cover(real: &Path, home: &Path) -> Cover {
    if is_machine(real) {
        return Cover::Machine;
    }
    if let Some((folder, why)) = by_layout(real) {
        return Cover::Folders { folders: vec![folder], why };
    }
    if let Some(folder) = topmost(real, "node_modules") {
        return Cover::Folders { folders: vec![folder], why: "installed npm packages" };
    }
    let Some(prefix) = real.parent().filter(|bin| bin.ends_with("bin")).and_then(Path::parent) else {
        return Cover::Alone;
    };
    if prefix.join("conda-meta/history").is_file() && is_narrow(prefix, home) {
        return Cover::Folders { folders: existing(prefix, &CONDA), why: "conda environment" };
    }
    match python_home(prefix) {
        found if found.is_empty() => Cover::Alone,
        folders => Cover::Folders { folders, why: "Python installation" },
    }
}

fn by_layout(real: &Path) -> Option<(PathBuf, &'static str)> {
    let parts: Vec<Component<'_>> = real.components().collect();
    let names: Vec<&str> = parts.iter().map(|part| part.as_os_str().to_str().unwrap_or_default()).collect();
    LAYOUTS.iter().find_map(|layout| {
        let start = names.windows(layout.marker.len()).position(|window| window == layout.marker)?;
        let marker_end = start + layout.marker.len();
        let scoped = layout.below > 0 && names.get(marker_end).is_some_and(|name| name.starts_with('@'));
        let end = marker_end + layout.below + usize::from(scoped);
        // The program lies below its prefix, or it is the file `/opt/tool` itself.
        (end < names.len()).then(|| (parts[..end].iter().collect(), layout.why))
    })
}

/// The outermost folder of this name that holds the file: packages find one another in all of them.
fn topmost(real: &Path, name: &str) -> Option<PathBuf> {
    let mut holders = real.ancestors().skip(1).filter(|folder| folder.ends_with(name));
    holders.by_ref().last().map(Path::to_owned)
}

fn existing(prefix: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| prefix.join(name)).filter(|path| is_real_folder(path)).collect()
}

fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir())
}

/// The standard library of a Python that was installed into a prefix which holds other things too
/// (`--prefix=$HOME/.local`): `lib/python3.X` with `os.py` in it is Python's own landmark.
fn python_home(prefix: &Path) -> Vec<PathBuf> {
    versioned(prefix).into_iter().filter(|folder| folder.join("os.py").is_file()).collect()
}

/// `lib/python3.X` folders of a prefix.
fn versioned(prefix: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["lib", "lib64"]
        .iter()
        .filter(|lib| is_real_folder(&prefix.join(lib)))
        .filter_map(|lib| fs::read_dir(prefix.join(lib)).ok())
        .flat_map(|entries| entries.flatten().take(MAX_ENTRIES))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("python"))
        .map(|entry| entry.path())
        .filter(|path| is_real_folder(path))
        .collect();
    found.sort();
    found
}

/// Entries looked at in one `lib` folder: real ones have a few hundred.
const MAX_ENTRIES: usize = 10_000;

/// Modules that `pip install --user` put below a folder such as `~/.local`.
pub(super) fn user_sites(base: &Path) -> Vec<PathBuf> {
    let sites = versioned(base).into_iter().map(|folder| folder.join("site-packages"));
    sites.filter(|site| is_real_folder(site)).collect()
}

/// Whether showing this path shows no home folder and no folder of many owners.
pub(crate) fn is_narrow(path: &Path, home: &Path) -> bool {
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    let wide = WIDE.iter().any(|folder| path == Path::new(folder));
    let of_a_home = path.parent() == Some(Path::new("/home"));
    path.parent().is_some() && !wide && !of_a_home && !home.starts_with(path)
}

/// Drops what another piece or the machine holds already, and what is named twice.
pub(super) fn simplify(found: &mut Found) {
    found.pieces.sort_by(|a, b| a.path.cmp(&b.path));
    let mut kept: Vec<super::Piece> = Vec::new();
    for piece in std::mem::take(&mut found.pieces) {
        if !kept.iter().any(|outer| piece.path.starts_with(&outer.path)) {
            kept.push(piece);
        }
    }
    found.pieces = kept;
    let pieces = &found.pieces;
    let held = |link: &Path| is_machine(link) || pieces.iter().any(|piece| link.starts_with(&piece.path));
    found.links.retain(|link, _| !held(link));
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in std::mem::take(&mut found.path) {
        if !is_machine(&folder) && !seen.contains(&folder) {
            seen.push(folder);
        }
    }
    found.path = seen;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(real: &str, expect: &str) {
        let Cover::Folders { folders, .. } = cover(Path::new(real), Path::new("/home/u")) else {
            panic!("{real} is alone");
        };
        assert_eq!(folders, [PathBuf::from(expect)], "{real}");
    }

    #[test]
    fn each_layout_shows_one_installation() {
        for (real, expect) in [
            ("/home/u/.nvm/versions/node/v22.1.0/bin/node", "/home/u/.nvm/versions/node/v22.1.0"),
            (
                "/home/u/.nvm/versions/node/v22.1.0/lib/node_modules/npm/bin/npm-cli.js",
                "/home/u/.nvm/versions/node/v22.1.0",
            ),
            (
                "/home/u/.local/share/fnm/node-versions/v22.1.0/installation/bin/node",
                "/home/u/.local/share/fnm/node-versions/v22.1.0/installation",
            ),
            ("/home/u/.volta/tools/image/packages/@a/b/bin/c", "/home/u/.volta/tools/image/packages/@a/b"),
            (
                "/home/u/.local/share/mise/installs/node/22.1.0/bin/node",
                "/home/u/.local/share/mise/installs/node/22.1.0",
            ),
            ("/home/u/.asdf/installs/nodejs/20.1.0/bin/node", "/home/u/.asdf/installs/nodejs/20.1.0"),
            ("/home/u/.pyenv/versions/3.11.7/bin/python3.11", "/home/u/.pyenv/versions/3.11.7"),
            (
                "/home/u/.local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu/bin/python3.12",
                "/home/u/.local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu",
            ),
            ("/opt/tool/bin/x", "/opt/tool"),
            ("/nix/store/abc-node/bin/node", "/nix/store"),
            ("/home/u/p/node_modules/a/node_modules/b/cli.js", "/home/u/p/node_modules"),
        ] {
            check(real, expect);
        }
    }

    #[test]
    fn others_are_alone_or_the_machines() {
        let home = Path::new("/home/u");
        assert_eq!(cover(Path::new("/usr/local/bin/x"), home), Cover::Machine);
        assert_eq!(cover(Path::new("/home/u/proj/target/debug/server"), home), Cover::Alone);
        assert_eq!(cover(Path::new("/opt/server"), home), Cover::Alone);
        assert_eq!(cover(Path::new("/home/u/bin/server"), home), Cover::Alone);
        assert_eq!(cover(Path::new("/home/u/opt/tool/bin/x"), home), Cover::Alone);
    }

    #[test]
    fn no_home_and_no_shared_folder_is_narrow() {
        let home = Path::new("/home/u");
        for wide in ["/", "/home", "/home/u", "/home/v", "/opt", "/etc", "/root", "/tmp", "/var"] {
            assert!(!is_narrow(Path::new(wide), home), "{wide}");
        }
        for narrow in ["/home/u/x", "/opt/x", "/nix/store", "/srv/x"] {
            assert!(is_narrow(Path::new(narrow), home), "{narrow}");
        }
    }
}
