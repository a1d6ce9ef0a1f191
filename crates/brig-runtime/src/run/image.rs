//! An image: brought into the store, and laid out for a box.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use brig_engine::launch::{BOX_ID, Entry, Mount, Program, Root, What};
use brig_image::tree::{Kind, TreeError};
use brig_image::{
    Config, Fetch, Lease, Platform, Progress, Reference, Registry, RegistrySettings, Settings, Sources, Store, Tree,
    Wish, obtain,
};
use brig_policy::request::{Pull, Request};

use super::{Context, RunError, Tell};
use crate::note::Note;
use crate::plan::Base;
use crate::programs::machine;

/// Largest `passwd` or `group` that is read from an image: thousands of lines.
const ACCOUNTS_LIMIT: u64 = 256 * 1024;
/// How often the progress of a pull is told.
const TOLD_EVERY: Duration = Duration::from_millis(200);
/// What an image's program finds when the image says nothing, as Docker has it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image that is held, and a look into it.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) lease: Lease,
    pub(super) tree: Tree,
}

/// The image as it was spelt, what of it is to be run, and how it is to be fetched.
pub(super) struct Asked<'a> {
    pub(super) reference: &'a str,
    pub(super) entrypoint: Option<&'a str>,
    pub(super) args: &'a [String],
}

/// Opens the store of this user.
pub(super) fn store(context: &Context) -> Result<Store, RunError> {
    Ok(Store::open(&context.paths.images(), Settings::default())?)
}

/// Brings an image into the store, from wherever it is.
pub(super) fn fetch(
    reference: &str,
    (platform, pull): (Option<&str>, Pull),
    context: &Context,
    tell: Tell<'_>,
) -> Result<Lease, RunError> {
    let parsed = Reference::parse(reference)?;
    let platform = platform.map_or_else(|| Ok(Platform::host()), Platform::parse)?;
    let fetch = match pull {
        Pull::Always => Fetch::Always,
        Pull::Missing => Fetch::Missing,
        Pull::Never => Fetch::Never,
    };
    let store = store(context)?;
    let registry = Registry::new(registry_settings(context));
    let daemons = daemons(context);
    let sources = Sources { registry: &registry, daemons: &daemons };
    let meter = Meter::new(reference, tell);
    let wish = Wish { reference: &parsed, platform: &platform, fetch };
    let lease = obtain(&store, wish, sources, &|progress| meter.take(progress))?;
    Ok(lease)
}

/// Adds up what several layers report, and tells it at a pace that people can read.
struct Meter<'a> {
    image: &'a str,
    tell: Tell<'a>,
    blobs: Mutex<Blobs>,
}

/// Done and total of each blob, and when it was last told.
#[derive(Default)]
struct Blobs {
    sizes: BTreeMap<String, (u64, u64)>,
    told: Option<Instant>,
}

impl<'a> Meter<'a> {
    fn new(image: &'a str, tell: Tell<'a>) -> Self {
        Self { image, tell, blobs: Mutex::default() }
    }

    fn take(&self, progress: Progress) {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.sizes.insert(progress.blob.hex(), (progress.done, progress.total));
        let (done, total) = blobs.sizes.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        if done == total || blobs.told.is_none_or(|last| last.elapsed() >= TOLD_EVERY) {
            blobs.told = Some(Instant::now());
            (self.tell)(Note::Pulling { image: self.image.to_owned(), done, total });
        }
    }
}

