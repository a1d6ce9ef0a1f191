//! Every path that brig uses of its own, in one table.
//!
//! | what | where | may be deleted |
//! |---|---|---|
//! | images, packages | `$XDG_CACHE_HOME/brig` | yes, it is fetched again |
//! | volumes, pins, quarantine | `$XDG_STATE_HOME/brig` | it is the user's |
//! | living runs | `$XDG_RUNTIME_DIR/brig`, or `run` in the state folder | when nothing runs |
//!
//! Pure: the variables are passed in. Nothing is created here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// brig's own folders (XDG Base Directory Specification 0.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// What can be fetched again: `images`, `packages`.
    pub cache: PathBuf,
    /// What cannot: `volumes`, `brig.lock`, `quarantine`.
    pub state: PathBuf,
    /// Records of living runs.
    pub runs: PathBuf,
}

impl Paths {
    /// From the caller's home and environment. Relative values are ignored, as the specification
    /// says.
    #[must_use]
    pub fn new(home: &Path, env: &BTreeMap<String, String>) -> Self {
        let absolute = |name: &str| env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")).join("brig");
        let cache = absolute("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache")).join("brig");
        let runs = absolute("XDG_RUNTIME_DIR").map_or_else(|| state.join("run"), |folder| folder.join("brig"));
        Self { cache, state, runs }
    }

    /// All of them, for those who must not grant them to a box.
    #[must_use]
    pub fn all(&self) -> Vec<PathBuf> {
        vec![self.cache.clone(), self.state.clone(), self.runs.clone()]
    }

    /// The image store.
    #[must_use]
    pub fn images(&self) -> PathBuf {
        self.cache.join("images")
    }

    /// Installed packages.
    #[must_use]
    pub fn packages(&self) -> PathBuf {
        self.cache.join("packages")
    }

    /// Named volumes.
    #[must_use]
    pub fn volumes(&self) -> PathBuf {
        self.state.join("volumes")
    }

    /// Changes of staged grants, until they are applied.
    #[must_use]
    pub fn staged(&self) -> PathBuf {
        self.state.join("staged")
    }

    /// What a box left in a grant that the host would have run.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.state.join("quarantine")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_win_over_defaults_and_relative_ones_do_not_count() {
        let env = [("XDG_CACHE_HOME", "/c"), ("XDG_STATE_HOME", "relative")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let paths = Paths::new(Path::new("/home/u"), &env);
        assert_eq!(paths.images(), Path::new("/c/brig/images"));
        assert_eq!(paths.state, Path::new("/home/u/.local/state/brig"));
        assert_eq!(paths.runs, Path::new("/home/u/.local/state/brig/run"));
    }
}
