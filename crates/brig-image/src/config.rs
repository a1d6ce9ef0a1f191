//! An image's configuration: what to run, with which environment, where; and its layers' digests.
//!
//! Only what brig honours is read. What could be read in two ways (a key twice) is refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::manifest::{self, LAYERS, Manifest, Platform};

/// Largest configuration: those of images with hundreds of history lines stay below 100 KiB.
pub const CONFIG_BYTES: u64 = 4 * 1024 * 1024;
/// Longest single text: the kernel takes no longer argument or variable (`MAX_ARG_STRLEN`).
pub const TEXT_BYTES: usize = 128 * 1024;
/// Most arguments, variables or labels: far above any real image, far below what slows a start.
pub const ITEMS: usize = 4096;
/// Most volumes: each becomes a mount.
pub const VOLUMES: usize = 256;

/// What an image says about running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What it runs on.
    pub platform: Platform,
    /// What is run before [`Self::cmd`].
    pub entrypoint: Vec<String>,
    /// The default arguments.
    pub cmd: Vec<String>,
    /// Variables in the image's order, each name once.
    pub env: Vec<(String, String)>,
    /// The working folder; empty means `/`.
    pub working_dir: String,
    /// The user asked for; empty means root.
    pub user: String,
    /// Absolute paths that want to be written to, sorted.
    pub volumes: Vec<String>,
    /// Ports that the server says it listens on, such as `8080/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The signal that asks it to stop; empty means TERM.
    pub stop_signal: String,
    /// The uncompressed layers' digests, the lowest first.
    pub layers: Vec<Digest>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// More than [`CONFIG_BYTES`].
    #[error("the image's configuration is larger than {CONFIG_BYTES} bytes")]
    TooLarge,
    /// Not JSON, or JSON of another shape.
    #[error("the image's configuration cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Too many of something.
    #[error("the image's configuration has {count} {what}, more than {limit}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many are taken.
        limit: usize,
    },
    /// A text that is too long or has a zero byte in it.
    #[error("the image's {0} has a text that is too long or has a zero byte in it")]
    Text(&'static str),
    /// A variable without a name or without `=`.
    #[error("the image's environment has {0:?}, which is not NAME=value")]
    Env(String),
    /// A volume or working folder that is not an absolute path without `..`.
    #[error("the image's {what} {path:?} is not an absolute path without \"..\"")]
    Path {
        /// Of what.
        what: &'static str,
        /// The path.
        path: String,
    },
    /// Layers of a kind other than `layers`.
    #[error("the image's file system is of type {0:?}, not layers")]
    RootFs(String),
}

impl ConfigError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("the image is damaged or hostile: rebuild it, or choose another".to_owned())
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default)]
    config: Option<RawRun>,
    rootfs: RawRootFs,
}

#[derive(Deserialize, Default)]
struct RawRun {
    #[serde(rename = "Entrypoint", default)]
    entrypoint: Option<Vec<String>>,
    #[serde(rename = "Cmd", default)]
    cmd: Option<Vec<String>>,
    #[serde(rename = "Env", default)]
    env: Option<Vec<String>>,
    #[serde(rename = "WorkingDir", default)]
    working_dir: Option<String>,
    #[serde(rename = "User", default)]
    user: Option<String>,
    #[serde(rename = "Volumes", default)]
    volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    #[serde(rename = "ExposedPorts", default)]
    exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(rename = "StopSignal", default)]
    stop_signal: Option<String>,
}

#[derive(Deserialize)]
struct RawRootFs {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    diff_ids: Option<Vec<Digest>>,
}

impl Config {
    /// Parses a configuration of OCI or Docker. Nesting is bounded.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.len() as u64 > CONFIG_BYTES {
            return Err(ConfigError::TooLarge);
        }
        let raw: Raw = json::parse(bytes)?;
        if let Some(kind) = raw.rootfs.kind.filter(|kind| kind != "layers") {
            return Err(ConfigError::RootFs(kind));
        }
        let layers = raw.rootfs.diff_ids.unwrap_or_default();
        check_count("layers", layers.len(), LAYERS)?;
        let run = raw.config.unwrap_or_default();
        let labels = run.labels.unwrap_or_default();
        check_count("labels", labels.len(), ITEMS)?;
        let working_dir = run.working_dir.unwrap_or_default();
        if !working_dir.is_empty() {
            check_path("working folder", &working_dir)?;
        }
        let volumes = keys("volumes", run.volumes, VOLUMES)?;
        for volume in &volumes {
            check_path("volume", volume)?;
        }
        Ok(Self {
            platform: Platform {
                os: raw.os.unwrap_or_default(),
                architecture: raw.architecture.unwrap_or_default(),
                variant: raw.variant,
            },
            entrypoint: words("entry point", run.entrypoint)?,
            cmd: words("command", run.cmd)?,
            env: variables(words("environment", run.env)?)?,
            working_dir,
            user: text("user", run.user)?,
            volumes,
            exposed_ports: keys("ports", run.exposed_ports, ITEMS)?,
            labels,
            stop_signal: text("stop signal", run.stop_signal)?,
            layers,
        })
    }
}

