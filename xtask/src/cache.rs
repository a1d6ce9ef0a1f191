//! `.cache/` at the root of the project: what was downloaded or built for tests and benchmarks.
//!
//! It may be deleted at any time. Each part has a stamp, written last, that says what it was made
//! from, so a part that a killed run left half-made is made anew.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// The cache's folder, made where it was missing.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = workspace::root()?.join(".cache");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The part `name` of the cache, made by `make` in an empty folder when it is missing or was made
/// from something else than `recipe`.
pub(crate) fn part(name: &str, recipe: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = folder()?;
    let place = cache.join(name);
    let stamp = cache.join(format!("{}.stamp", name.replace('/', "-")));
    if place.is_dir() && fs::read_to_string(&stamp).is_ok_and(|found| found == recipe) {
        return Ok(place);
    }
    // Programs that Python installs remember the folder they were made in, so it is made in place
    // and only the stamp, written last, says that it is complete.
    remove(&stamp)?;
    remove(&place)?;
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    make(&place).with_context(|| format!("cannot prepare .cache/{name}"))?;
    fs::write(&stamp, recipe).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(place)
}

fn remove(path: &Path) -> Result<()> {
    let outcome = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
