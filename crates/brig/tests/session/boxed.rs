//! A place of its own for each test: a copy of brig that no other test runs, an empty home, an
//! environment built from nothing; and sessions in it that cannot hang a test.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Tells a hang from an end on a machine that is busy.
pub(crate) const HANG: Duration = Duration::from_secs(60);
/// The account that root's tests also run as; any number serves where it does not exist.
const USER: &str = "brigtest";
const NO_ACCOUNT: u32 = 61_234;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

pub(crate) struct Place {
    folder: tempfile::TempDir,
    user: Option<u32>,
}

/// The callers that can be had here.
pub(crate) fn everyone() -> Vec<Place> {
    let me = Place::new(None);
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: tested as this user alone");
        return vec![me];
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = accounts.lines().find(|line| line.split(':').next() == Some(USER));
    let uid = line.and_then(|line| line.split(':').nth(2)?.parse().ok()).unwrap_or(NO_ACCOUNT);
    vec![me, Place::new(Some(uid))]
}

impl Place {
    fn new(user: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let place = Self { folder, user };
        std::fs::copy(env!("CARGO_BIN_EXE_brig"), place.brig()).unwrap();
        for name in ["home", "run", "work"] {
            let path = place.path(name);
            std::fs::create_dir(&path).unwrap();
            chown(&path, user, user).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn brig(&self) -> PathBuf {
        self.path("brig")
    }

    /// A file or folder that belongs to this place's caller.
    pub(crate) fn own(&self, path: &Path) {
        chown(path, self.user, self.user).unwrap();
    }

    /// brig with these words. `{brig}` and `{here}` in them become the binary's path and the place's.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.brig());
        let (brig, here) = (self.brig(), self.folder.path().to_owned());
        let fill =
            |word: &&str| word.replace("{brig}", brig.to_str().unwrap()).replace("{here}", here.to_str().unwrap());
        command.args(words.iter().map(fill));
        self.dress(command)
    }

    /// Any command, as this place's caller and in its environment.
    pub(crate) fn dress(&self, mut command: Command) -> Command {
        command.env_clear().current_dir(self.path("work"));
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.path("home"));
        command.env("XDG_RUNTIME_DIR", self.path("run"));
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    pub(crate) fn open(&self, words: &[&str]) -> Talk {
        Talk::start(self.command(words))
    }

    /// The simulated server, or one of its behaviours.
    pub(crate) fn sim(&self, words: &[&str]) -> Talk {
        self.open(&[&["run", "--", "{brig}", "__sim"], words].concat())
    }

    /// Runs to the end with this input.
    pub(crate) fn run(&self, words: &[&str], input: &[u8]) -> End {
        finish(self.command(words), input)
    }

    /// Everything of this place that outlived it; waits for what is just ending.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let start = Instant::now();
        loop {
            let left = self.left_now();
            if left.is_empty() || start.elapsed() > Duration::from_secs(10) {
                return left;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn left_now(&self) -> Vec<String> {
        let mut left: Vec<String> = self.processes().iter().map(|pid| format!("process {pid}")).collect();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let here = self.folder.path().to_str().unwrap();
        left.extend(mounts.lines().filter(|line| line.contains(here)).map(|line| format!("mount {line}")));
        for folder in [self.path("run/brig"), self.path("home/.local/state/brig/staged")] {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| format!("file {}", entry.path().display())));
        }
        left
    }

    /// Processes that run this place's brig (its helper and init too), or name it in an argument.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let own = std::fs::metadata(self.brig()).unwrap();
        let here = self.folder.path().to_str().unwrap();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let exe = std::fs::metadata(entry.path().join("exe"));
            let runs = exe.is_ok_and(|exe| (exe.dev(), exe.ino()) == (own.dev(), own.ino()));
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if runs || String::from_utf8_lossy(&words).contains(here) {
                found.push(pid);
            }
        }
        found
    }
}

/// Control groups whose name begins so.
pub(crate) fn groups(name: &str) -> Vec<PathBuf> {
    let (mut found, mut stack) = (Vec::new(), vec![PathBuf::from("/sys/fs/cgroup")]);
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().starts_with(&format!("brig-{name}")) {
                    found.push(entry.path());
                }
                stack.push(entry.path());
            }
        }
    }
    found
}

/// How brig ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: i32,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: String,
}

impl End {
    pub(crate) fn last_line(&self) -> &str {
        self.errors.lines().last().unwrap_or_default()
    }
}

pub(crate) fn finish(command: Command, input: &[u8]) -> End {
    let mut talk = Talk::start(command);
    let mut stdin = talk.input.take().unwrap();
    std::thread::scope(|scope| {
        // A program that does not read it all is no failure of the test.
        scope.spawn(move || drop(stdin.write_all(input)));
        talk.end()
    })
}

/// A running brig.
pub(crate) struct Talk {
    child: Child,
    pub(crate) input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    errors: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Talk {
    pub(crate) fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let (output, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        let errors = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&errors);
        let stdout = std::thread::spawn(move || {
            let mut reader = std::io::BufReader::with_capacity(1 << 20, output);
            loop {
                let mut line = Vec::new();
                match std::io::BufRead::read_until(&mut reader, b'\n', &mut line) {
                    Ok(1..) if sender.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut piece = vec![0; 1 << 16];
            while let Ok(count @ 1..) = stderr.read(&mut piece) {
                collected.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines, errors, readers: vec![stdout, stderr] }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.line()
    }

    /// The next line, its end included.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lines.recv_timeout(HANG).unwrap_or_else(|error| panic!("no line ({error}): {}", self.errors()))
    }

    pub(crate) fn line(&self) -> String {
        String::from_utf8(self.bytes()).unwrap().trim_end().to_owned()
    }

    /// Whether nothing more comes for a moment.
    pub(crate) fn silent(&self, time: Duration) -> bool {
        matches!(self.lines.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.errors.lock().unwrap()).into_owned()
    }

    /// Waits until stderr says so.
    pub(crate) fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while !self.errors().contains(text) {
            assert!(start.elapsed() < HANG, "{text:?} never came: {}", self.errors());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn close(&mut self) {
        self.input = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap(), signal).unwrap();
    }

    /// Waits for the end without closing anything. 1000 + N when a signal ended brig itself.
    pub(crate) fn end(mut self) -> End {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < HANG, "brig hangs: {}", self.errors());
            std::thread::sleep(Duration::from_millis(2));
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let output = self.lines.try_iter().flatten().collect();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        End { status: status.code().unwrap_or(1000 + signal.unwrap_or(0)), output, errors: self.errors() }
    }

    /// Closes brig's stdin and waits for the end.
    pub(crate) fn leave(mut self) -> End {
        self.close();
        self.end()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
