//! The configuration of uv and pip. uv's is taken when it has any, since `uvx` reads no other; else pip's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{AUTHORITY, Caller, Grant, Registry, RegistryError, Rules, authority, grant, has_proxy, read_address};
use crate::programs::{is_narrow, read_small};

/// The default of both.
const DEFAULT: &str = "https://pypi.org/simple";
/// Indexes whose files lie on a host of their own (seen in the links of their pages): index, files. Any other
/// index is taken to serve its files itself, as mirrors and private indexes do; a second host of theirs is
/// granted by naming it as extra index or `find-links`.
const FILES: [(&str, &str); 2] =
    [("pypi.org", "https://files.pythonhosted.org"), ("test.pypi.org", "https://test-files.pythonhosted.org")];
/// Where a file of authorities is named, the strongest first; the last ones are what their HTTP libraries read.
const AUTHORITIES: [&str; 4] = ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];

/// What both configurations come down to, each value with who set it.
#[derive(Debug, Default)]
struct Indexes {
    main: Option<(String, String)>,
    extra: Vec<(String, String)>,
    links: Vec<(String, String)>,
    cert: Option<(String, String)>,
    none: bool,
    proxy: bool,
}

/// Reads the configuration of uv, or else of pip.
pub(super) fn configured(caller: &Caller) -> Result<Registry, RegistryError> {
    let pip = from_pip(caller);
    let uv = from_uv(caller)?;
    let uses_uv = uv.main.is_some() || !uv.extra.is_empty() || !uv.links.is_empty();
    let cert = pip.cert.clone();
    let indexes = if uses_uv { uv } else { pip };
    let mut found = Registry { proxy: has_proxy(caller) || indexes.proxy, ..Registry::default() };
    let main = indexes.main.clone().unwrap_or_else(|| (DEFAULT.into(), "the default index".into()));
    let mut grants = grants(&indexes, &main)?;
    let mut links = Vec::new();
    for (place, by) in &indexes.links {
        if place.starts_with("http://") || place.starts_with("https://") {
            grant(&mut grants, by, place)?;
            links.push(place.clone());
        } else if let Some(folder) = folder(by, place, caller)? {
            links.push(folder.display().to_string());
            found.folders.push(folder);
        }
    }
    found.env = variables(&indexes, &main.0, &links);
    if let Some((path, by)) = cert {
        found.authority = Some(authority(&by, &path, caller)?);
        for name in ["PIP_CERT", "SSL_CERT_FILE"] {
            found.env.insert(name.into(), AUTHORITY.into());
        }
    }
    found.rules = Rules::new(grants);
    Ok(found)
}

/// The places of the indexes, and of the files that they lead to.
fn grants(indexes: &Indexes, main: &(String, String)) -> Result<Vec<Grant>, RegistryError> {
    let mut grants = Vec::new();
    let used = [main].into_iter().filter(|_| !indexes.none).chain(&indexes.extra);
    for (address, by) in used {
        grant(&mut grants, by, address)?;
        let host = read_address(by, address)?.place.host;
        if let Some((_, files)) = FILES.iter().find(|(index, _)| host.name() == Some(*index)) {
            grant(&mut grants, by, files)?;
        }
    }
    Ok(grants)
}

/// A folder of packages on this host; one that is not there has no packages, as for pip.
fn folder(by: &str, place: &str, caller: &Caller) -> Result<Option<PathBuf>, RegistryError> {
    let path = caller.cwd.join(place.strip_prefix("file://").unwrap_or(place));
    match path.canonicalize() {
        Ok(real) if !real.is_dir() => Ok(None),
        Ok(real) if is_narrow(&real, &caller.home) => Ok(Some(real)),
        Ok(real) => Err(RegistryError::Folder { by: by.to_owned(), path: real }),
        Err(_) => Ok(None),
    }
}

