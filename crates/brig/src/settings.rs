//! The environment, read once. Nothing else in the project reads it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use brig_runtime::paths::Paths;
use brig_runtime::programs::Caller;
use brig_runtime::run::Context;

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Every variable that is UTF-8; others cannot be asked for.
    env: BTreeMap<String, String>,
    /// Whether stderr may be coloured.
    pub(crate) colour: bool,
    /// Whether stdout may be.
    pub(crate) colour_of_data: bool,
}

/// Turns colour off when set to anything (no-color.org).
const NO_COLOR: &str = "NO_COLOR";
/// How much brig tells of its own working: error, warn, info, debug or trace.
const BRIG_LOG: &str = "BRIG_LOG";

/// The environment as it is, for the simulated server, whose job it is to tell it.
#[allow(clippy::disallowed_methods, reason = "the one place that may")]
pub(crate) fn whole_environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

impl Settings {
    /// Reads everything that brig ever looks at.
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub(crate) fn read() -> Self {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let env: BTreeMap<String, String> = std::env::vars_os().filter_map(text).collect();
        let plain = env.get(NO_COLOR).is_some_and(|value| !value.is_empty());
        Self {
            colour: !plain && std::io::stderr().is_terminal(),
            colour_of_data: !plain && std::io::stdout().is_terminal(),
            env,
        }
    }

    /// Who calls, and where brig's own files are.
    pub(crate) fn context(&self) -> Context {
        let home = self.env.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let home = home.unwrap_or_else(|| PathBuf::from("/nonexistent"));
        let caller = Caller {
            path: self.env.get("PATH").cloned().unwrap_or_default(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            env: self.env.clone(),
            home: home.clone(),
        };
        let Paths { cache, state, runs } = Paths::new(&home, &self.env);
        Context { caller, paths: Paths { cache: resolved(&cache), state: resolved(&state), runs: resolved(&runs) } }
    }

    /// Sends brig's own log to stderr when [`BRIG_LOG`] asks for it.
    pub(crate) fn start_log(&self) {
        let Some(level) = self.env.get(BRIG_LOG) else { return };
        let level = tracing::Level::from_str(level).unwrap_or(tracing::Level::DEBUG);
        let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(self.colour);
        // It is the first and only one of this process.
        drop(log.try_init());
    }

    /// The folder for temporary files.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.env.get("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
    }
}

/// The path without links, as far as it exists. What brig mounts is opened without following any, and a home folder
/// behind a link (`/home` on some systems) or a cache moved to a larger disk is an ordinary thing.
fn resolved(path: &Path) -> PathBuf {
    let real = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, real)) = real else { return path.to_owned() };
    path.strip_prefix(above)
        .map_or_else(|_| path.to_owned(), |rest| real.components().chain(rest.components()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_on_the_way_are_followed_and_what_is_missing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("disk")).unwrap();
        std::os::unix::fs::symlink(real.join("disk"), real.join("cache")).unwrap();
        assert_eq!(resolved(&real.join("cache/brig/images")), real.join("disk/brig/images"));
        assert_eq!(resolved(&real.join("disk")), real.join("disk"));
    }
}
