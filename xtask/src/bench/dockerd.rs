//! A Docker daemon of our own, in network and mount namespaces of its own, with its own folder; it
//! is ended by its process id.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{cache, process, screen, settings, test};

/// The time that a daemon may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running daemon that has both images.
pub(super) struct Dockerd {
    child: Child,
    folder: PathBuf,
}

impl Dockerd {
    /// Starts it and loads the images; nothing when this machine has no daemon or we are not root.
    pub(super) fn start(server: &Path) -> Result<Option<Self>> {
        let Some(program) = settings::find_program("dockerd").filter(|_| process::is_root()) else {
            screen::note("Docker is left out: it needs root and Debian's docker.io");
            return Ok(None);
        };
        let folder = cache::folder()?.join(format!("dockerd-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let log = fs::File::create(folder.join("log"))?;
        let mut command = Command::new("unshare");
        command.args([
            "--net",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
        ]);
        command.arg(program).args(["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]);
        for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(option).arg(folder.join(name));
        }
        command.arg("--host").arg(format!("unix://{}", folder.join("socket").display()));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let docker = Self { child: command.spawn().context("cannot start dockerd")?, folder };
        docker.wait()?;
        docker.load(server)?;
        Ok(Some(docker))
    }

    /// A client that talks to it.
    pub(super) fn client(&self) -> Command {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.folder.join("socket").display()));
        command.env("DOCKER_CONFIG", &self.folder);
        command
    }

    /// The daemon's version.
    pub(super) fn version(&self) -> String {
        let mut client = self.client();
        process::output(client.args(["version", "--format", "{{.Server.Version}}"]))
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// What its shims have on their command line.
    pub(super) fn mark(&self) -> String {
        self.folder.display().to_string()
    }

    fn wait(&self) -> Result<()> {
        let start = Instant::now();
        while !process::succeeds(self.client().arg("info")) {
            if start.elapsed() > PATIENCE {
                bail!("dockerd does not answer; its log is {}", self.folder.join("log").display());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn load(&self, server: &Path) -> Result<()> {
        let mut load = self.client();
        process::output(load.args(["load", "--quiet", "--input"]).arg(test::everything_image()?))?;
        let archive = self.folder.join("static.tar");
        let mut tar = tar::Builder::new(fs::File::create(&archive)?);
        tar.append_path_with_name(server, "serve").context("cannot pack the server")?;
        tar.finish()?;
        let mut import = self.client();
        import.args(["import", "--change", "ENTRYPOINT [\"/serve\", \"__bench\", \"serve\"]"]).arg(&archive);
        process::output(import.arg("brig-bench/static")).map(drop)
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        process::succeeds(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        self.child.wait().ok();
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            screen::note(&format!("cannot remove {}: {error}", self.folder.display()));
        }
    }
}
