//! What every host program finds in its box: the machine's own software, read-only and as the host has it,
//! the few files of `/etc` that software reads, generated accounts and names, an environment from nothing.
//!
//! `/etc` as a whole, `/var`, `/run` and homes never appear. The engine makes `/proc`, `/dev` and `/tmp`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use brig_engine::launch::{BOX_ID, Entry, Mount, What};
use brig_policy::limits::MIB;

use super::place::{self, PlaceError};
use super::{Found, walk};

/// The home folder in the box. It is memory, and gone when the box is.
pub const HOME: &str = "/home/box";
/// Size of the home folder: what caches of ordinary servers write; `/tmp` has the same.
pub const HOME_SIZE: u64 = 256 * MIB;
/// The home folder is its user's only, as programs such as ssh insist.
const HOME_MODE: u32 = 0o700;
/// The machine's own folders for programs, in the usual order.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The address at which the box's own resolver will listen.
const RESOLVER: &str = "127.0.0.1";

/// Folders of software, shown whole. Where one is a link on this host, it is the same link in the box.
const SOFTWARE: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// Configuration of installed registries' clients, which may hold credentials, relative to `/usr`.
const MASKED: [&str; 5] =
    ["etc/npmrc", "etc/pip.conf", "local/etc/npmrc", "local/etc/pip.conf", "lib/node_modules/npm/npmrc"];

/// What software reads below `/etc`, each with who reads it. None holds a secret on any distribution. A final
/// `*` stands for any ending.
const ETC: [(&str, &str); 30] = [
    ("/etc/alternatives", "hundreds of links lead from /usr/bin through it (Debian, Fedora, SUSE)"),
    ("/etc/java-*", "the Java runtime's security settings and fonts (Debian)"),
    ("/etc/java", "the same (Fedora)"),
    ("/etc/crypto-policies/back-ends", "included by OpenSSL's and Java's settings (Fedora)"),
    ("/etc/crypto-policies/config", "the same"),
    ("/etc/fonts", "fontconfig"),
    ("/etc/ld.so.cache", "the loader: folders beside the built-in ones"),
    ("/etc/ld.so.conf", "the same, for programs that read it themselves (Python's ctypes)"),
    ("/etc/ld.so.conf.d", "the same"),
    ("/etc/ssl/certs", "trusted authorities (Debian, Arch, Alpine)"),
    ("/etc/ssl/cert.pem", "the same (Alpine, LibreSSL)"),
    ("/etc/ssl/openssl.cnf", "OpenSSL"),
    ("/etc/ssl/ca-bundle.pem", "trusted authorities (SUSE)"),
    ("/etc/pki/tls/certs", "the same (Fedora)"),
    ("/etc/pki/tls/cert.pem", "the same (Fedora)"),
    ("/etc/pki/tls/openssl.cnf", "OpenSSL (Fedora)"),
    ("/etc/pki/ca-trust/extracted", "trusted authorities (Fedora)"),
    ("/etc/ca-certificates/extracted", "the same (Arch)"),
    ("/var/lib/ca-certificates", "the same (SUSE)"),
    ("/etc/localtime", "the time zone"),
    ("/etc/timezone", "its name (Debian)"),
    ("/etc/mime.types", "Python's mimetypes"),
    ("/etc/protocols", "names of protocols"),
    ("/etc/services", "names of ports"),
    ("/etc/os-release", "which distribution this is"),
    ("/etc/debian_version", "the same"),
    ("/etc/python3*", "Python's sitecustomize (Debian)"),
    ("/etc/perl", "Perl's module paths (Debian)"),
    ("/etc/magic", "libmagic"),
    ("/etc/locale.alias", "names of locales (Debian)"),
];

/// What is the same for all host programs of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// Links and generated files.
    pub skeleton: Vec<Entry>,
    /// Binds of the machine's own folders, and the home folder.
    pub mounts: Vec<Mount>,
}

/// Looks at this machine and says what its programs find in a box of this host name.
///
/// # Errors
/// When `/usr` or another of these folders cannot be looked at.
pub fn machine(host_name: &str) -> Result<Machine, PlaceError> {
    let mut machine = Machine { skeleton: generated(host_name), mounts: Vec::new() };
    for folder in SOFTWARE {
        add(&mut machine, Path::new(folder))?;
    }
    for (pattern, _) in ETC {
        for path in matching(pattern) {
            add(&mut machine, &path)?;
        }
    }
    machine.mounts.push(Mount { target: PathBuf::from(HOME), what: What::Tmpfs { size: HOME_SIZE, mode: HOME_MODE } });
    Ok(machine)
}

/// Adds a path as this host has it: a link stays one, if what it leads to is shown as well.
fn add(machine: &mut Machine, path: &Path) -> Result<(), PlaceError> {
    let Ok(facts) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    // A folder above may be a link (`/etc/ssl` on some machines): then its target is what is listed.
    let parent = path.parent().unwrap_or(Path::new("/"));
    if fs::canonicalize(parent).is_ok_and(|real| real != parent) {
        return Ok(());
    }
    if facts.is_symlink() {
        let (Ok(to), Ok(walked)) = (fs::read_link(path), walk::walk(path)) else {
            return Ok(());
        };
        if is_shown(&walked.real) {
            machine.skeleton.push(Entry::Link { path: path.to_owned(), to });
            return Ok(());
        }
        return bind(machine, path, &walked.real);
    }
    bind(machine, path, path)
}

