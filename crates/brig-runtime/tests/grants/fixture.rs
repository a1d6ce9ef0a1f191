//! A machine in a temporary folder: a home with keys, brig's own folder, a project.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use brig_engine::launch::Treat;
use brig_policy::mount::Access;
use brig_runtime::grants::{Caller, GrantError, Granted, Survey, judge};

/// The folders of one test; removed when dropped.
pub(crate) struct Fixture {
    _temporary: Option<tempfile::TempDir>,
    top: PathBuf,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::Builder::new().prefix("brig-grants-").tempdir().expect("temporary folder");
        let top = std::fs::canonicalize(temporary.path()).expect("real path");
        let fixture = Self { _temporary: Some(temporary), top };
        fixture.file("home/.ssh/id_ed25519", "the host's key");
        fixture.file("home/.netrc", "the host's login");
        fixture.file("home/.bashrc", "# shell");
        fixture.file("home/proj/README.md", "hello");
        fixture.dir("brig/store");
        fixture.dir("brig/quarantine");
        fixture.dir("brig/room");
        fixture
    }

    /// The fixture that another test process made, whose working folder is its top.
    pub(crate) fn here() -> Self {
        Self { _temporary: None, top: std::env::current_dir().expect("working folder") }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.top.join(below)
    }

    pub(crate) fn proj(&self) -> PathBuf {
        self.path("home/proj")
    }

    /// Writes a file, making the folders above it.
    pub(crate) fn file(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folders");
        std::fs::write(&path, text).expect("file");
        path
    }

    pub(crate) fn dir(&self, below: &str) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(&path).expect("folder");
        path
    }

    pub(crate) fn link(&self, below: &str, to: impl AsRef<Path>) {
        std::os::unix::fs::symlink(to, self.path(below)).expect("link");
    }

    pub(crate) fn mode(&self, below: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(below), permissions).expect("mode");
    }

    pub(crate) fn text(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).expect(below)
    }

    pub(crate) fn exists(&self, below: &str) -> bool {
        self.path(below).symlink_metadata().is_ok()
    }

    pub(crate) fn survey(&self) -> Survey {
        let caller = Caller { cwd: self.proj(), homes: vec![self.path("home")], own: vec![self.path("brig")] };
        Survey::take(&caller).expect("survey")
    }

    pub(crate) fn judge(&self, below: &str, access: Access) -> Result<Granted, GrantError> {
        let path = self.path(below);
        judge(path.to_str().expect("UTF-8"), access, &self.survey())
    }

    pub(crate) fn granted(&self, below: &str, access: Access) -> Granted {
        self.judge(below, access).expect("granted")
    }

    /// Runs a shell script of the host in the project.
    pub(crate) fn sh(&self, script: &str) {
        let output = shell(&self.proj(), script);
        assert!(output.status.success(), "{script}: {output:?}");
    }
}

/// Runs a shell script, Git with nothing of this machine's settings.
pub(crate) fn shell(folder: &Path, script: &str) -> Output {
    Command::new("sh")
        .args(["-euc", script])
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@example.org")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@example.org")
        .output()
        .expect("sh")
}

/// What a grant masks, protects or holds, as text.
pub(crate) fn treated(granted: &Granted, treat: Treat) -> Vec<String> {
    let inside = granted.bind().inside.iter();
    inside.filter(|inside| inside.treat == treat).map(|inside| inside.path.display().to_string()).collect()
}

/// Runs one ignored test of this program again under other circumstances: `wrapper` is a command
/// that ends by running its arguments, the fixture's top is the working folder.
pub(crate) fn again(fixture: &Fixture, wrapper: &[&str], test: &str) {
    let program = std::env::current_exe().expect("this program");
    let (command, arguments) = wrapper.split_first().expect("a command");
    let output = Command::new(command)
        .args(arguments)
        .arg(program)
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .current_dir(fixture.path(""))
        .output()
        .expect("the wrapper");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
