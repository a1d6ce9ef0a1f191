//! The stand-ins: made, kept while the demo lasts, removed on drop.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::service::Service;
use super::token::Token;
use super::{DemoError, Order};

/// How the demo's folder begins; the rest is random.
const PREFIX: &str = "brig-demo-";
/// The file in it that a living demo holds locked.
const LOCK: &str = "lock";
/// A folder without a held lock is only removed when it is older: a sibling may just be making it.
const NEWBORN: Duration = Duration::from_secs(10);

/// How long the other process may take to start, and how many bytes it may say then.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_SAYING: u64 = 64;

/// The variable that holds what looks like a credential.
pub(super) const TOKEN_VARIABLE: &str = "BRIG_DEMO_GITHUB_TOKEN";
/// The variable that holds nothing secret, and its value.
pub(super) const GREETING: (&str, &str) = ("BRIG_DEMO_GREETING", "hello from brig demo");
/// The variable of the other process.
pub(super) const OTHER_VARIABLE: &str = "BRIG_DEMO_OTHER_TOKEN";

/// Everything that was planted.
#[derive(Debug)]
pub(super) struct Plants {
    pub(super) key: Token,
    pub(super) neighbour: Token,
    pub(super) service: Token,
    pub(super) metadata: Token,
    pub(super) environment: Token,
    pub(super) other: Token,
    /// Not a secret: proves that a harmless call worked.
    pub(super) nonce: Token,
    /// What brig's program is called with to run a part of the simulator.
    pub(super) words: Vec<String>,
    local: Service,
    cloud: Service,
    _holder: Holder,
    // Last, so that it goes when nothing uses it any more.
    folder: Folder,
}

impl Plants {
    /// Makes them all. What was made before one failed is removed.
    pub(super) fn plant(order: &Order<'_>) -> Result<Self, DemoError> {
        let folder = Folder::make(order.scratch)?;
        let token = Token::random;
        let (key, neighbour, nonce) = (token()?, token()?, token()?);
        let (service, metadata) = (token()?, token()?);
        let other = token()?;
        let pem = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", key.text());
        folder.write("home/.ssh/id_ed25519", &pem, 0o600)?;
        let contract = format!("Not for other eyes: {}\n", neighbour.text());
        folder.write("home/Documents/contract.txt", &contract, 0o600)?;
        let readme = format!("A harmless file: {}\n", nonce.text());
        folder.write("project/README.md", &readme, 0o644)?;
        let project = folder.path.join("project");
        fs::set_permissions(&project, fs::Permissions::from_mode(0o755))
            .map_err(|source| DemoError::Folder { path: project, source })?;
        let loopback = |ip: [u8; 4]| (ip, 0).into();
        let page = format!("internal wiki, admin token {}\n", service.text());
        let role = format!("{{\"Code\":\"Success\",\"AccessKeyId\":\"demo\",\"Token\":\"{}\"}}\n", metadata.text());
        Ok(Self {
            local: Service::start(loopback([127, 0, 0, 1]), &page)?,
            cloud: Service::start(loopback([127, 169, 254, 169]), &role)?,
            _holder: Holder::start(order, &other)?,
            environment: token()?,
            key,
            neighbour,
            service,
            metadata,
            other,
            nonce,
            words: order.words.to_vec(),
            folder,
        })
    }

    /// The made-up home folder.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.path.join("home")
    }

    /// The folder that the box is granted.
    pub(super) fn project(&self) -> PathBuf {
        self.folder.path.join("project")
    }

    /// What `-e` gives the server.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        vec![(GREETING.0.to_owned(), GREETING.1.to_owned()), (TOKEN_VARIABLE.to_owned(), self.environment.as_github())]
    }

    /// The address of the stand-in for a service of this machine.
    pub(super) fn service_url(&self) -> String {
        format!("http://{}/", self.local.address())
    }

    /// The address of the stand-in for a cloud's metadata service.
    pub(super) fn metadata_url(&self) -> String {
        format!("http://{}/latest/meta-data/iam/security-credentials/demo", self.cloud.address())
    }
}

/// A folder of our own that is removed on drop.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Held while we live, so that a sibling can tell.
    _lock: File,
}

