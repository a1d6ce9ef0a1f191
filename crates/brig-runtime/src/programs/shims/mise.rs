//! mise: links in `DATA/shims` to mise itself, versions in `mise.toml`, `.tool-versions` and the user's own
//! configuration, installations in `DATA/installs/TOOL/VERSION`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{executable, walk};
use super::{Caller, Next, ShimError, newest, plain};

/// Files of one folder, the strongest first.
const FILES: [&str; 6] =
    ["mise.local.toml", ".mise.local.toml", "mise.toml", ".mise.toml", ".config/mise.toml", ".tool-versions"];
/// The user's own, below the configuration folder.
const GLOBAL: &str = "mise/config.toml";
/// Names under which the same tool is known.
const ALIASES: [(&str, &str); 2] = [("nodejs", "node"), ("golang", "go")];

/// Which version of a tool is set, and by what.
type Chosen = BTreeMap<String, (String, String)>;

/// Finds what the shim would run.
pub(super) fn follow(shim: &Path, program: &str, caller: &Caller) -> Result<Next, ShimError> {
    let installs = shim.parent().and_then(Path::parent).unwrap_or(Path::new("/")).join("installs");
    let chosen = chosen(caller);
    let mut missing = None;
    for (tool, (version, by)) in &chosen {
        if version == "system" {
            if tool == program {
                return Ok(Next::Elsewhere(program.to_owned()));
            }
            continue;
        }
        let folder = installs.join(tool.replace([':', '/', '@'], "-"));
        let Some(home) = installed(&folder, plain(version)?) else {
            missing = missing.or_else(|| Some((version.clone(), by.clone()))).filter(|_| tool == program);
            continue;
        };
        for file in [home.join("bin").join(program), home.join(program)] {
            if executable(&file) == Some(true) {
                return Ok(Next::File(file));
            }
        }
    }
    Err(match missing {
        Some((version, by)) => ShimError::NotInstalled { program: program.to_owned(), version, by },
        None => ShimError::NoVersion { tool: program.to_owned(), set: format!("mise use --global {program}") },
    })
}

/// `22` means `22.1.0` where mise has made no link of that name.
fn installed(folder: &Path, version: &str) -> Option<PathBuf> {
    let exact = folder.join(version);
    if exact.is_dir() {
        return Some(exact);
    }
    let wanted = if version == "latest" { "" } else { version };
    newest(folder, wanted).map(|name| folder.join(name))
}

/// All versions that are set; the nearest file wins, variables win over files.
fn chosen(caller: &Caller) -> Chosen {
    let mut chosen = Chosen::new();
    for (name, value) in &caller.env {
        let tool = name.strip_prefix("MISE_").and_then(|name| name.strip_suffix("_VERSION"));
        if let Some(tool) = tool.filter(|tool| !tool.is_empty() && !value.is_empty()) {
            chosen.insert(canonical(&tool.to_ascii_lowercase()), (value.clone(), name.clone()));
        }
    }
    let config = caller.var("XDG_CONFIG_HOME").map_or_else(|| caller.home.join(".config"), PathBuf::from);
    let local = caller.cwd.ancestors().flat_map(|folder| FILES.iter().map(|file| folder.join(file)));
    for file in local.chain([config.join(GLOBAL), caller.home.join(".tool-versions")]) {
        let Some(text) = walk::read_small(&file) else {
            continue;
        };
        for (tool, version) in versions(&file, &text) {
            chosen.entry(canonical(&tool)).or_insert_with(|| (version, file.display().to_string()));
        }
    }
    chosen
}

fn canonical(tool: &str) -> String {
    let tool = tool.strip_prefix("core:").unwrap_or(tool);
    ALIASES.iter().find(|(alias, _)| *alias == tool).map_or(tool, |(_, name)| name).to_owned()
}

/// Tools and their first version in one file.
fn versions(file: &Path, text: &str) -> Vec<(String, String)> {
    if file.extension().is_none_or(|end| end != "toml") {
        let line = |line: &str| {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace().map(str::to_owned);
            Some((words.next()?, words.next()?))
        };
        return text.lines().filter_map(line).collect();
    }
    let Ok(table) = text.parse::<toml::Table>() else {
        return Vec::new();
    };
    let tools = table.get("tools").and_then(toml::Value::as_table);
    let entries = tools.into_iter().flatten();
    entries.filter_map(|(tool, value)| Some((tool.clone(), first(value)?))).collect()
}

/// A version is a text, a table with one, or a list of either.
fn first(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(version) => Some(version.clone()),
        toml::Value::Table(table) => table.get("version").and_then(toml::Value::as_str).map(str::to_owned),
        toml::Value::Array(list) => list.first().and_then(first),
        _ => None,
    }
}
