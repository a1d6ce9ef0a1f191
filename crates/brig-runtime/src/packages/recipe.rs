//! How a package is installed: which tools, which steps, in which box.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use brig_engine::launch::{Entry, Mount, Program, What};

use super::registry::{AUTHORITY, Registry};
use super::store::{Claim, NPM_FILES, Store, fail};
use super::{DOOR, Job, Order, PackageError, key};
use crate::lockfile::{Ecosystem, Installer, Key, Locked};
use crate::programs::machine::{environment, machine};
use crate::programs::{self, Caller, Found, PlaceError, ProgramError};

/// Where the package lies in every box, so that the paths that installers write hold at every start.
pub(super) const PACKAGE: &str = "/opt/brig/package";
/// The package manager's scratch: on disk, since caches of large packages do not fit into a box's memory.
const WORK: &str = "/opt/brig/work";
/// The name of every package box.
const HOST_NAME: &str = "brig-packages";
/// What is kept of a package manager's output.
const MAX_OUTPUT: usize = 8 * 1024;
/// npm's files of settings, which do not exist: two, since npm refuses to read one twice.
const NO_NPMRC: [&str; 2] = ["/opt/brig/work/no-user-npmrc", "/opt/brig/work/no-global-npmrc"];

/// The host programs that an order needs.
#[derive(Debug)]
pub(super) struct Tools {
    /// Node or Python.
    pub(super) runtime: Found,
    /// What identifies the order.
    pub(super) key: Key,
    /// uv, where the host has it.
    uv: Option<Found>,
}

/// One run of a tool.
#[derive(Debug)]
pub(super) struct Step {
    /// For people.
    pub(super) tool: &'static str,
    program: Found,
    argv: Vec<String>,
    env: BTreeMap<String, String>,
}

impl Tools {
    /// What installs: what did before, so that the files come out the same, else the host's own.
    pub(super) fn installer(&self, pinned: Option<&Locked>) -> Installer {
        match (self.key.ecosystem, pinned) {
            (Ecosystem::Npm, _) => Installer::Npm,
            (Ecosystem::Pypi, Some(locked)) if locked.installer == Installer::Pip || self.uv.is_some() => {
                locked.installer
            }
            (Ecosystem::Pypi, _) if self.uv.is_some() => Installer::Uv,
            (Ecosystem::Pypi, _) => Installer::Pip,
        }
    }
}

/// Finds the interpreter, and what else identifies the order.
pub(super) fn tools(order: &Order<'_>) -> Result<Tools, PackageError> {
    match order.ask.ecosystem {
        Ecosystem::Npm => {
            let runtime = programs::resolve("node", order.caller)?;
            // Without scripts nothing is built for one Node; with them, native parts are.
            let name = if order.scripts { text(&runtime.real)? } else { "node".to_owned() };
            Ok(Tools { key: key(order, name), runtime, uv: None })
        }
        Ecosystem::Pypi => {
            let runtime = python(order.ask.python.as_deref(), order.caller)?;
            let key = key(order, text(&runtime.real)?);
            Ok(Tools { key, runtime, uv: programs::resolve("uv", order.caller).ok() })
        }
    }
}

fn text(path: &Path) -> Result<String, PlaceError> {
    path.to_str().map(str::to_owned).ok_or_else(|| PlaceError::NotText(path.to_owned()))
}

/// The Python that was asked for: a path or name, a version, or the one in `PATH`; else one that uv installed.
fn python(asked: Option<&str>, caller: &Caller) -> Result<Found, PackageError> {
    let version = asked.unwrap_or("3");
    let dotted = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !dotted {
        return Ok(programs::resolve(version, caller)?);
    }
    let short = version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let exact = version.matches('.').count() > 1;
    let in_path = if exact { None } else { programs::resolve(&format!("python{short}"), caller).ok() };
    let found = in_path.or_else(|| {
        let file = of_uv(version, caller)?;
        programs::resolve(file.to_str()?, caller).ok()
    });
    match (found, asked) {
        (Some(found), _) => Ok(found),
        (None, Some(version)) => Err(PackageError::Python(version.to_owned())),
        (None, None) => Err(ProgramError::NotFound { name: "python3".into() }.into()),
    }
}