fn bind(machine: &mut Machine, target: &Path, source: &Path) -> Result<(), PlaceError> {
    let masked: &[&str] = if target == Path::new("/usr") { &MASKED } else { &[] };
    match place::bind(source, false, masked) {
        Ok(bind) => machine.mounts.push(Mount { target: target.to_owned(), what: What::Bind(bind) }),
        // A socket or pipe in the place of a file of /etc is not shown; software is not optional.
        Err(PlaceError::Kind(_)) if !SOFTWARE.iter().any(|folder| target == Path::new(folder)) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether a real path appears in the box through one of the tables.
fn is_shown(real: &Path) -> bool {
    let software = SOFTWARE.iter().any(|folder| real.starts_with(folder));
    software
        || ETC.iter().any(|(pattern, _)| matching(pattern).iter().any(|shown| real != shown && real.starts_with(shown)))
}

/// The paths that a line of the table means.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some(stem) = pattern.strip_suffix('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let stem = Path::new(stem);
    let (Some(folder), Some(start)) = (stem.parent(), stem.file_name()) else {
        return Vec::new();
    };
    let start = start.to_string_lossy();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&*start))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

/// Accounts, names and folders that are the same in every box of host programs.
pub fn generated(host_name: &str) -> Vec<Entry> {
    let file = |path: &str, text: String| Entry::File { path: PathBuf::from(path), text };
    vec![
        file(
            "/etc/passwd",
            format!(
                "root:x:0:0:root:/root:/bin/sh\nbox:x:{BOX_ID}:{BOX_ID}:box:{HOME}:/bin/sh\n\
                 nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
            ),
        ),
        file("/etc/group", format!("root:x:0:\nbox:x:{BOX_ID}:\nnogroup:x:65534:\n")),
        file("/etc/hosts", format!("127.0.0.1 localhost {host_name}\n::1 localhost ip6-localhost ip6-loopback\n")),
        file("/etc/hostname", format!("{host_name}\n")),
        // A refused name has to fail at once, without a search list and without long retries.
        file("/etc/resolv.conf", format!("nameserver {RESOLVER}\noptions ndots:0 timeout:2 attempts:2\n")),
        file(
            "/etc/nsswitch.conf",
            "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n\
             protocols: files\nservices: files\n"
                .into(),
        ),
        // The same for musl and for resolvers of their own.
        file("/etc/host.conf", "multi on\n".into()),
        Entry::Dir { path: PathBuf::from("/var/tmp") },
        Entry::Dir { path: PathBuf::from("/run") },
        Entry::Dir { path: PathBuf::from("/root") },
    ]
}

/// The environment that every host program starts with, before what the run asks for.
pub fn environment(found: &Found) -> BTreeMap<String, String> {
    let own = found.path.iter().filter_map(|folder| folder.to_str());
    let path = own.chain([PATH]).collect::<Vec<_>>().join(":");
    let mut env: BTreeMap<String, String> = [
        ("PATH", path.as_str()),
        ("HOME", HOME),
        ("USER", "box"),
        ("LOGNAME", "box"),
        ("SHELL", "/bin/sh"),
        ("LANG", "C.UTF-8"),
        ("TMPDIR", "/tmp"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    env.extend(found.env.clone());
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_shows_its_software_and_no_secrets() {
        let machine = machine("brig-test").unwrap();
        let targets: Vec<&Path> = machine.mounts.iter().map(|mount| mount.target.as_path()).collect();
        assert!(targets.contains(&Path::new("/usr")));
        assert!(targets.contains(&Path::new(HOME)));
        for secret in ["/etc", "/etc/ssl", "/etc/ssl/private", "/etc/shadow", "/root", "/home", "/var", "/run"] {
            assert!(!targets.contains(&Path::new(secret)), "{secret}");
        }
        for mount in &machine.mounts {
            if let What::Bind(bind) = &mount.what {
                assert!(!bind.writable && !bind.owned, "{bind:?}");
                assert_eq!(fs::canonicalize(&bind.source).unwrap(), bind.source);
            }
        }
        // Either a link or a bind, on every distribution.
        let bin = Path::new("/bin");
        let linked = machine.skeleton.iter().any(|entry| matches!(entry, Entry::Link { path, .. } if path == bin));
        assert!(linked != targets.contains(&bin));
    }

    #[test]
    fn links_of_the_skeleton_lead_to_what_is_shown() {
        for entry in machine("brig-test").unwrap().skeleton {
            if let Entry::Link { path, .. } = entry {
                assert!(is_shown(&fs::canonicalize(&path).unwrap()), "{path:?}");
            }
        }
    }

    #[test]
    fn no_target_lies_behind_a_link_of_the_skeleton() {
        let machine = machine("brig-test").unwrap();
        for entry in &machine.skeleton {
            if let Entry::Link { path, .. } = entry {
                assert!(!machine.mounts.iter().any(|mount| mount.target.starts_with(path)), "{path:?}");
            }
        }
    }

    #[test]
    fn the_environment_is_built_from_nothing() {
        let found = Found { path: vec![PathBuf::from("/opt/x/bin")], ..Found::default() };
        let env = environment(&found);
        assert_eq!(env["PATH"], format!("/opt/x/bin:{PATH}"));
        assert_eq!(env.len(), 7);
    }
}
