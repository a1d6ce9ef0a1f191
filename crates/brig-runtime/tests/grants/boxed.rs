//! A box played by a shell: the mounts that an engine makes of a grant, in namespaces of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use brig_engine::launch::{Bind, Treat, What};
use brig_runtime::grants::Granted;
use brig_runtime::grants::stage::Stage;

use crate::fixture::Fixture;

/// Runs commands where a live grant is mounted; the working folder is the mounted grant.
pub(crate) fn live(fixture: &Fixture, granted: &Granted, commands: &str) -> Output {
    run(fixture, &live_mounts(fixture, granted.bind()), commands)
}

/// The same for an order that a test has changed.
pub(crate) fn live_bind(fixture: &Fixture, bind: &Bind, commands: &str) -> Output {
    run(fixture, &live_mounts(fixture, bind), commands)
}

/// Runs commands where a staged grant is mounted.
pub(crate) fn staged(fixture: &Fixture, granted: &Granted, stage: &Stage, commands: &str) -> Output {
    let What::Overlay { lower, upper, work } = stage.what(granted) else {
        panic!("a stage is an overlay");
    };
    let mounts = format!(
        "mount -t overlay none -o userxattr,lowerdir={},upperdir={},workdir={} target\n{}",
        lower.source.display(),
        upper.display(),
        work.display(),
        inside(&lower)
    );
    run(fixture, &mounts, commands)
}

/// The same as [`live`], going on when the host wrote a line.
pub(crate) fn live_in_two_steps(fixture: &Fixture, granted: &Granted, host: impl FnOnce(), commands: &str) -> Output {
    use std::io::{BufRead as _, Write as _};
    prepare(fixture);
    let script = format!("{}\ncd target\necho up\nread go\n{commands}", live_mounts(fixture, granted.bind()));
    let mut child = unshare(fixture, &script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare");
    let mut out = std::io::BufReader::new(child.stdout.take().expect("stdout"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(line, "up\n", "{:?}", child.wait_with_output());
    host();
    child.stdin.take().expect("stdin").write_all(b"go\n").expect("go");
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut out, &mut rest).expect("output");
    let mut output = child.wait_with_output().expect("end");
    output.stdout = rest;
    output
}

fn live_mounts(fixture: &Fixture, bind: &Bind) -> String {
    let mut mounts = format!("mount --bind {} target\n", bind.source.display());
    if !bind.writable {
        mounts.push_str("mount -o remount,bind,ro target\n");
    }
    assert!(fixture.exists("brig"));
    mounts + &inside(bind)
}

/// What an engine does with the parts, in their order.
fn inside(bind: &Bind) -> String {
    let mut mounts = String::new();
    for part in &bind.inside {
        let path = Path::new("target").join(&part.path);
        let path = path.display();
        match part.treat {
            Treat::Mask => writeln!(
                mounts,
                "if [ -d '{path}' ]; then mount --bind mask/dir '{path}'; \
                 else mount --bind mask/file '{path}'; fi; mount -o remount,bind,ro '{path}'"
            ),
            Treat::ReadOnly => writeln!(mounts, "mount --bind '{path}' '{path}'; mount -o remount,bind,ro '{path}'"),
            Treat::Hold => writeln!(mounts, "mount --bind '{path}' '{path}'"),
        }
        .expect("text");
    }
    mounts
}

fn prepare(fixture: &Fixture) {
    fixture.dir("target");
    fixture.dir("mask/dir");
    fixture.file("mask/file", "");
}

fn run(fixture: &Fixture, mounts: &str, commands: &str) -> Output {
    prepare(fixture);
    let script = format!("{mounts}\ncd target\nset +e\n{commands}");
    let output = unshare(fixture, &script).output().expect("unshare");
    assert!(output.status.success(), "{script}\n{output:?}");
    output
}

fn unshare(fixture: &Fixture, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["-Urm", "--propagation", "private", "sh", "-euc", script]).current_dir(fixture.path(""));
    command
}