/// The newest Python of this version that uv installed.
fn of_uv(version: &str, caller: &Caller) -> Option<PathBuf> {
    let data = caller.var("XDG_DATA_HOME").map_or_else(|| caller.home.join(".local/share"), PathBuf::from);
    let folder = caller.var("UV_PYTHON_INSTALL_DIR").map_or_else(|| data.join("uv/python"), PathBuf::from);
    let newest = fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let full = name.strip_prefix("cpython-")?.split('-').next()?.to_owned();
        let numbers = full.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
        let fits = full == version || full.starts_with(&format!("{version}."));
        let file = entry.path().join("bin/python3");
        (fits && file.is_file()).then_some((numbers, file))
    });
    newest.max().map(|(_, file)| file)
}

/// The steps of an installation, and the files that they need.
pub(super) fn steps(
    order: &Order<'_>,
    tools: &Tools,
    store: &Store,
    claim: &Claim,
    pinned: Option<&Locked>,
) -> Result<Vec<Step>, PackageError> {
    match tools.installer(pinned) {
        Installer::Npm => npm(order, store, claim, pinned),
        installer => python_steps(order, tools, claim, (installer, pinned)),
    }
}

fn specs(order: &Order<'_>) -> impl Iterator<Item = String> {
    order.ask.specs.iter().map(|spec| spec.text.clone())
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Resolving and installing are two steps, so that installing again from the lock file makes the same tree.
fn npm(order: &Order<'_>, store: &Store, claim: &Claim, pinned: Option<&Locked>) -> Result<Vec<Step>, PackageError> {
    let program = programs::resolve("npm", order.caller)?;
    let env: BTreeMap<String, String> = [
        ("npm_config_ignore_scripts", if order.scripts { "false" } else { "true" }),
        ("npm_config_audit", "false"),
        ("npm_config_fund", "false"),
        ("npm_config_update_notifier", "false"),
        ("npm_config_progress", "false"),
        ("npm_config_loglevel", "error"),
        ("npm_config_omit", "dev"),
        ("npm_config_strict_ssl", "true"),
        ("npm_config_cache", "/opt/brig/work/npm"),
        ("npm_config_userconfig", NO_NPMRC[0]),
        ("npm_config_globalconfig", NO_NPMRC[1]),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let step = |argv| Step { tool: "npm", program: program.clone(), argv, env: env.clone() };
    let install = step(words(&["npm", "ci"]));
    let tree = claim.tree();
    let write = |name: &str, from: Result<Vec<u8>, std::io::Error>| {
        let path = tree.join(name);
        from.and_then(|bytes| fs::write(&path, bytes)).map_err(fail("write", &path))
    };
    if let Some(files) = pinned.and_then(|locked| store.npm_files(locked)) {
        for (name, file) in NPM_FILES.iter().zip(files) {
            write(name, fs::read(file))?;
        }
        return Ok(vec![install]);
    }
    write("package.json", Ok(b"{\"private\":true}\n".to_vec()))?;
    let mut resolve = words(&["npm", "install", "--package-lock-only", "--save-exact", "--"]);
    match pinned.and_then(|locked| locked.resolved.first()) {
        Some(main) => resolve.extend([main.clone()].into_iter().chain(specs(order).skip(1))),
        None => resolve.extend(specs(order)),
    }
    Ok(vec![step(resolve), install])
}

/// Settings of pip and uv that hold for every installation. Those of the host's registries are added to them.
const PYTHON_SETTINGS: [(&str, &str); 11] = [
    ("PIP_CONFIG_FILE", "/dev/null"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PIP_NO_INPUT", "1"),
    ("PIP_PROGRESS_BAR", "off"),
    ("PIP_ROOT_USER_ACTION", "ignore"),
    ("UV_NO_CONFIG", "1"),
    // uv would fetch interpreters from places that are no registry.
    ("UV_PYTHON_DOWNLOADS", "never"),
    ("UV_CACHE_DIR", "/opt/brig/work/uv"),
    ("UV_LINK_MODE", "copy"),
    ("UV_NO_PROGRESS", "1"),
    // Compiled modules hold sets of constants, whose order follows the seed.
    ("PYTHONHASHSEED", "0"),
];

/// As words and not as variables: pip reads `PIP_NO_COMPILE=1` as the opposite of `--no-compile`.
const PIP_INSTALL: [&str; 4] = ["install", "--no-compile", "--no-cache-dir", "--no-warn-script-location"];

/// Compiles modules so that they hold hashes and no times: two installations of the same packages come out as
/// the same bytes, and a start neither compiles nor compares. A package may ship templates that are no Python,
/// so what does not compile is no failure.
const COMPILE: &str = "import compileall, sys\n\
    from py_compile import PycInvalidationMode as mode\n\
    compileall.compile_dir(sys.argv[1], force=True, quiet=2, invalidation_mode=mode.UNCHECKED_HASH)\n";

/// An environment without pip, packages into it, and their modules compiled.
fn python_steps(
    order: &Order<'_>,
    tools: &Tools,
    claim: &Claim,
    (installer, pinned): (Installer, Option<&Locked>),
) -> Result<Vec<Step>, PackageError> {
    let own = text(&tools.runtime.file)?;
    let env: BTreeMap<String, String> =
        PYTHON_SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // uv starts the interpreter too.
    let step =
        |tool, program: &Found, argv| Step { tool, program: program.with(&tools.runtime), argv, env: env.clone() };
    let python = format!("{PACKAGE}/bin/python");
    let (tool, program, mut install) = match (installer, &tools.uv) {
        (Installer::Uv, Some(uv)) => ("uv", uv, words(&["uv", "pip", "install", "--python", &python])),
        _ => ("pip", &tools.runtime, [words(&[&own, "-m", "pip", "--python", &python]), words(&PIP_INSTALL)].concat()),
    };
    if !order.scripts {
        install.extend(words(&["--only-binary", ":all:"]));
    }
    if let Some(locked) = pinned {
        let file = claim.work().join("constraints.txt");
        fs::write(&file, locked.resolved.join("\n") + "\n").map_err(fail("write", &file))?;
        install.extend(words(&["--constraint", "/opt/brig/work/constraints.txt"]));
    }
    install.push("--".to_owned());
    install.extend(specs(order));
    let lib = format!("{PACKAGE}/lib");
    let runtime = &tools.runtime;
    Ok(vec![
        step("venv", runtime, words(&[&own, "-m", "venv", "--without-pip", "--symlinks", PACKAGE])),
        step(tool, program, install),
        step("compileall", runtime, words(&[&own, "-c", COMPILE, &lib])),
    ])
}

/// The installed files, as every box sees them.
pub(super) fn package_mount(tree: &Path, writable: bool) -> Result<Mount, PlaceError> {
    mount(Path::new(PACKAGE), tree, writable)
}

fn mount(target: &Path, source: &Path, writable: bool) -> Result<Mount, PlaceError> {
    // All of the store is brig's user's, also where that is root.
    let mut bind = programs::bind(source, true, &[])?;
    bind.writable = writable;
    Ok(Mount { target: target.to_owned(), what: What::Bind(bind) })
}

/// The box of one step: the machine's software, the tool, the folder to fill, and a door.
pub(super) fn job(order: &Order<'_>, step: &Step, registry: &Registry, claim: &Claim) -> Result<Job, PackageError> {
    let machine = machine(HOST_NAME)?;
    let placed = step.program.place(&order.caller.home)?;
    let mut mounts = machine.mounts;
    mounts.extend(placed.mounts);
    mounts.push(package_mount(&claim.tree(), true)?);
    mounts.push(mount(Path::new(WORK), &claim.work(), true)?);
    if let Some(file) = &registry.authority {
        mounts.push(mount(Path::new(AUTHORITY), file, false)?);
    }
    for folder in &registry.folders {
        let bind = programs::bind(folder, folder.starts_with(&order.caller.home), &[])?;
        mounts.push(Mount { target: folder.clone(), what: What::Bind(bind) });
    }
    mounts.sort_by_key(|mount| mount.target.components().count());
    let mut skeleton: Vec<Entry> = machine.skeleton;
    skeleton.extend(placed.skeleton);
    let mut env = environment(&step.program);
    env.extend(registry.env.clone());
    env.extend(step.env.clone());
    env.insert("TMPDIR".into(), WORK.into());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "npm_config_proxy", "npm_config_https_proxy"]
    {
        env.insert(name.into(), format!("http://{DOOR}"));
    }
    let program = Program {
        file: text(&step.program.file)?,
        argv: step.argv.clone(),
        env: env.into_iter().collect(),
        workdir: PathBuf::from(PACKAGE),
    };
    Ok(Job { skeleton, mounts, program, door: DOOR, rules: registry.rules.clone() })
}

/// The end of a tool's output, without bytes that a terminal would obey.
pub(super) fn readable(output: &str) -> String {
    let start = output.len().saturating_sub(MAX_OUTPUT);
    let start = (start..output.len()).find(|at| output.is_char_boundary(*at)).unwrap_or(output.len());
    let harmless = |c: char| {
        if c == '\n' || c == '\t' || !c.is_control() { c } else { '\u{fffd}' }
    };
    output[start..].chars().map(harmless).collect()
}
