//! Credentials as `docker login` left them: in Docker's own `config.json`, or behind a helper program
//! (`docker-credential-helpers`' protocol). They are read when a registry asks, and never shown.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde::Deserialize;

use super::RegistrySettings;
use crate::reference::DEFAULT_REGISTRY;

/// Largest `config.json`: a few kilobytes are usual.
const CONFIG_BYTES: u64 = 1 << 20;
/// Longest answer of a helper: cloud tokens take 8 KiB.
const ANSWER_BYTES: u64 = 64 * 1024;
/// How long a helper may take: long enough to unlock a keyring by hand.
const HELPER_TIME: Duration = Duration::from_secs(60);
/// How often a helper is looked at.
const HELPER_POLL: Duration = Duration::from_millis(10);
/// Under which name Docker keeps the default registry's credentials.
const DEFAULT_KEY: &str = "https://index.docker.io/v1/";
/// The user name that says the password is an identity token.
const TOKEN_USER: &str = "<token>";

/// Who we are to a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nobody.
    None,
    /// A user.
    Password {
        /// The name.
        user: String,
        /// The password or access token.
        password: String,
    },
    /// A token to get tokens with.
    Identity(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Why credentials could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Docker's configuration.
    #[error("{path:?} cannot be read: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Docker's configuration is no JSON of the known shape. What it says is not repeated.
    #[error("{0:?} is not Docker's configuration: it is malformed or too large")]
    Shape(PathBuf),
    /// An entry that does not decode to a user and a password.
    #[error("the credentials for {0:?} in Docker's configuration are malformed")]
    Entry(String),
    /// A helper's name that could be a path.
    #[error("{0:?} cannot be the name of a credential helper")]
    HelperName(String),
    /// A helper that is not installed.
    #[error("the program {0:?}, which Docker's configuration names, is not installed")]
    NoHelper(String),
    /// A helper that failed. What it says may be secret and is not repeated.
    #[error("{program:?} failed: {why}")]
    Helper {
        /// Which.
        program: String,
        /// How.
        why: String,
    },
}

impl CredentialError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHelper(_) | Self::HelperName(_) => {
                Some("install it, or remove credsStore and credHelpers from Docker's config.json".to_owned())
            }
            Self::Helper { .. } => Some("unlock the keyring, or docker login again".to_owned()),
            _ => Some("docker login again".to_owned()),
        }
    }
}

#[derive(Deserialize, Default)]
struct DockerConfig {
    #[serde(default)]
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(rename = "credHelpers", default)]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore", default)]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
struct Entry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(rename = "identitytoken", default)]
    identity: Option<String>,
}

/// The credentials for a registry.
pub(super) fn find(settings: &RegistrySettings, registry: &str) -> Result<Credentials, CredentialError> {
    let Some(path) = &settings.docker_config else {
        return Ok(Credentials::None);
    };
    let Some(config) = read_config(path)? else {
        return Ok(Credentials::None);
    };
    let helpers = config.helpers.unwrap_or_default();
    let helper = helpers
        .iter()
        .find(|(key, _)| same_registry(key, registry))
        .map(|(_, helper)| helper.clone())
        .or(config.store.filter(|store| !store.is_empty()));
    if let Some(helper) = helper {
        let found = ask_helper(settings, &helper, registry)?;
        if found != Credentials::None {
            return Ok(found);
        }
    }
    let entries = config.auths.unwrap_or_default();
    let entry = entries.iter().find(|(key, _)| same_registry(key, registry));
    match entry {
        Some((key, entry)) => {
            entry.credentials().ok_or_else(|| CredentialError::Entry(key.chars().take(100).collect()))
        }
        None => Ok(Credentials::None),
    }
}

impl Entry {
    /// `None` if malformed; an entry without anything, as Docker leaves beside a helper, is nobody.
    fn credentials(&self) -> Option<Credentials> {
        if let Some(token) = self.identity.as_ref().filter(|token| !token.is_empty()) {
            return Some(Credentials::Identity(token.clone()));
        }
        if let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) {
            let engine = base64::engine::general_purpose::STANDARD;
            let text = String::from_utf8(engine.decode(auth).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            return Some(Credentials::Password {
                user: user.to_owned(),
                password: password.trim_end_matches('\0').to_owned(),
            });
        }
        match (&self.username, &self.password) {
            (Some(user), Some(password)) => {
                Some(Credentials::Password { user: user.clone(), password: password.clone() })
            }
            _ => Some(Credentials::None),
        }
    }
}

fn read_config(path: &Path) -> Result<Option<DockerConfig>, CredentialError> {
    let fail = |source| CredentialError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > CONFIG_BYTES {
        return Err(CredentialError::Shape(path.to_owned()));
    }
    // The parser's own words could repeat a piece of a password.
    let config = serde_json::from_slice(&bytes);
    config.map(Some).map_err(|_| CredentialError::Shape(path.to_owned()))
}

/// Whether an entry's key, which may be a URL, is about a registry.
fn same_registry(key: &str, registry: &str) -> bool {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let host = bare.split('/').next().unwrap_or(bare);
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY,
        host => host,
    };
    host == registry
}