/// What pip and uv are told; each ignores the other's.
fn variables(indexes: &Indexes, main: &str, links: &[String]) -> BTreeMap<String, String> {
    let extra: Vec<&str> = indexes.extra.iter().map(|(value, _)| value.as_str()).collect();
    let none = if indexes.none { "1" } else { "" };
    let all = [
        ("PIP_INDEX_URL", main.to_owned()),
        ("PIP_EXTRA_INDEX_URL", extra.join(" ")),
        ("PIP_FIND_LINKS", links.join(" ")),
        ("PIP_NO_INDEX", none.to_owned()),
        ("UV_DEFAULT_INDEX", main.to_owned()),
        ("UV_INDEX", extra.join(" ")),
        ("UV_FIND_LINKS", links.join(",")),
        ("UV_NO_INDEX", none.to_owned()),
    ];
    let set = all.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn from_pip(caller: &Caller) -> Indexes {
    let mut found = Indexes::default();
    let config = caller.var("XDG_CONFIG_HOME").map_or_else(|| caller.home.join(".config"), PathBuf::from);
    let own = caller.var("PIP_CONFIG_FILE").map(PathBuf::from);
    let files = own.into_iter().chain([
        config.join("pip/pip.conf"),
        caller.home.join(".pip/pip.conf"),
        PathBuf::from("/etc/pip.conf"),
        PathBuf::from("/etc/xdg/pip/pip.conf"),
    ]);
    for (variable, key) in [
        ("PIP_INDEX_URL", "index-url"),
        ("PIP_EXTRA_INDEX_URL", "extra-index-url"),
        ("PIP_FIND_LINKS", "find-links"),
        ("PIP_NO_INDEX", "no-index"),
        ("PIP_PROXY", "proxy"),
    ] {
        if let Some(value) = caller.var(variable) {
            take(&mut found, key, value, variable);
        }
    }
    let named = |names: &[&str]| names.iter().find_map(|name| Some((caller.var(name)?.to_owned(), (*name).to_owned())));
    found.cert = named(&AUTHORITIES[..1]);
    for file in files {
        for (key, value) in read_small(&file).iter().flat_map(|text| ini(text)) {
            take(&mut found, &key, &value, &format!("{key} in {}", file.display()));
        }
    }
    found.cert = found.cert.or_else(|| named(&AUTHORITIES[1..]));
    found
}

/// Takes a setting of pip, unless a stronger one was taken.
fn take(found: &mut Indexes, key: &str, value: &str, by: &str) {
    let words = || value.split_whitespace().map(|word| (word.to_owned(), by.to_owned()));
    match key {
        "index-url" if found.main.is_none() => found.main = words().next(),
        "extra-index-url" if found.extra.is_empty() => found.extra = words().collect(),
        "find-links" if found.links.is_empty() => found.links = words().collect(),
        "cert" if found.cert.is_none() => found.cert = Some((value.to_owned(), by.to_owned())),
        "no-index" => found.none |= matches!(value, "1" | "true" | "yes" | "on"),
        "proxy" => found.proxy = true,
        _ => {}
    }
}

/// `[global]` and `[install]` of pip's files; a value may go on in indented lines.
fn ini(text: &str) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = Vec::new();
    let mut ours = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            ours = matches!(section, "global" | "install");
        } else if !ours {
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = settings.last_mut() {
                value.push(' ');
                value.push_str(trimmed);
            }
        } else if let Some((key, value)) = trimmed.split_once(['=', ':']) {
            settings.push((key.trim().to_ascii_lowercase().replace('_', "-"), value.trim().to_owned()));
        }
    }
    settings
}

fn from_uv(caller: &Caller) -> Result<Indexes, RegistryError> {
    let mut found = Indexes::default();
    let words = |name: &str, separator: &[char]| -> Vec<(String, String)> {
        let words = caller.var(name).into_iter().flat_map(|value| value.split(separator));
        words.filter(|word| !word.is_empty()).map(|word| (unnamed(word), name.to_owned())).collect()
    };
    let space = &[' ', '\t', '\n'][..];
    found.main = words("UV_DEFAULT_INDEX", space).into_iter().chain(words("UV_INDEX_URL", space)).next();
    found.extra = words("UV_INDEX", space).into_iter().chain(words("UV_EXTRA_INDEX_URL", space)).collect();
    found.links = words("UV_FIND_LINKS", &[',']);
    let config = caller.var("XDG_CONFIG_HOME").map_or_else(|| caller.home.join(".config"), PathBuf::from);
    for file in [config.join("uv/uv.toml"), PathBuf::from("/etc/uv/uv.toml")] {
        let Some(text) = read_small(&file) else {
            continue;
        };
        let table: toml::Table = text.parse().map_err(|_| RegistryError::File(file.clone()))?;
        take_uv(&mut found, &table, &file);
        if let Some(pip) = table.get("pip").and_then(toml::Value::as_table) {
            take_uv(&mut found, pip, &file);
        }
    }
    Ok(found)
}

