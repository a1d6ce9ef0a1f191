//! How an installed package is started: its own program, run by Node or Python directly.
//!
//! What is read here was written by others: it has limits, and no path that it names leads out of the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::recipe::PACKAGE;
use super::{Ask, spec};
use crate::lockfile::Ecosystem;
use crate::programs::Found;

/// One `package.json`: the largest real ones are about 100 KiB.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;
/// npm's lock file: about 400 bytes a package.
const MAX_LOCK: u64 = 64 * 1024 * 1024;
/// First bytes of a script.
const HEAD: u64 = 256;
/// Installed distributions that are looked at.
const MAX_DISTRIBUTIONS: usize = 10_000;

/// What to execute.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Started {
    /// The executable in the box.
    pub(super) file: String,
    /// The zeroth argument, and those before the package's own.
    pub(super) argv: Vec<String>,
}

/// Why an installed package cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The installer left no such package.
    #[error("{0} is not among the installed packages")]
    NotInstalled(String),
    /// It has no program at all.
    #[error("{0} has no program to run")]
    NoProgram(String),
    /// It has several, and none of its own name.
    #[error("{package} has the programs {}, and it was not said which one to run", .programs.join(", "))]
    Which {
        /// The package.
        package: String,
        /// Their names.
        programs: Vec<String>,
    },
    /// It has no program of this name.
    #[error("{package} has no program {command}, only {}", .programs.join(", "))]
    NoSuch {
        /// The package.
        package: String,
        /// What was asked for.
        command: String,
        /// What there is.
        programs: Vec<String>,
    },
    /// Its description is malformed, or names a file outside the package.
    #[error("the description of {0} is malformed")]
    Malformed(String),
}

impl EntryError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Which { package, programs } => {
                let program = programs.first()?;
                Some(format!("name one: brig run -- npx -y -p {package} {program}"))
            }
            Self::NoSuch { package, programs, .. } => {
                let program = programs.first()?;
                Some(format!("name one of them: brig run -- uvx --from {package} {program}"))
            }
            Self::NoProgram(_) => Some("it is a library; name the package that has the server".into()),
            Self::NotInstalled(_) | Self::Malformed(_) => None,
        }
    }
}

/// Finds the program of a package in an installed tree.
pub(super) fn find(tree: &Path, ask: &Ask, runtime: &Found) -> Result<Started, EntryError> {
    match ask.ecosystem {
        Ecosystem::Npm => node_program(tree, ask, runtime),
        Ecosystem::Pypi => python_program(tree, ask),
    }
}

fn node_program(tree: &Path, ask: &Ask, runtime: &Found) -> Result<Started, EntryError> {
    let mut programs = BTreeMap::new();
    for spec in &ask.specs {
        for (name, file) in node_programs(tree, &spec.name)? {
            programs.entry(name).or_insert(file);
        }
    }
    let package = ask.specs.first().map(|spec| spec.name.clone()).unwrap_or_default();
    let names = || programs.keys().cloned().collect::<Vec<_>>();
    let own = package.rsplit('/').next().unwrap_or_default();
    let files: BTreeSet<&PathBuf> = programs.values().collect();
    let file = match &ask.command {
        Some(command) => programs.get(command).ok_or_else(|| EntryError::NoSuch {
            package: package.clone(),
            command: command.clone(),
            programs: names(),
        })?,
        None if programs.is_empty() => return Err(EntryError::NoProgram(package)),
        // As npx: the only one, else the namesake.
        None if files.len() == 1 => files.into_iter().next().ok_or_else(|| EntryError::NoProgram(package.clone()))?,
        None => programs.get(own).ok_or_else(|| EntryError::Which { package: package.clone(), programs: names() })?,
    };
    let real = inside(tree, file).ok_or_else(|| EntryError::Malformed(package.clone()))?;
    let boxed = PathBuf::from(PACKAGE).join(file).display().to_string();
    if !runs_in_node(&real) {
        return Ok(Started { file: boxed.clone(), argv: vec![boxed] });
    }
    let node = runtime.file.display().to_string();
    Ok(Started { file: node.clone(), argv: vec![node, boxed] })
}

/// The programs of one package: names and files relative to the tree.
fn node_programs(tree: &Path, package: &str) -> Result<BTreeMap<String, PathBuf>, EntryError> {
    let folder = Path::new("node_modules").join(package);
    let malformed = || EntryError::Malformed(package.to_owned());
    if !tree.join(&folder).is_dir() {
        return Err(EntryError::NotInstalled(package.to_owned()));
    }
    let file = inside(tree, &folder.join("package.json")).ok_or_else(malformed)?;
    let manifest = read_json(&file, MAX_MANIFEST).ok_or_else(malformed)?;
    let own = package.rsplit('/').next().unwrap_or_default();
    let pairs: Vec<(&str, &str)> = match &manifest["bin"] {
        Value::String(path) => vec![(own, path)],
        Value::Object(map) => {
            map.iter().filter_map(|(name, path)| Some((name.rsplit('/').next()?, path.as_str()?))).collect()
        }
        _ => Vec::new(),
    };
    let place = |(name, path): (&str, &str)| Some((name.to_owned(), folder.join(relative(path)?)));
    pairs.into_iter().map(|pair| place(pair).ok_or_else(malformed)).collect()
}

