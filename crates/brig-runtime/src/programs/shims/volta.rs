//! volta: links in `HOME/bin` to its shim, versions in `package.json` and `HOME/tools/user`.

use std::path::Path;

use serde_json::Value;

use super::super::{executable, walk};
use super::{Caller, Next, ShimError, plain};

/// Programs that come with Node itself.
const OF_NODE: [&str; 4] = ["node", "npm", "npx", "corepack"];
/// Managers that may have a version of their own, and the programs that they bring.
const MANAGERS: [(&str, &[&str]); 3] =
    [("npm", &["npm", "npx"]), ("yarn", &["yarn", "yarnpkg"]), ("pnpm", &["pnpm", "pnpx"])];

/// Finds what the shim would run.
pub(super) fn follow(shim: &Path, program: &str, caller: &Caller) -> Result<Next, ShimError> {
    let tools = shim.parent().and_then(Path::parent).unwrap_or(Path::new("/")).join("tools");
    if let Some(binary) = json(&tools.join(format!("user/bins/{program}.json"))) {
        return package(&tools, &binary, program);
    }
    let manager = MANAGERS.iter().find(|(_, programs)| programs.contains(&program)).map(|(name, _)| *name);
    let mut wanted: Vec<&str> = manager.into_iter().collect();
    if OF_NODE.contains(&program) {
        wanted.push("node");
    }
    for tool in wanted {
        let Some((version, by)) = chosen(&tools, tool, caller) else {
            continue;
        };
        let file = tools.join("image").join(tool).join(plain(&version)?).join("bin").join(program);
        if executable(&file) == Some(true) {
            return Ok(Next::File(file));
        }
        return Err(ShimError::NotInstalled { program: program.to_owned(), version, by });
    }
    Err(ShimError::NoVersion { tool: program.to_owned(), set: "volta install node".into() })
}

/// A program of a package that was installed with `volta install PACKAGE`.
fn package(tools: &Path, binary: &Value, program: &str) -> Result<Next, ShimError> {
    let name = binary["package"].as_str().unwrap_or_default();
    for part in name.split('/') {
        plain(part)?;
    }
    let file = tools.join("image/packages").join(name).join("bin").join(program);
    if executable(&file) == Some(true) {
        return Ok(Next::File(file));
    }
    let by = "volta install".to_owned();
    Err(ShimError::NotInstalled { program: program.to_owned(), version: name.to_owned(), by })
}

/// The version of a tool: of the nearest `package.json` that pins it, else the user's own.
fn chosen(tools: &Path, tool: &str, caller: &Caller) -> Option<(String, String)> {
    let projects = caller.cwd.ancestors().map(|folder| folder.join("package.json"));
    let pinned = projects.filter_map(|file| {
        let version = json(&file)?["volta"][tool].as_str()?.to_owned();
        Some((version, file.display().to_string()))
    });
    pinned.chain(default(tools, tool)).next()
}

fn default(tools: &Path, tool: &str) -> Option<(String, String)> {
    let file = tools.join("user/platform.json");
    let platform = json(&file)?;
    let value = if tool == "node" { &platform["node"]["runtime"] } else { &platform[tool] };
    let value = if tool == "npm" && value.is_null() { &platform["node"]["npm"] } else { value };
    Some((value.as_str()?.to_owned(), file.display().to_string()))
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&walk::read_small(file)?).ok()
}
