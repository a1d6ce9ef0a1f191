//! Names of packages with their versions, as `npx` and `uvx` take them. Only what a registry resolves passes:
//! no Git addresses, no archives, no folders, no aliases.

/// A name (npm's limit; the Python index has none, and no real name comes close).
const MAX_NAME: usize = 214;
/// A range of versions: the longest real ones are some dozens of characters.
const MAX_VERSION: usize = 256;

/// Why a text names no package of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// A Git address, an archive, a folder or an alias.
    #[error("{0:?} is not a package of a registry")]
    NotRegistry(String),
    /// Not spelt as a name.
    #[error("{0:?} is not a package name")]
    Name(String),
    /// Not spelt as a version.
    #[error("{0:?} is not a version, range or tag")]
    Version(String),
}

/// One package and what is wanted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The name, `@scope/name` for npm.
    pub name: String,
    /// For the package manager, in one spelling.
    pub text: String,
}

/// `name`, `@scope/name`, each with `@version`; without one it is `latest`, as npm reads it.
pub(super) fn npm(text: &str) -> Result<Spec, SpecError> {
    let bad = || SpecError::NotRegistry(text.to_owned());
    let at = text.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1);
    let (name, version) = at.map_or((text, "latest"), |at| (&text[..at], &text[at + 1..]));
    if version.contains([':', '/']) || name.contains(':') {
        return Err(bad());
    }
    let parts: Vec<&str> = match name.strip_prefix('@') {
        Some(rest) => rest.split('/').collect(),
        None if name.contains('/') => return Err(bad()),
        None => vec![name],
    };
    let plain = |part: &&str| {
        let first = part.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        first && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let count = if name.starts_with('@') { 2 } else { 1 };
    if parts.len() != count || name.len() > MAX_NAME || !parts.iter().all(plain) {
        return Err(SpecError::Name(name.to_owned()));
    }
    let version = check_version(version, b".-+^~<>=|* ")?;
    Ok(Spec { name: name.to_owned(), text: format!("{name}@{version}") })
}

/// `name`, `name[extra]`, `name==1.2`, `name>=1,<2`, and uv's `name@1.2` and `name@latest` (PEP 508 without
/// addresses and markers).
pub(super) fn python(text: &str) -> Result<Spec, SpecError> {
    let text = text.trim();
    if text.contains([':', '/', ';']) {
        return Err(SpecError::NotRegistry(text.to_owned()));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if name.len() > MAX_NAME || !ends(name.bytes().next()) || !ends(name.bytes().last()) {
        return Err(SpecError::Name(name.to_owned()));
    }
    let (extras, rest) = match rest.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or_else(|| SpecError::Name(text.to_owned()))?,
        None => ("", rest),
    };
    let extra = |byte: u8| byte.is_ascii_alphanumeric() || b"-_., ".contains(&byte);
    if !extras.bytes().all(extra) {
        return Err(SpecError::Name(text.to_owned()));
    }
    let range = match rest.trim() {
        "" | "@latest" => String::new(),
        rest => match rest.strip_prefix('@') {
            Some(version) => format!("=={}", check_version(version, b".+!-_")?),
            None if rest.starts_with(['=', '>', '<', '~', '!']) => check_version(rest, b".+!*=><~, -_")?,
            None => return Err(SpecError::Version(rest.to_owned())),
        },
    };
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.replace(' ', "")) };
    Ok(Spec { name: normal(name), text: format!("{}{extras}{range}", normal(name)) })
}

/// The one spelling of a Python package's name (PEP 503).
pub(super) fn normal(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

fn check_version(text: &str, marks: &[u8]) -> Result<String, SpecError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    if text.is_empty() || text.len() > MAX_VERSION || text.starts_with('-') || !text.bytes().all(good) {
        return Err(SpecError::Version(text.to_owned()));
    }
    Ok(text.replace(", ", ","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npm_names() {
        let check = |text, expect| assert_eq!(npm(text).unwrap().text, expect);
        check("server", "server@latest");
        check("@a/server", "@a/server@latest");
        check("@a/server@1.2.3", "@a/server@1.2.3");
        check("server@^1.0 || 2", "server@^1.0 || 2");
        check("server@next", "server@next");
        for bad in [
            "",
            "@",
            "@a",
            "@a/",
            "@a/b/c",
            "-x",
            "--registry=http://x.example",
            "a/b",
            "./x",
            "../x",
            "/x",
            ".x",
            "git+ssh://x.example/y",
            "github:a/b",
            "https://x.example/y.tgz",
            "a@npm:b",
            "a@file:../b",
            "a@git+https://x",
            "a@",
            "a@-1",
            "a b",
            "a\n",
            "@a/..",
            "a@1@2",
        ] {
            assert!(npm(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn python_names() {
        let check = |text, expect| assert_eq!(python(text).unwrap().text, expect);
        check("mcp-server-time", "mcp-server-time");
        check("MCP_server.Time@latest", "mcp-server-time");
        check("ruff@0.3.0", "ruff==0.3.0");
        check("ruff==0.3.0", "ruff==0.3.0");
        check("x[a, b]>=1, <2", "x[a,b]>=1,<2");
        for bad in [
            "",
            "-x",
            "x-",
            "--index-url=https://x.example",
            "git+https://x.example/y",
            "x @ https://x.example/y",
            "./x",
            "x/y",
            "x[a",
            "x[a;b]",
            "x 1",
            "x@",
            "x@-1",
            "x; python_version<'3'",
            "x\n==1\n--pre",
        ] {
            assert!(python(bad).is_err(), "{bad:?}");
        }
    }
}
