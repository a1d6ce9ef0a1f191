//! The programs that this machine really has.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use brig_engine::launch::Program;
use brig_runtime::programs::machine::{environment, machine};
use brig_runtime::programs::{Caller, Found, resolve};

use crate::bwrap;

/// Runs a program in a box that holds what was found for it, and returns what it says.
fn run(found: &Found, home: &Path, args: &[&str]) -> String {
    let machine = machine("brig-test").unwrap();
    let placed = found.place(home).unwrap();
    let skeleton = [machine.skeleton, placed.skeleton].concat();
    let mut mounts = [machine.mounts, placed.mounts].concat();
    mounts.sort_by_key(|mount| mount.target.components().count());
    let file = found.file.display().to_string();
    let program =
        Program { argv: Vec::new(), env: environment(found).into_iter().collect(), workdir: PathBuf::from("/"), file };
    let scratch = tempfile::tempdir().unwrap();
    let mut command = bwrap::command(&skeleton, &mounts, &program, scratch.path());
    let output = command.arg("--").arg(&program.file).args(args).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{:?}: {text}{}", found.file, String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn programs_of_path_start_with_nothing_but_what_was_found() {
    if !bwrap::is_here() {
        return;
    }
    let caller = bwrap::caller();
    for (name, args, expect) in [
        ("node", &["-p", "require('os').userInfo().username"][..], "box\n"),
        ("npm", &["--version"], "."),
        ("python3", &["-c", "import ssl, sqlite3, getpass; print(getpass.getuser())"], "box\n"),
        ("perl", &["-MPOSIX", "-e", "print getpwuid(65532) . qq(\\n)"], "box\n"),
        ("java", &["-XshowSettings:none", "--version"], "."),
        ("sh", &["-c", "echo $HOME $TMPDIR; touch $HOME/x $TMPDIR/x"], "/home/box /tmp\n"),
    ] {
        match resolve(name, &caller) {
            Ok(found) => {
                let said = run(&found, &caller.home, args);
                assert!(said.contains(expect), "{name}: {said}");
                println!("{name}: {} with {:?}", found.file.display(), found.pieces);
            }
            Err(error) => {
                let _ = std::io::Write::write_fmt(
                    &mut std::io::stderr(),
                    format_args!(
                        "SKIP version_manager: {error}
"
                    ),
                );
            }
        }
    }
}

/// Every interpreter that a version manager installed for this user.
#[test]
fn installations_of_version_managers_start() {
    if !bwrap::is_here() {
        return;
    }
    let caller = bwrap::caller();
    let mut seen = 0;
    for (folder, program, args) in [
        (".pyenv/versions", "bin/python3", &["-c", "import json, ctypes"][..]),
        (".local/share/uv/python", "bin/python3", &["-c", "import json, ctypes"]),
        (".nvm/versions/node", "bin/node", &["-p", "1"]),
        (".local/share/fnm/node-versions", "installation/bin/node", &["-p", "1"]),
        (".local/share/mise/installs/node", "bin/node", &["-p", "1"]),
        (".asdf/installs/nodejs", "bin/node", &["-p", "1"]),
    ] {
        for entry in std::fs::read_dir(caller.home.join(folder)).into_iter().flatten().flatten() {
            let file = entry.path().join(program);
            if file.is_file() {
                let found = resolve(file.to_str().unwrap(), &caller).unwrap();
                assert_eq!(found.pieces.len(), 1, "{:?}", found.pieces);
                run(&found, &caller.home, args);
                seen += 1;
            }
        }
    }
    if seen == 0 {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP real_program: no version manager has installed anything for this user\n"),
        );
    }
}

#[test]
fn a_virtual_environment_and_its_scripts_start() {
    if !bwrap::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let caller = bwrap::caller();
    let Ok(python) = resolve("python3", &caller) else {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP real_program: this machine has no python3\n"),
        );
        return;
    };
    let made = std::process::Command::new(&python.file)
        .args(["-m", "venv", "--without-pip"])
        .arg(root.join("project"))
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::write(root.join("project/secret"), "x").unwrap();
    let caller = Caller { home: root.clone(), cwd: root.join("project"), ..caller };
    let found = resolve("./bin/python", &caller).unwrap();
    let script = "import sys, os; print(sys.prefix, os.path.exists(os.path.join(sys.prefix, 'secret')))";
    assert_eq!(run(&found, &root, &["-c", script]), format!("{} False\n", root.join("project").display()));
}

#[test]
fn the_box_of_a_program_holds_nothing_else_of_the_host() {
    if !bwrap::is_here() {
        return;
    }
    let caller = bwrap::caller();
    let found = resolve("sh", &caller).unwrap();
    let home = caller.home.display().to_string();
    let listing =
        run(&found, &caller.home, &["-c", &format!("ls -a {home} /etc /var /run 2>&1; cat /etc/shadow 2>&1 || true")]);
    for secret in [".ssh", ".npmrc", "shadow\n", "docker.sock", "root:$", "machine-id"] {
        assert!(!listing.contains(secret), "{secret}: {listing}");
    }
    assert!(listing.contains("passwd"), "{listing}");
}
