//! Where the tests take place: a scratch folder, and boxes that brig itself makes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::probe;

/// How long one box may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of this run, with copies of brig and of this program that everybody can run.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// One proof in one of its two boxes.
pub(crate) struct Scene<'a> {
    pub(crate) place: &'a Place,
    /// The wall that it is about.
    pub(crate) wall: &'static str,
    /// Whether that wall stands.
    pub(crate) held: bool,
}

/// A box to be made.
#[derive(Clone)]
pub(crate) struct Boxed<'a> {
    place: &'a Place,
    flags: Vec<String>,
    left_out: Vec<&'static str>,
    env: Vec<(String, String)>,
    before: Vec<String>,
}

/// What a box said.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) status: ExitStatus,
}

/// A box that runs.
pub(crate) struct Living {
    brig: Child,
    lines: BufReader<std::process::ChildStdout>,
    err: PathBuf,
}

impl Place {
    pub(crate) fn make() -> Self {
        let everybody = fs::Permissions::from_mode(0o755);
        // Not below /tmp, which the engine covers while it builds a root.
        let folder =
            tempfile::Builder::new().prefix("brig-walls-").permissions(everybody).tempdir_in("/var/tmp").unwrap();
        for (name, from) in [("brig", Path::new(env!("CARGO_BIN_EXE_brig"))), ("walls", Path::new("/proc/self/exe"))] {
            fs::copy(from, folder.path().join(name)).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let place = Self { folder };
        place.folder("home");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder that everybody may look into.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A new, empty folder.
    pub(crate) fn fresh(&self) -> PathBuf {
        self.folder(&format!("folder-{}", token()))
    }

    /// A file that everybody may read.
    pub(crate) fn file(&self, text: &str) -> PathBuf {
        let path = self.fresh().join("planted.txt");
        fs::write(&path, text).unwrap();
        path
    }
}

impl<'a> Scene<'a> {
    /// A box with this scene's wall, or without it.
    pub(crate) fn boxed(&self) -> Boxed<'a> {
        let home = self.place.path("home");
        let variables = [("HOME", home.to_str().unwrap()), ("PATH", "/usr/local/bin:/usr/bin:/bin")];
        Boxed {
            place: self.place,
            flags: Vec::new(),
            left_out: if self.held { Vec::new() } else { vec![self.wall] },
            env: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            before: Vec::new(),
        }
    }
}

impl Boxed<'_> {
    /// Adds flags of `brig run`.
    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(ToString::to_string));
        self
    }

    /// Grants a host folder at `/data`.
    pub(crate) fn grant(self, folder: &Path, mode: &str) -> Self {
        let grant = format!("{}:/data:{mode}", folder.display());
        self.flags(&["-v", &grant])
    }

    /// Leaves these walls out in both halves, since they would refuse the attempt too.
    pub(crate) fn beside(mut self, walls: &[&'static str]) -> Self {
        self.left_out.extend(walls);
        self
    }

    /// Sets a variable of brig's caller.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts brig by another program.
    pub(crate) fn through(mut self, before: &[&str]) -> Self {
        self.before.extend(before.iter().map(ToString::to_string));
        self
    }

    /// Starts brig by a shell that has done something first.
    pub(crate) fn after(self, script: &str) -> Self {
        let script = format!("{script}; exec \"$@\"");
        self.through(&["sh", "-c", &script, "sh"])
    }

    /// The command line of brig itself.
    fn brig(&self, words: &[String]) -> Command {
        let brig = self.place.path("brig").to_str().unwrap().to_owned();
        let line: Vec<&String> = self.before.iter().chain([&brig]).chain(words).collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        if !self.left_out.is_empty() {
            command.env("BRIG_BREACH", self.left_out.join(","));
        }
        // Not the folder that the tests were started in: it may be closed to this user.
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `brig run` of a program.
    fn command(&self, program: &[&str]) -> Command {
        let start = ["run", "--verbose", "--stdio", "raw"].map(str::to_owned);
        let program = program.iter().map(ToString::to_string);
        let words: Vec<String> =
            start.into_iter().chain(self.flags.iter().cloned()).chain(["--".to_owned()]).chain(program).collect();
        self.brig(&words)
    }

    /// Our own program with the words of a probe, spelt so that brig sees no path in them: it would
    /// rightly refuse to start a program that is told of files which it is not granted.
    fn probe_words(&self, words: &[&str]) -> Vec<String> {
        let own = self.place.path("walls").to_str().unwrap().to_owned();
        [own, "probe".to_owned()].into_iter().chain(words.iter().map(|word| probe::spell(word))).collect()
    }

    /// Runs a program in the box, with nothing to read.
    pub(crate) fn run(&self, program: &[&str]) -> Told {
        finish(&mut self.command(program))
    }

    /// Runs a probe in the box.
    pub(crate) fn probe(&self, words: &[&str]) -> Told {
        let words = self.probe_words(words);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts a probe that goes on.
    pub(crate) fn start(&self, words: &[&str]) -> Living {
        let words = self.probe_words(words);
        let mut command = self.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let err = self.place.path(&format!("stderr-{}", token()));
        let mut brig = command.stderr(fs::File::create(&err).unwrap()).spawn().unwrap();
        let lines = BufReader::new(brig.stdout.take().unwrap());
        Living { brig, lines, err }
    }

    /// How `brig doctor` says that the walls stand.
    pub(crate) fn doctor(&self) -> serde_json::Value {
        let told = finish(&mut self.brig(&["doctor".to_owned(), "--json".to_owned()]));
        serde_json::from_str(&told.out).unwrap_or_else(|error| panic!("{error}: {told:?}"))
    }
}

impl Told {
    /// What the probe said of something.
    pub(crate) fn of(&self, what: &str) -> &str {
        self.find(what).unwrap_or_else(|| panic!("nothing about {what:?}: {self:#?}"))
    }

    pub(crate) fn find(&self, what: &str) -> Option<&str> {
        self.out.lines().find_map(|line| line.split_once('\t').filter(|(key, _)| *key == what)).map(|(_, said)| said)
    }

    /// How `--verbose` says that a wall stands.
    pub(crate) fn wall(&self, id: &str) -> &str {
        let start = format!("brig: wall {id}: ");
        let line = self.err.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("nothing about the wall {id}: {self:#?}"))
    }
}

impl Living {
    /// Waits for a line of the probe.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Writes to the probe.
    pub(crate) fn write(&mut self, text: &str) {
        self.brig.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Leaves, and waits for everything else that it says.
    pub(crate) fn finish(mut self) -> Told {
        drop(self.brig.stdin.take());
        let out = text(&mut self.lines);
        let status = wait(&mut self.brig);
        Told { out, err: fs::read_to_string(&self.err).unwrap(), status }
    }

    /// Ends brig without a word, as the kernel does when memory is short.
    pub(crate) fn kill(&mut self) {
        self.brig.kill().unwrap();
        self.brig.wait().unwrap();
    }
}

/// Waits for the end with stdin open: a client that leaves would cut a slow program short.
fn finish(command: &mut Command) -> Told {
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdin = child.stdin.take();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    std::thread::scope(|scope| {
        let out = scope.spawn(move || text(&mut stdout));
        let err = scope.spawn(move || text(&mut stderr));
        let status = wait(&mut child);
        drop(stdin);
        Told { out: out.join().unwrap(), err: err.join().unwrap(), status }
    })
}

fn text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    drop(from.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > PATIENCE {
            drop(child.kill());
            let status = child.wait().unwrap();
            eprintln!("killed after {PATIENCE:?}");
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Random text, of a shape that nobody takes for a credential.
pub(crate) fn token() -> String {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).unwrap();
    let letters: String = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| char::from(b'a' + n)).collect();
    format!("planted-{letters}")
}

/// Whether a program is installed where the box's caller looks.
pub(crate) fn installed(program: &str) -> bool {
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
}

/// Waits until something is so; false when it was not in time.
pub(crate) fn within(patience: Duration, mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !so() {
        if start.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