impl Folder {
    fn make(scratch: &Path) -> Result<Self, DemoError> {
        if scratch.to_str().is_none() {
            return Err(DemoError::Name { path: scratch.to_owned() });
        }
        let path = scratch.join(format!("{PREFIX}{}", Token::random()?.text()));
        let failed = |source| DemoError::Folder { path: path.clone(), source };
        DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        let lock = File::create_new(path.join(LOCK)).and_then(|lock| {
            lock.lock()?;
            Ok(lock)
        });
        match lock {
            Ok(_lock) => Ok(Self { path, _lock }),
            Err(source) => {
                let error = failed(source);
                // Empty or nearly so; the next call removes what cannot be removed now.
                let _kept = fs::remove_dir_all(&path);
                Err(error)
            }
        }
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Result<(), DemoError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| DemoError::Folder { path: parent.to_owned(), source })?;
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .and_then(|mut file| {
                // Whatever the umask says: the box's user may be another one.
                file.set_permissions(fs::Permissions::from_mode(mode))?;
                file.write_all(text.as_bytes())
            })
            .map_err(|source| DemoError::Write { path, source })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next call.
        let _kept = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of demos that were killed. A living demo's is never touched.
pub(super) fn clean_stale(scratch: &Path) {
    let Ok(entries) = fs::read_dir(scratch) else {
        return; // making our own folder there will say why
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if ours && is_stale(&entry.path()) {
            // Another demo may be faster.
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether the folder at `path` was left behind: whoever made it no longer holds its lock. Another
/// user's folder is not ours to judge.
fn is_stale(path: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else {
        return false;
    };
    let age = found.modified().ok().and_then(|time| time.elapsed().ok());
    let own = fs::metadata("/proc/self").map(|own| own.uid()).ok();
    if !found.is_dir() || own != Some(found.uid()) || age.is_none_or(|age| age < NEWBORN) {
        return false;
    }
    match File::open(path.join(LOCK)) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(e) => e.kind() == io::ErrorKind::NotFound,
    }
}

/// Another process of the user, with a token in its environment. It ends with its input, so also
/// when we are killed.
#[derive(Debug)]
struct Holder(Child);

impl Holder {
    fn start(order: &Order<'_>, token: &Token) -> Result<Self, DemoError> {
        let failed = |source| DemoError::Holder { program: order.program.to_owned(), source };
        let child = Command::new(order.program)
            .args(order.words)
            .arg("hold")
            .env_clear()
            .env(OsStr::new(OTHER_VARIABLE), token.text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let mut holder = Self(child);
        // Its environment is its own only once it runs; then it says so. Dropping it ends the wait.
        let (sender, said) = sync_channel(1);
        if let Some(output) = holder.0.stdout.take() {
            std::thread::spawn(move || {
                let mut line = String::new();
                let read = BufReader::new(output.take(MAX_SAYING)).read_line(&mut line);
                // Nobody may wait any more.
                let _late = sender.send(read);
            });
        }
        match said.recv_timeout(PATIENCE) {
            Ok(Ok(1..)) => {}
            Ok(Ok(0)) => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
            Ok(Err(source)) => return Err(failed(source)),
            Err(_) => return Err(failed(io::ErrorKind::TimedOut.into())),
        }
        Ok(holder)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_what_a_dead_demo_left_behind_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - NEWBORN * 2;
        let age = |path: &Path| File::open(path).unwrap().set_modified(old).unwrap();

        let living = Folder::make(scratch.path()).unwrap();
        age(&living.path);
        let dead = Folder::make(scratch.path()).unwrap();
        dead.write("home/x", "x", 0o600).unwrap();
        let dead_path = dead.path.clone();
        let Folder { .. } = &dead;
        // As after SIGKILL: the lock is gone, the folder is not.
        let lock = dead._lock.try_clone().unwrap();
        std::mem::forget(dead);
        lock.unlock().unwrap();
        age(&dead_path);
        let half = scratch.path().join("brig-demo-half");
        fs::create_dir(&half).unwrap();
        age(&half);
        let newborn = scratch.path().join("brig-demo-newborn");
        fs::create_dir(&newborn).unwrap();
        let other = scratch.path().join("other");
        fs::create_dir(&other).unwrap();
        age(&other);
        let link = scratch.path().join("brig-demo-link");
        std::os::unix::fs::symlink(&other, &link).unwrap();

        clean_stale(scratch.path());
        assert!(living.path.exists() && newborn.exists() && other.exists());
        assert!(link.is_symlink());
        assert!(!dead_path.exists() && !half.exists());
        let path = living.path.clone();
        drop(living);
        assert!(!path.exists());
    }
}
