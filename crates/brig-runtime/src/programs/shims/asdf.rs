//! asdf: scripts in `DATA/shims` that carry their plugins as comments, versions in `.tool-versions`.

use std::path::Path;

use super::super::{executable, walk};
use super::{Caller, Next, ShimError, plain};

/// The line that asdf writes into a shim for each plugin and version that offers the program.
const MARK: &str = "# asdf-plugin: ";
/// Where projects and the user set versions.
const FILE: &str = ".tool-versions";

/// The plugins that a shim names, each once; none when the text is no shim of asdf.
pub(super) fn plugins(text: &str) -> Vec<String> {
    let mut plugins: Vec<String> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(MARK)) {
        let name = line.split_whitespace().next().filter(|name| plain(name).is_ok());
        if let Some(name) = name.filter(|name| !plugins.iter().any(|seen| seen == name)) {
            plugins.push(name.to_owned());
        }
    }
    plugins
}

/// Finds what the shim would run.
pub(super) fn follow(plugins: &[String], shim: &Path, program: &str, caller: &Caller) -> Result<Next, ShimError> {
    let data = shim.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let mut missing = None;
    for plugin in plugins {
        let Some((by, versions)) = chosen(plugin, caller) else {
            continue;
        };
        for version in &versions {
            if version == "system" {
                return Ok(Next::Elsewhere(program.to_owned()));
            }
            let file = data.join("installs").join(plugin).join(plain(version)?).join("bin").join(program);
            if executable(&file) == Some(true) {
                return Ok(Next::File(file));
            }
        }
        missing = missing.or(Some((by, versions.join(" "))));
    }
    let tool = plugins.first().cloned().unwrap_or_default();
    Err(match missing {
        Some((by, version)) => ShimError::NotInstalled { program: program.to_owned(), version, by },
        None => ShimError::NoVersion { set: format!("asdf set --home {tool} latest"), tool },
    })
}

/// The versions that are set for a tool, and by what.
fn chosen(tool: &str, caller: &Caller) -> Option<(String, Vec<String>)> {
    let variable = format!("ASDF_{}_VERSION", tool.to_ascii_uppercase().replace('-', "_"));
    if let Some(value) = caller.var(&variable) {
        return Some((variable, value.split_whitespace().map(str::to_owned).collect()));
    }
    let folders = caller.cwd.ancestors().chain([caller.home.as_path()]);
    folders.map(|folder| folder.join(FILE)).find_map(|file| Some((file.display().to_string(), in_file(&file, tool)?)))
}

/// The versions that one `.tool-versions` names for a tool.
fn in_file(file: &Path, tool: &str) -> Option<Vec<String>> {
    walk::read_small(file)?.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        (words.next() == Some(tool)).then(|| words.map(str::to_owned).collect())
    })
}