/// A path that stays where it is joined to: no `..`, not absolute.
fn relative(path: &str) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!clean.as_os_str().is_empty()).then_some(clean)
}

/// The real file, unless links lead out of the tree.
fn inside(tree: &Path, path: &Path) -> Option<PathBuf> {
    let real = tree.join(path).canonicalize().ok()?;
    (real.starts_with(tree.canonicalize().ok()?) && real.is_file()).then_some(real)
}

/// Whether a file is a script for Node without further options; everything else is executed as it is.
fn runs_in_node(file: &Path) -> bool {
    let mut head = Vec::new();
    if File::open(file).and_then(|file| file.take(HEAD).read_to_end(&mut head)).is_err() {
        return false;
    }
    if !head.starts_with(b"#!") {
        return file.extension().is_some_and(|end| end == "js" || end == "mjs" || end == "cjs");
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(&line[2..]);
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    matches!(words[..], ["/usr/bin/env", "node"] | ["/usr/bin/env", "-S", "node"])
        || matches!(words[..], [path] if path.ends_with("/node"))
}

fn python_program(tree: &Path, ask: &Ask) -> Result<Started, EntryError> {
    let package = ask.specs.first().map(|spec| spec.name.clone()).unwrap_or_default();
    let command = ask.command.clone().unwrap_or_else(|| package.clone());
    let programs = python_programs(tree);
    // `uvx Some_Tool` means the program of that name in any of its spellings.
    let same = |name: &&String| spec::normal(name) == spec::normal(&command);
    let name = programs.iter().find(|name| **name == command).or_else(|| programs.iter().find(same));
    match name {
        Some(name) => {
            let file = format!("{PACKAGE}/bin/{name}");
            Ok(Started { file: file.clone(), argv: vec![file] })
        }
        None if programs.is_empty() => Err(EntryError::NoProgram(package)),
        None => Err(EntryError::NoSuch { package, command, programs }),
    }
}

/// Programs in the environment's `bin`, without Python's own.
fn python_programs(tree: &Path) -> Vec<String> {
    let entries = fs::read_dir(tree.join("bin")).into_iter().flatten().flatten().take(MAX_DISTRIBUTIONS);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let own = |name: &String| {
        let python = name
            .strip_prefix("python")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        python || name.to_ascii_lowercase().starts_with("activate")
    };
    let mut names: Vec<String> =
        names.filter(|name| !own(name) && inside(tree, &Path::new("bin").join(name)).is_some()).collect();
    names.sort();
    names
}

/// Everything that was installed, the main package first.
pub(super) fn resolved(tree: &Path, ask: &Ask) -> Result<Vec<String>, EntryError> {
    let main = ask.specs.first().map(|spec| spec.name.clone()).unwrap_or_default();
    let (all, mark) = match ask.ecosystem {
        Ecosystem::Npm => (npm_resolved(tree).ok_or_else(|| EntryError::Malformed(main.clone()))?, '@'),
        Ecosystem::Pypi => (python_resolved(tree), '='),
    };
    let is_main = |text: &&String| text.strip_prefix(&main).is_some_and(|rest| rest.starts_with(mark));
    let first = all.iter().find(is_main).cloned().ok_or_else(|| EntryError::NotInstalled(main.clone()))?;
    let rest = all.into_iter().filter(|text| *text != first);
    Ok([first.clone()].into_iter().chain(rest).collect())
}

fn npm_resolved(tree: &Path) -> Option<BTreeSet<String>> {
    let lock = read_json(&inside(tree, Path::new("package-lock.json"))?, MAX_LOCK)?;
    let packages = lock["packages"].as_object()?;
    let mut nested = BTreeSet::new();
    let mut top = BTreeSet::new();
    for (path, facts) in packages {
        let Some((before, name)) = path.rsplit_once("node_modules/") else {
            continue;
        };
        let entry = format!("{name}@{}", facts["version"].as_str()?);
        if before.is_empty() {
            top.insert(entry)
        } else {
            nested.insert(entry)
        };
    }
    top.extend(nested);
    Some(top)
}

fn python_resolved(tree: &Path) -> BTreeSet<String> {
    let libs = fs::read_dir(tree.join("lib")).into_iter().flatten().flatten();
    let sites = libs.map(|lib| lib.path().join("site-packages"));
    let entries = sites.filter_map(|site| fs::read_dir(site).ok()).flatten().flatten().take(MAX_DISTRIBUTIONS);
    let distribution = |name: String| {
        let (name, version) = name.strip_suffix(".dist-info")?.rsplit_once('-')?;
        Some(format!("{}=={version}", spec::normal(name)))
    };
    entries.filter_map(|entry| distribution(entry.file_name().into_string().ok()?)).collect()
}

fn read_json(file: &Path, limit: u64) -> Option<Value> {
    let mut text = String::new();
    File::open(file).ok()?.take(limit + 1).read_to_string(&mut text).ok()?;
    if text.len() as u64 > limit { None } else { serde_json::from_str(&text).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn ask(line: &str) -> Ask {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        super::super::recognise(&words).unwrap().unwrap()
    }

    fn node() -> Found {
        Found { file: PathBuf::from("/usr/bin/node"), ..Found::default() }
    }

    fn tree(manifest: &str) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        let folder = tree.path().join("node_modules/@a/server");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("package.json"), manifest).unwrap();
        fs::write(folder.join("cli.js"), "#!/usr/bin/env node\n").unwrap();
        fs::write(folder.join("flags.js"), "#!/usr/bin/env -S node --flag\n").unwrap();
        fs::write(folder.join("native"), "\x7fELF").unwrap();
        symlink("/etc/passwd", folder.join("out.js")).unwrap();
        tree
    }

    fn check(manifest: &str, line: &str) -> Result<Vec<String>, EntryError> {
        find(tree(manifest).path(), &ask(line), &node()).map(|started| started.argv)
    }

    #[test]
    fn programs_of_node_packages() {
        let boxed = |file: &str| format!("{PACKAGE}/node_modules/@a/server/{file}");
        let node = |file: &str| Ok(vec!["/usr/bin/node".to_owned(), boxed(file)]);
        assert_eq!(check(r#"{"bin":"./cli.js"}"#, "npx @a/server"), node("cli.js"));
        assert_eq!(check(r#"{"bin":{"other":"cli.js"}}"#, "npx @a/server"), node("cli.js"));
        assert_eq!(check(r#"{"bin":{"x":"cli.js","y":"cli.js"}}"#, "npx @a/server"), node("cli.js"));
        assert_eq!(check(r#"{"bin":{"server":"cli.js","y":"native"}}"#, "npx @a/server"), node("cli.js"));
        assert_eq!(check(r#"{"bin":{"x":"cli.js","y":"native"}}"#, "npx -p @a/server y"), Ok(vec![boxed("native")]));
        assert_eq!(check(r#"{"bin":"flags.js"}"#, "npx @a/server"), Ok(vec![boxed("flags.js")]));
    }

    #[test]
    fn what_cannot_be_started_is_an_error() {
        let is = |manifest, line: &str, expect: fn(&EntryError) -> bool| {
            let error = check(manifest, line).unwrap_err();
            assert!(expect(&error), "{manifest}: {error:?}");
        };
        is("{}", "npx @a/server", |error| matches!(error, EntryError::NoProgram(_)));
        is(r#"{"bin":{"x":"cli.js","y":"native"}}"#, "npx @a/server", |error| {
            matches!(error, EntryError::Which { .. })
        });
        is(r#"{"bin":"cli.js"}"#, "npx -p @a/server z", |error| matches!(error, EntryError::NoSuch { .. }));
        is(r#"{"bin":"cli.js"}"#, "npx other", |error| matches!(error, EntryError::NotInstalled(_)));
        for bad in
            [r#"{"bin":"../x.js"}"#, r#"{"bin":"/bin/sh"}"#, r#"{"bin":"out.js"}"#, r#"{"bin":"missing.js"}"#, "["]
        {
            is(bad, "npx @a/server", |error| matches!(error, EntryError::Malformed(_)));
        }
    }

    #[test]
    fn programs_of_python_packages() {
        let tree = tempfile::tempdir().unwrap();
        let bin = tree.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["python", "python3.11", "activate", "Activate.ps1", "Some_Tool", "other"] {
            fs::write(bin.join(name), "").unwrap();
        }
        symlink("/bin/sh", bin.join("sh")).unwrap();
        let argv = |line: &str| find(tree.path(), &ask(line), &node()).map(|started| started.argv);
        assert_eq!(argv("uvx some-tool"), Ok(vec![format!("{PACKAGE}/bin/Some_Tool")]));
        assert_eq!(argv("uvx --from some-tool other"), Ok(vec![format!("{PACKAGE}/bin/other")]));
        let Err(EntryError::NoSuch { programs, .. }) = argv("uvx --from some-tool sh") else { panic!() };
        assert_eq!(programs, ["Some_Tool", "other"]);
    }
}
