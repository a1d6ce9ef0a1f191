//! npm's configuration (`npmrc(5)`): variables over the user's file over the machine's. The project's own
//! `.npmrc` is not read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{AUTHORITY, Caller, Registry, RegistryError, Rules, authority, grant, has_proxy};
use crate::programs::read_small;

/// npm's own default.
const DEFAULT: &str = "https://registry.npmjs.org/";
/// Suffixes of keys that hold credentials.
const CREDENTIALS: [&str; 7] = ["_auth", "_authToken", "_password", "username", "certfile", "keyfile", "always-auth"];

/// Settings by key, and who set them.
type Settings = BTreeMap<String, (String, String)>;

/// Reads npm's configuration.
pub(super) fn configured(caller: &Caller, node: Option<&Path>) -> Result<Registry, RegistryError> {
    let settings = settings(caller, node);
    let get = |key: &str| settings.get(key).map(|(value, by)| (value.as_str(), by.as_str()));
    let mut found = Registry { proxy: has_proxy(caller), ..Registry::default() };
    let mut grants = Vec::new();
    let (address, by) = get("registry").unwrap_or((DEFAULT, "npm's default"));
    let address = expand(address, by, caller)?;
    grant(&mut grants, by, &address)?;
    found.env.insert("npm_config_registry".into(), address);
    for (key, (value, by)) in &settings {
        // A scope may have a registry of its own; a dependency may be of that scope.
        if key.starts_with('@') && key.ends_with(":registry") {
            let address = expand(value, by, caller)?;
            grant(&mut grants, by, &address)?;
            found.env.insert(format!("npm_config_{key}"), address);
        }
        let last = key.rsplit(':').next().unwrap_or_default();
        found.credentials |= CREDENTIALS.contains(&last);
        found.proxy |= matches!(key.as_str(), "proxy" | "https-proxy");
    }
    if let Some((_, by)) = get("ca").or_else(|| get("ca[]")).filter(|(value, _)| !value.is_empty() && *value != "null")
    {
        return Err(RegistryError::Inline { by: by.to_owned() });
    }
    if let Some((path, by)) = get("cafile").filter(|(value, _)| !value.is_empty() && *value != "null") {
        found.authority = Some(authority(by, &expand(path, by, caller)?, caller)?);
        found.env.insert("npm_config_cafile".into(), AUTHORITY.into());
    } else if let Some(path) = caller.var("NODE_EXTRA_CA_CERTS") {
        found.authority = Some(authority("NODE_EXTRA_CA_CERTS", path, caller)?);
        found.env.insert("NODE_EXTRA_CA_CERTS".into(), AUTHORITY.into());
    }
    found.rules = Rules::new(grants);
    Ok(found)
}

/// All settings, the strongest of each.
fn settings(caller: &Caller, node: Option<&Path>) -> Settings {
    let mut settings = Settings::new();
    for (name, value) in &caller.env {
        let key = name.get(..11).filter(|start| start.eq_ignore_ascii_case("npm_config_")).map(|_| &name[11..]);
        // npm reads `_` as `-` in names, but for the first.
        if let Some(key) = key.filter(|key| !key.is_empty() && !value.is_empty()) {
            let (first, rest) = key.split_at(key.chars().next().map_or(0, char::len_utf8));
            let key = format!("{first}{}", rest.replace('_', "-")).to_ascii_lowercase();
            settings.entry(key).or_insert_with(|| (value.clone(), name.clone()));
        }
    }
    let user = settings.get("userconfig").map_or_else(|| caller.home.join(".npmrc"), |(path, _)| PathBuf::from(path));
    let prefix = node.and_then(Path::parent).and_then(Path::parent).unwrap_or(Path::new("/usr"));
    let global = settings.get("globalconfig").map_or_else(|| prefix.join("etc/npmrc"), |(path, _)| PathBuf::from(path));
    // Debian's npm reads /etc/npmrc; npm's own folder may hold the distribution's settings.
    let builtin = prefix.join("lib/node_modules/npm/npmrc");
    for file in [user, global, PathBuf::from("/etc/npmrc"), builtin] {
        for (key, value) in read_small(&file).iter().flat_map(|text| lines(text)) {
            settings.entry(key.clone()).or_insert_with(|| (value, format!("{key} in {}", file.display())));
        }
    }
    settings
}