fn take_uv(found: &mut Indexes, table: &toml::Table, file: &Path) {
    let by = |key: &str| format!("{key} in {}", file.display());
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let list = |key: &str| -> Vec<(String, String)> {
        let values = table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        values.filter_map(toml::Value::as_str).map(|value| (value.to_owned(), by(key))).collect()
    };
    if found.extra.is_empty() {
        found.extra = list("extra-index-url");
    }
    if found.links.is_empty() {
        found.links = list("find-links");
    }
    for index in table.get("index").and_then(toml::Value::as_array).into_iter().flatten() {
        let Some(address) = index.get("url").and_then(toml::Value::as_str) else {
            continue;
        };
        let value = (address.to_owned(), by("index"));
        if index.get("default").and_then(toml::Value::as_bool).unwrap_or(false) {
            found.main.get_or_insert(value);
        } else if !found.extra.contains(&value) {
            found.extra.push(value);
        }
    }
    if let Some(address) = text("index-url") {
        found.main.get_or_insert((address.to_owned(), by("index-url")));
    }
    found.none |= table.get("no-index").and_then(toml::Value::as_bool).unwrap_or(false);
}

/// `name=address` is an index with a name.
fn unnamed(word: &str) -> String {
    match word.split_once('=') {
        Some((name, address)) if !name.contains(':') => address.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(home: &Path, env: &[(&str, &str)]) -> Result<Registry, RegistryError> {
        // A file named by a variable stands before this machine's own.
        let own = [("PIP_INDEX_URL", "https://pypi.org/simple"), ("PIP_FIND_LINKS", "/nonexistent")];
        let env = own.iter().chain(env).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        configured(&Caller { path: String::new(), home: home.to_owned(), cwd: home.to_owned(), env })
    }

    fn places(registry: &Registry) -> Vec<String> {
        registry.rules.grants().iter().map(|grant| grant.place.to_string()).collect()
    }

    #[test]
    fn the_default_index_comes_with_its_files() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(places(&read(home.path(), &[]).unwrap()), ["pypi.org:443", "files.pythonhosted.org:443"]);
        let none = read(home.path(), &[("PIP_NO_INDEX", "1")]).unwrap();
        assert!(places(&none).is_empty());
    }

    #[test]
    fn other_indexes_are_granted_as_they_are_configured() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir(home.join("wheels")).unwrap();
        let wheels = home.join("wheels").display().to_string();
        let env = [
            ("PIP_INDEX_URL", "http://mirror.example:3141/simple"),
            ("PIP_EXTRA_INDEX_URL", "https://a.example/simple https://b.example:8443/simple"),
            ("PIP_FIND_LINKS", wheels.as_str()),
        ];
        let found = read(&home, &env).unwrap();
        assert_eq!(places(&found), ["mirror.example:3141", "a.example:443", "b.example:8443"]);
        assert_eq!(found.folders, [home.join("wheels")]);
        assert_eq!(found.env["UV_INDEX"], "https://a.example/simple https://b.example:8443/simple");
        let secret = read(&home, &[("PIP_INDEX_URL", "https://__token__:hunter2@x.example/simple")]).unwrap_err();
        assert!(matches!(secret, RegistryError::Credentials { .. }));
    }

    #[test]
    fn uv_has_a_configuration_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".config/uv")).unwrap();
        fs::write(
            home.path().join(".config/uv/uv.toml"),
            "[[index]]\nurl = \"https://corp.example/simple\"\ndefault = true\n[[index]]\nurl = \"https://more.example/simple\"\n",
        )
        .unwrap();
        assert_eq!(places(&read(home.path(), &[]).unwrap()), ["corp.example:443", "more.example:443"]);
        let named = read(home.path(), &[("UV_INDEX", "corp=https://named.example/simple")]).unwrap();
        assert_eq!(places(&named)[1], "named.example:443");
        fs::write(home.path().join(".config/uv/uv.toml"), "[[").unwrap();
        assert!(matches!(read(home.path(), &[]), Err(RegistryError::File(_))));
    }

    #[test]
    fn files_of_pip_are_read_by_section() {
        let text = "[freeze]\nindex-url = https://no.example\n[global]\n# x\nindex_url = https://yes.example/simple\nextra-index-url =\n  https://a.example\n  https://b.example\n";
        assert_eq!(
            ini(text),
            [
                ("index-url".to_owned(), "https://yes.example/simple".to_owned()),
                ("extra-index-url".to_owned(), " https://a.example https://b.example".to_owned()),
            ]
        );
    }
}