/// Runs the parsers of manifests and configurations on arbitrary bytes.
#[doc(hidden)]
pub fn fuzz_config(bytes: &[u8]) {
    if let Ok(config) = Config::parse(bytes) {
        assert!(config.layers.len() <= LAYERS && config.env.len() <= ITEMS);
    }
    match Manifest::parse(bytes) {
        Ok(Manifest::Index(entries)) => {
            let _ = manifest::choose(&entries, &Platform::host());
        }
        Ok(Manifest::Image(image)) => assert!(image.layers.len() <= LAYERS),
        Err(error) => {
            let _ = (error.to_string(), error.hint());
        }
    }
}

fn check_count(what: &'static str, count: usize, limit: usize) -> Result<(), ConfigError> {
    if count > limit {
        return Err(ConfigError::Count { what, count, limit });
    }
    Ok(())
}

fn check_text(what: &'static str, text: &str) -> Result<(), ConfigError> {
    if text.len() > TEXT_BYTES || text.contains('\0') {
        return Err(ConfigError::Text(what));
    }
    Ok(())
}

fn check_path(what: &'static str, path: &str) -> Result<(), ConfigError> {
    check_text(what, path)?;
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") || path.len() > 4096 {
        return Err(ConfigError::Path { what, path: path.chars().take(200).collect() });
    }
    Ok(())
}

fn text(what: &'static str, value: Option<String>) -> Result<String, ConfigError> {
    let value = value.unwrap_or_default();
    check_text(what, &value)?;
    Ok(value)
}

fn words(what: &'static str, value: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    let value = value.unwrap_or_default();
    check_count(what, value.len(), ITEMS)?;
    for word in &value {
        check_text(what, word)?;
    }
    Ok(value)
}

fn keys(
    what: &'static str,
    map: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    limit: usize,
) -> Result<Vec<String>, ConfigError> {
    let map = map.unwrap_or_default();
    check_count(what, map.len(), limit)?;
    for key in map.keys() {
        check_text(what, key)?;
    }
    Ok(map.into_keys().collect())
}

/// Later ones win, in the first one's place, as in Docker.
fn variables(list: Vec<String>) -> Result<Vec<(String, String)>, ConfigError> {
    let mut places = BTreeMap::new();
    let mut env: Vec<(String, String)> = Vec::new();
    for item in list {
        match item.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                let place = *places.entry(name.to_owned()).or_insert(env.len());
                match env.get_mut(place) {
                    Some(slot) => slot.1 = value.to_owned(),
                    None => env.push((name.to_owned(), value.to_owned())),
                }
            }
            // The value may be a credential: show the name's part alone.
            _ => return Err(ConfigError::Env(item.chars().take(16).collect())),
        }
    }
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(run: &str) -> Result<Config, ConfigError> {
        Config::parse(format!(r#"{{"config":{run},"rootfs":{{"diff_ids":[]}}}}"#).as_bytes())
    }

    #[test]
    fn what_is_honoured() {
        let config = Config::parse(
            br#"{"architecture":"amd64","os":"linux","created":"x","history":[{}],
            "config":{"Entrypoint":["/a"],"Cmd":null,"Env":["PATH=/bin","A=1=2","A=3","B="],
            "WorkingDir":"/w","User":"node:node","Volumes":{"/v":{},"/a":{}},"StopSignal":"SIGINT",
            "ExposedPorts":{"80/tcp":{}},"Labels":{"k":"v"},"Healthcheck":{"Test":["X"]}},
            "rootfs":{"type":"layers","diff_ids":
            ["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]}}"#,
        )
        .unwrap();
        assert_eq!(config.entrypoint, ["/a"]);
        assert!(config.cmd.is_empty());
        let env: Vec<_> = config.env.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(env, ["PATH=/bin", "A=3", "B="]);
        assert_eq!(config.volumes, ["/a", "/v"]);
        assert_eq!(config.working_dir, "/w");
        assert_eq!(config.user, "node:node");
        assert_eq!(config.exposed_ports, ["80/tcp"]);
        assert_eq!(config.layers.len(), 1);
        assert_eq!(config.platform.to_string(), "linux/amd64");
        assert!(parse("null").unwrap().entrypoint.is_empty());
    }

    #[test]
    fn refused() {
        let many = format!(r#"{{"Cmd":[{}]}}"#, vec![r#""x""#; ITEMS + 1].join(","));
        let long = format!(r#"{{"User":"{}"}}"#, "x".repeat(TEXT_BYTES + 1));
        for bad in [
            r#"{"Env":["NOVALUE"]}"#,
            r#"{"Env":["=x"]}"#,
            r#"{"Cmd":["a\u0000b"]}"#,
            r#"{"Cmd":["a"],"Cmd":["b"]}"#,
            r#"{"Cmd":"a"}"#,
            r#"{"Volumes":{"relative":{}}}"#,
            r#"{"Volumes":{"/a/../../etc":{}}}"#,
            r#"{"WorkingDir":"x"}"#,
            &many,
            &long,
        ] {
            let error = parse(bad).expect_err(bad);
            assert!(error.hint().is_some());
        }
        assert!(Config::parse(br#"{"rootfs":{"type":"blocks"}}"#).is_err());
        assert!(Config::parse(br#"{"rootfs":{"diff_ids":["sha256:../x"]}}"#).is_err());
        assert!(Config::parse(b"{}").is_err());
        assert!(Config::parse(&vec![b' '; 5 << 20]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_config(&bytes);
        }
    }
}