/// `key = value` lines; comments begin with `;` or `#`, values may be quoted.
fn lines(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#', '[']) {
            return None;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, "true"));
        let value = value.trim();
        let quoted = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
        Some((key.trim().to_owned(), value.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// Replaces `${NAME}`, and `${NAME?}` by nothing when it is unset.
fn expand(value: &str, by: &str, caller: &Caller) -> Result<String, RegistryError> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        match caller.var(name) {
            Some(value) => out.push_str(value),
            None if optional => {}
            None => {
                return Err(RegistryError::Variable { by: by.to_owned(), variable: name.to_owned() });
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn places(registry: &Registry) -> Vec<String> {
        registry.rules.grants().iter().map(|grant| grant.place.to_string()).collect()
    }

    fn caller(home: &Path, env: &[(&str, &str)]) -> Caller {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Caller { path: String::new(), home: home.to_owned(), cwd: home.join("project"), env }
    }

    /// A prefix without files, so that this machine's own configuration stays out, but for /etc/npmrc.
    fn read(home: &Path, env: &[(&str, &str)]) -> Result<Registry, RegistryError> {
        configured(&caller(home, env), Some(&home.join("prefix/bin/node")))
    }

    #[test]
    fn the_strongest_setting_wins_and_the_project_has_no_say() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        fs::create_dir_all(home.join("prefix/etc")).unwrap();
        fs::create_dir_all(home.join("project")).unwrap();
        fs::write(home.join("project/.npmrc"), "registry=https://evil.example/\n").unwrap();
        assert_eq!(places(&read(home, &[]).unwrap()), ["registry.npmjs.org:443"]);
        fs::write(home.join("prefix/etc/npmrc"), "registry = https://global.example/\n").unwrap();
        assert_eq!(places(&read(home, &[]).unwrap()), ["global.example:443"]);
        fs::write(
            home.join(".npmrc"),
            "; mine\nregistry = \"http://user.example:4873/\"\n@corp:registry=https://${CORP}/npm/\n//corp.example/:_authToken=hunter2\n",
        )
        .unwrap();
        let both = read(home, &[("CORP", "corp.example")]).unwrap();
        assert_eq!(places(&both), ["user.example:4873", "corp.example:443"]);
        assert_eq!(both.env["npm_config_@corp:registry"], "https://corp.example/npm/");
        assert!(both.credentials);
        assert!(!format!("{both:?}").contains("hunter2"));
        assert!(matches!(read(home, &[]), Err(RegistryError::Variable { variable, .. }) if variable == "CORP"));
        let env = [("CORP", "corp.example"), ("NPM_CONFIG_REGISTRY", "https://variable.example")];
        assert_eq!(places(&read(home, &env).unwrap()), ["variable.example:443", "corp.example:443"]);
    }

    #[test]
    fn authorities_are_files_that_exist() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        fs::write(home.join("ca.pem"), "x").unwrap();
        fs::write(home.join(".npmrc"), "cafile=~/ca.pem\n").unwrap();
        let found = read(home, &[]).unwrap();
        assert_eq!(found.authority, Some(home.canonicalize().unwrap().join("ca.pem")));
        assert_eq!(found.env["npm_config_cafile"], AUTHORITY);
        fs::write(home.join(".npmrc"), "cafile=~/other.pem\n").unwrap();
        assert!(matches!(read(home, &[]), Err(RegistryError::Authority { .. })));
        fs::write(home.join(".npmrc"), "ca=\"-----BEGIN\"\n").unwrap();
        assert!(matches!(read(home, &[]), Err(RegistryError::Inline { .. })));
    }
}
