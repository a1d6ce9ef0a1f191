//! The disk of a virtual machine: Debian, the brig binary, the tests and the script that runs them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cases::Case;
use crate::test::built::TestProgram;
use crate::{cache, process};

/// What the machines have besides Debian's essential packages.
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,procps,python3-minimal,git,ca-certificates,iproute2";

/// Runs the tests as root and as a user; every line that matters goes to the console. `@…@` is
/// filled in. The exit status of each program stands in a line of its own.
const SCRIPT: &str = r#"#!/bin/sh
exec </dev/null >/dev/ttyS0 2>&1
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root CI=true
stty -F /dev/ttyS0 -opost 2>/dev/null
if [ ! -d /proc/1 ]; then
    mount -t proc none /proc
    mount -t sysfs none /sys
    mount -t tmpfs none /tmp
    mount -t tmpfs none /run
    mkdir -p /dev/pts /dev/shm
    mount -t devpts none /dev/pts
    mount -t tmpfs none /dev/shm
fi
echo "VM up $(cut -d' ' -f1 /proc/uptime), Linux $(uname -r)"
ip link set lo up
mkdir -p @root@
mount --bind /vm/project @root@
@before@
run() {
    who=$1; shift
    echo "VM run $who $*"
    if [ "$who" = root ]; then (cd "$WHERE" && "$@"); status=$?
    elif [ "@systemd@" = true ]; then
        systemd-run --quiet --machine=brigtest@.host --user --wait --pipe --property=Delegate=yes --working-directory="$WHERE" "$@"; status=$?
    else
        setpriv --reuid brigtest --regid brigtest --clear-groups --inh-caps=-all --reset-env env --chdir "$WHERE" CI=true "$@"; status=$?
    fi
    echo "VM status $status"
}
@runs@
echo "VM done $(cut -d' ' -f1 /proc/uptime)"
sync
echo u > /proc/sysrq-trigger
echo o > /proc/sysrq-trigger
sleep 60
"#;

/// Starts the script once systemd is up.
const UNIT: &str = "[Unit]
Description=the tests of brig
After=multi-user.target systemd-user-sessions.service dbus.service
[Service]
Type=simple
ExecStart=/vm/init
[Install]
WantedBy=multi-user.target
";

/// Makes the disk of a case; it is made anew each time, since the tests change with every build.
pub(super) fn prepare(root: &Path, case: &Case, programs: &[TestProgram]) -> Result<PathBuf> {
    let debian = debian()?;
    let cache = cache::folder()?;
    let tree = cache.join("vm-tree");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    process::run(process::command("cp", &cache).args(["-a", "--reflink=auto"]).arg(debian.join("root")).arg(&tree))?;
    fs::create_dir_all(tree.join("vm/project"))?;
    fs::write(tree.join("vm/first"), if case.systemd { "/sbin/init\n" } else { "/vm/init\n" })?;
    let chosen = programs.iter().filter(|it| case.runs(&it.owner(), &it.name));
    let runs = copy_programs(root, &tree, chosen)?;
    write_program(&tree.join("vm/init"), &script(root, case, &runs))?;
    let disk = cache.join("vm-disk.ext4");
    let mut make = process::command("mke2fs", &cache);
    make.args(["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d"]).arg(&tree).arg(&disk).arg("3G");
    process::run(&mut make)?;
    fs::remove_dir_all(&tree).context("cannot remove the tree of the disk")?;
    Ok(disk)
}

fn script(root: &Path, case: &Case, runs: &str) -> String {
    let root = root.display().to_string();
    let systemd = if case.systemd { "true" } else { "false" };
    SCRIPT
        .replace("@before@", case.before)
        .replace("@systemd@", systemd)
        .replace("@runs@", runs)
        .replace("@root@", &root)
}

/// Copies what the tests need, and returns the lines of the script that run them. The script shows the
/// project at the path that the tests were compiled with, once that machine's `/tmp` is there.
fn copy_programs<'a>(root: &Path, tree: &Path, programs: impl Iterator<Item = &'a TestProgram>) -> Result<String> {
    let mut runs = String::new();
    let mut folders = Vec::new();
    for program in programs {
        copy(root, tree, &program.file)?;
        if let Some(beside) = program.file.parent().and_then(Path::parent) {
            let brig = beside.join("brig");
            if brig.is_file() && !folders.contains(&brig) {
                copy(root, tree, &brig)?;
                folders.push(brig);
            }
        }
        // Fixtures lie beside the tests.
        fs::create_dir_all(inside(root, tree, &program.folder))?;
        let tests = program.folder.join("tests");
        if tests.is_dir() && !folders.contains(&tests) {
            let into = inside(root, tree, &program.folder);
            process::run(process::command("cp", root).arg("-a").arg(&tests).arg(into))?;
            folders.push(tests);
        }
        for who in ["root", "brigtest"] {
            runs.push_str(&format!("WHERE={} run {who} {}\n", program.folder.display(), program.file.display()));
        }
    }
    if runs.is_empty() {
        runs.push_str("echo 'SKIP vm: no integration test has a name that this case runs'\n");
    }
    Ok(runs)
}

fn copy(root: &Path, tree: &Path, file: &Path) -> Result<()> {
    let place = inside(root, tree, file);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(file, &place).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

/// A path of this machine as it lies in the tree of another: what belongs to the project apart.
fn inside(root: &Path, tree: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(root) {
        Ok(below) => tree.join("vm/project").join(below),
        Err(_) => tree.join(path.strip_prefix("/").unwrap_or(path)),
    }
}

fn write_program(place: &Path, text: &str) -> Result<()> {
    fs::write(place, text)?;
    fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The folder with Debian in it, made once.
fn debian() -> Result<PathBuf> {
    cache::part("vm-debian", &format!("{PACKAGES}\n{UNIT}\n3"), |folder| {
        let tree = folder.join("root");
        let mut make = process::command("mmdebstrap", folder);
        make.args(["--quiet", "--variant=essential", "--skip=output/dev", "--include", PACKAGES]);
        make.args(["--customize-hook=chroot \"$1\" useradd -m -s /bin/sh brigtest"]);
        make.args([
            "--customize-hook=mkdir -p \"$1/var/lib/systemd/linger\" && touch \"$1/var/lib/systemd/linger/brigtest\"",
        ]);
        make.args(["--customize-hook=rm -rf \"$1/usr/share/doc\" \"$1/usr/share/locale\" \"$1/var/cache/apt\" \"$1/var/lib/apt/lists\""]);
        make.arg("bookworm").arg(&tree);
        process::run(&mut make)?;
        let units = tree.join("etc/systemd/system");
        fs::write(units.join("brig-tests.service"), UNIT)?;
        fs::create_dir_all(units.join("multi-user.target.wants"))?;
        let wanted = units.join("multi-user.target.wants/brig-tests.service");
        std::os::unix::fs::symlink("../brig-tests.service", wanted).context("cannot enable the unit")?;
        // A login prompt on the console would mix with what the tests print.
        std::os::unix::fs::symlink("/dev/null", units.join("serial-getty@.service")).context("cannot mask the prompt")
    })
}