/// Brings the image into the store and opens it.
pub(super) fn unpack(
    asked: &Asked<'_>,
    request: &Request,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Unpacked, RunError> {
    let lease = fetch(asked.reference, (request.platform.as_deref(), request.pull), context, tell)?;
    let tree = Tree::open(&lease.image.layers)?;
    Ok(Unpacked { lease, tree })
}

/// What an image's box is built on.
pub(super) fn base(unpacked: &Unpacked, asked: &Asked<'_>, request: &Request) -> Result<Base, RunError> {
    let (config, tree) = (&unpacked.lease.image.config, &unpacked.tree);
    let argv = command(config, asked);
    let Some(file) = argv.first().cloned() else {
        return Err(RunError::NoCommand(asked.reference.to_owned()));
    };
    let workdir = request.workdir.clone().unwrap_or_else(|| config.working_dir.clone());
    let workdir = tree.place(Path::new(if workdir.is_empty() { "/" } else { &workdir }))?.path;
    let mut skeleton = accounts(tree)?;
    skeleton.extend(names(request.name.as_deref().unwrap_or("brig")));
    // A working folder that the image lacks is made, as Docker does.
    skeleton.push(Entry::Dir { path: workdir.clone() });
    let home =
        Mount { target: PathBuf::from(machine::HOME), what: What::Tmpfs { size: machine::HOME_SIZE, mode: 0o700 } };
    let program = Program { file, argv, env: environment(config), workdir };
    Ok(Base { root: Root::Layers(unpacked.lease.image.layers.clone()), skeleton, mounts: vec![home], program })
}

/// Entrypoint and arguments, as Docker puts them together: an entrypoint of the command line takes
/// the image's command away, too.
fn command(config: &Config, asked: &Asked<'_>) -> Vec<String> {
    let (entrypoint, own) = match asked.entrypoint {
        None => (config.entrypoint.clone(), config.cmd.clone()),
        Some("") => (Vec::new(), Vec::new()),
        Some(file) => (vec![file.to_owned()], Vec::new()),
    };
    let args = if asked.args.is_empty() { own } else { asked.args.to_vec() };
    entrypoint.into_iter().chain(args).collect()
}

/// The image's variables over what Docker would set.
fn environment(config: &Config) -> Vec<(String, String)> {
    let mut env: BTreeMap<String, String> =
        [("PATH", PATH), ("HOME", machine::HOME)].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    env.extend(config.env.iter().cloned());
    env.into_iter().collect()
}

/// The image's accounts with the box's own user among them.
fn accounts(tree: &Tree) -> Result<Vec<Entry>, TreeError> {
    let user = format!("box:x:{BOX_ID}:{BOX_ID}:box:{}:/bin/sh\n", machine::HOME);
    let group = format!("box:x:{BOX_ID}:\n");
    let lists = [("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", user), ("/etc/group", "root:x:0:\n", group)];
    let mut entries = Vec::new();
    for (path, fallback, own) in lists {
        let bytes = tree.read(Path::new(path), ACCOUNTS_LIMIT)?;
        let text = bytes.map_or_else(|| fallback.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
        let has = text.lines().any(|line| line.split(':').nth(2) == Some("65532"));
        let line_end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        let text = if has { text } else { format!("{text}{line_end}{own}") };
        entries.push(Entry::File { path: path.into(), text });
    }
    Ok(entries)
}

/// Names and resolver: the same as for host programs, but for what an image may have its own of.
fn names(host_name: &str) -> impl Iterator<Item = Entry> + use<> {
    const SHARED: &[&str] = &["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
    machine::generated(host_name)
        .into_iter()
        .filter(|entry| matches!(entry, Entry::File { path, .. } if SHARED.iter().any(|one| path == Path::new(one))))
}

/// Folders that the image wants to write to: filled as the image has them, gone when the box ends.
pub(super) fn volumes(unpacked: &Unpacked) -> impl Iterator<Item = Result<(PathBuf, bool), RunError>> + '_ {
    unpacked.lease.image.config.volumes.iter().map(|path| {
        let place = unpacked.tree.place(Path::new(path))?;
        let filled =
            place.kind == Some(Kind::Dir) && unpacked.tree.list(&place.path)?.is_some_and(|names| !names.is_empty());
        Ok((place.path, filled))
    })
}

fn registry_settings(context: &Context) -> RegistrySettings {
    let var = |name: &str| context.caller.env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = var("DOCKER_CONFIG").unwrap_or_else(|| context.caller.home.join(".docker"));
    RegistrySettings {
        docker_config: Some(config.join("config.json")),
        helper_path: context.caller.path.split(':').map(PathBuf::from).filter(|path| path.is_absolute()).collect(),
        extra_certificates: var("SSL_CERT_FILE"),
    }
}

/// Where Docker and Podman may answer: what the caller's variables say, then the usual places.
fn daemons(context: &Context) -> Vec<PathBuf> {
    let env = &context.caller.env;
    let told = env.get("DOCKER_HOST").and_then(|host| host.strip_prefix("unix://")).map(PathBuf::from);
    let runtime = env.get("XDG_RUNTIME_DIR").map(PathBuf::from);
    let users = runtime.into_iter().flat_map(|dir| [dir.join("docker.sock"), dir.join("podman/podman.sock")]);
    let machines = ["/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from);
    told.into_iter().chain(users).chain(machines).filter(|path| path.exists()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entrypoint: &[&str], cmd: &[&str]) -> Config {
        let json = serde_json::json!({
            "os": "linux", "architecture": "amd64",
            "config": { "Entrypoint": entrypoint, "Cmd": cmd, "Env": ["A=1", "PATH=/x"] },
            "rootfs": { "type": "layers", "diff_ids": [] },
        });
        Config::parse(json.to_string().as_bytes()).unwrap()
    }

    fn of(config: &Config, entrypoint: Option<&str>, args: &[&str]) -> Vec<String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        command(config, &Asked { reference: "i", entrypoint, args: &args })
    }

    #[test]
    fn entrypoint_and_command_are_put_together_as_docker_does() {
        let config = config(&["/e"], &["c"]);
        assert_eq!(of(&config, None, &[]), ["/e", "c"]);
        assert_eq!(of(&config, None, &["a"]), ["/e", "a"]);
        assert_eq!(of(&config, Some("/x"), &[]), ["/x"]);
        assert_eq!(of(&config, Some("/x"), &["a"]), ["/x", "a"]);
        assert_eq!(of(&config, Some(""), &["a"]), ["a"]);
        assert!(of(&config, Some(""), &[]).is_empty());
    }

    #[test]
    fn the_images_variables_win() {
        let env = environment(&config(&[], &[]));
        assert!(env.contains(&("PATH".to_owned(), "/x".to_owned())));
        assert!(env.contains(&("A".to_owned(), "1".to_owned())));
        assert!(env.contains(&("HOME".to_owned(), machine::HOME.to_owned())));
    }
}