fn ask_helper(settings: &RegistrySettings, helper: &str, registry: &str) -> Result<Credentials, CredentialError> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if helper.is_empty() || helper.len() > 64 || !helper.chars().all(word) {
        return Err(CredentialError::HelperName(helper.chars().take(64).collect()));
    }
    let program = format!("docker-credential-{helper}");
    let path = settings
        .helper_path
        .iter()
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&program))
        .find(|path| path.is_file())
        .ok_or_else(|| CredentialError::NoHelper(program.clone()))?;
    let key = match registry {
        DEFAULT_REGISTRY => DEFAULT_KEY,
        registry => registry,
    };
    let fail = |why: String| CredentialError::Helper { program: program.clone(), why };
    let (good, answer) = run(&path, key).map_err(|error| fail(error.to_string()))?;
    if !good {
        // The words that the protocol fixes for it.
        return if answer.starts_with(b"credentials not found") {
            Ok(Credentials::None)
        } else {
            Err(fail("it reported an error".to_owned()))
        };
    }
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "Username")]
        user: String,
        #[serde(rename = "Secret")]
        secret: String,
    }
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|_| fail("its answer is malformed or too long".to_owned()))?;
    Ok(match answer.user.as_str() {
        TOKEN_USER => Credentials::Identity(answer.secret),
        _ => Credentials::Password { user: answer.user, password: answer.secret },
    })
}

/// Runs a helper with a question on its stdin; whether it succeeded, and its answer.
fn run(path: &Path, question: &str) -> io::Result<(bool, Vec<u8>)> {
    let mut child =
        Command::new(path).arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(ANSWER_BYTES).read_to_end(&mut answer);
        }
        answer
    });
    if let Some(mut stdin) = stdin {
        // A helper that does not read its question says so by its status.
        let _ = stdin.write_all(question.as_bytes());
    }
    let good = wait(&mut child)?;
    // A grandchild may keep the pipe open after the helper ended: what came until then counts.
    let deadline = Instant::now() + Duration::from_secs(2);
    while !reader.is_finished() && Instant::now() < deadline {
        std::thread::sleep(HELPER_POLL);
    }
    if !reader.is_finished() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let answer = reader.join().map_err(|_| io::Error::from(io::ErrorKind::Other))?;
    Ok((good, answer))
}

fn wait(child: &mut Child) -> io::Result<bool> {
    let deadline = Instant::now() + HELPER_TIME;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(HELPER_POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn settings(folder: &Path, config: &str) -> RegistrySettings {
        let path = folder.join("config.json");
        std::fs::write(&path, config).unwrap();
        RegistrySettings { docker_config: Some(path), helper_path: vec![folder.to_owned()], extra_certificates: None }
    }

    fn helper(folder: &Path, name: &str, script: &str) {
        let path = folder.join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn password(user: &str, password: &str) -> Credentials {
        Credentials::Password { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(
            folder.path(),
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjOnJldA=="},
            "127.0.0.1:5000":{"identitytoken":"tok"},"empty.example":{},
            "bad.example":{"auth":"%%%"}}}"#,
        );
        let find = |registry: &str| find(&settings, registry);
        assert!(find("docker.io").unwrap() == password("me", "sec:ret"));
        assert!(find("127.0.0.1:5000").unwrap() == Credentials::Identity("tok".to_owned()));
        assert!(find("127.0.0.1:5001").unwrap() == Credentials::None);
        assert!(find("empty.example").unwrap() == Credentials::None);
        assert!(matches!(find("bad.example"), Err(CredentialError::Entry(_))));
        // A host that merely begins or ends alike is another one.
        assert!(find("evil-docker.io").unwrap() == Credentials::None);
        assert!(find("docker.io.evil.example").unwrap() == Credentials::None);
    }

    #[test]
    fn from_a_helper() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(
            folder.path(),
            r#"{"credsStore":"all","credHelpers":{"one.example":"one","bad.example":"../x",
            "gone.example":"gone","long.example":"long","fail.example":"fail"},
            "auths":{"two.example":{"auth":"YTpi"}}}"#,
        );
        helper(folder.path(), "all", "echo credentials not found in native keychain; exit 1");
        helper(folder.path(), "one", r#"read host; [ "$1" = get ] && printf '{"Username":"u","Secret":"%s"}' "$host""#);
        helper(folder.path(), "long", "head -c 1000000 /dev/zero");
        helper(folder.path(), "fail", "echo my-secret; exit 1");
        let find = |registry: &str| find(&settings, registry);
        assert!(find("one.example").unwrap() == password("u", "one.example"));
        assert!(find("two.example").unwrap() == password("a", "b"), "helper first, then file");
        assert!(matches!(find("bad.example"), Err(CredentialError::HelperName(_))));
        assert!(matches!(find("gone.example"), Err(CredentialError::NoHelper(_))));
        assert!(matches!(find("long.example"), Err(CredentialError::Helper { .. })));
        let error = find("fail.example").unwrap_err().to_string();
        assert!(!error.contains("my-secret"), "{error}");
    }

    #[test]
    fn a_malformed_file_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), r#"{"auths":"my-secret"}"#);
        let error = find(&settings, "x.example").unwrap_err().to_string();
        assert!(error.contains("malformed") && !error.contains("my-secret"), "{error}");
    }
}
