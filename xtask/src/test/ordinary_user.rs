//! The integration tests once more, as a user who is not root: the case that brig is made for.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::built::{self, TestProgram};
use super::leg::{self, Leg};
use crate::{process, screen, settings};

/// Its name; made where it is missing.
const USER: &str = "brigtest";

/// Shows the project at its own path to users who cannot reach it there (a checkout below a home
/// folder of mode 0700): in a mount namespace of its own, the closed folder is covered by an empty
/// one that holds nothing but the project and, where it exists, the folder `shared` beside it.
const REACH: &str = r#"
set -eu
root=$1 closed=$2 hold=$3; shift 3
mkdir -p "$hold/project" "$hold/shared"
mount --bind "$root" "$hold/project"
if [ -d "$root/../shared" ]; then mount --bind "$root/../shared" "$hold/shared"; fi
mount -t tmpfs -o mode=755 none "$closed"
mkdir -p "$root"
mount --bind "$hold/project" "$root"
if mountpoint -q "$hold/shared"; then mkdir "$root/../shared"; mount --bind "$hold/shared" "$root/../shared"; fi
exec "$@"
"#;

/// One leg for each integration test program.
pub(super) fn leg(root: &Path, long: bool, filter: Option<&str>) -> Result<Vec<Leg>> {
    make_user()?;
    let mut legs = Vec::new();
    for program in built::integration_tests(root)? {
        let mut command = as_user(root, &program.folder)?;
        command.arg(&program.file).args(filter);
        if long {
            command.arg("--include-ignored");
        }
        legs.push(leg::run(&title(&program), &mut command)?);
    }
    // What `REACH` mounted there is gone with its namespace; the empty folders are not.
    for name in ["project", "shared", ""] {
        fs::remove_dir(hold().join(name)).ok();
    }
    Ok(legs)
}

/// Where `REACH` keeps the project while the way to it is covered.
fn hold() -> PathBuf {
    PathBuf::from(format!("/tmp/brig-xtask-{}", std::process::id()))
}

fn title(program: &TestProgram) -> String {
    format!("{}/tests/{} as {USER}", program.owner(), program.name)
}

fn make_user() -> Result<()> {
    if process::succeeds(Command::new("id").arg(USER)) {
        return Ok(());
    }
    if !settings::on_ci()
        && !screen::ask(&format!("the user `{USER}` is needed to run the tests without root; make it?"))
    {
        bail!("without the user {USER} the tests cannot run as an ordinary user; run `useradd -m {USER}`");
    }
    process::run(Command::new("useradd").args(["--create-home", "--shell", "/bin/sh", USER]))
}

/// A command that runs what is appended to it as the user: no groups, no capabilities, an
/// environment of its own, in `folder`.
fn as_user(root: &Path, folder: &Path) -> Result<Command> {
    let mut command = match closed_ancestor(root)? {
        None => Command::new("setpriv"),
        Some(closed) => {
            let mut command = Command::new("unshare");
            command.args(["--mount", "--propagation", "private", "sh", "-c", REACH, "sh"]);
            command.args([root, &closed, &hold()]).arg("setpriv");
            command
        }
    };
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps=-all", "--reset-env"]);
    command.args([OsStr::new("env"), OsStr::new("--chdir"), folder.as_os_str()]);
    command.args(["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "RUST_BACKTRACE=1"]);
    if settings::on_ci() {
        command.arg("CI=true");
    }
    Ok(command)
}

/// The outermost folder on the way to `root` that others may not pass.
fn closed_ancestor(root: &Path) -> Result<Option<PathBuf>> {
    let mut folders: Vec<&Path> = root.ancestors().collect();
    folders.reverse();
    for folder in folders {
        let meta = fs::metadata(folder).with_context(|| format!("cannot look at {}", folder.display()))?;
        if meta.permissions().mode() & 0o001 == 0 {
            return if folder == root {
                bail!("{} is closed to other users; run `chmod o+rx {0}`", root.display())
            } else {
                Ok(Some(folder.to_owned()))
            };
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_folder_on_the_way_is_found() {
        let top = std::env::temp_dir().join(format!("brig-closed-{}", std::process::id()));
        let project = top.join("closed/project");
        fs::create_dir_all(&project).unwrap();
        fs::set_permissions(&top, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(top.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(closed_ancestor(&project).unwrap(), Some(top.join("closed")));
        fs::set_permissions(top.join("closed"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(closed_ancestor(&project).unwrap(), None);
        fs::remove_dir_all(&top).unwrap();
    }
}
