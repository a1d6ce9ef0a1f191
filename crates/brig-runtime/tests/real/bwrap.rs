//! A stand-in for the engine: turns skeleton, mounts and program into a `bwrap` command line.

use std::fs;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use brig_egress::door;
use brig_engine::launch::{Entry, Mount, Program, What};
use brig_runtime::packages::{Ended, Job};
use brig_runtime::programs::Caller;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};

/// Where this test's own program lies in a box, to make the door's listener there.
const HELPER: &str = "/opt/brig/helper";

/// What the tests' caller has: this process's own environment.
#[allow(clippy::disallowed_methods, reason = "a test's settings are its environment")]
pub(crate) fn caller() -> Caller {
    let env: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    Caller {
        path: env.get("PATH").cloned().unwrap_or_default(),
        home: std::env::home_dir().unwrap(),
        cwd: std::env::current_dir().unwrap(),
        env,
    }
}

pub(crate) fn is_here() -> bool {
    let here = Command::new("bwrap").arg("--version").output().is_ok_and(|output| output.status.success());
    if !here {
        let _ =
            Write::write_fmt(&mut std::io::stderr(), format_args!("SKIP real_program: this machine has no bwrap\n"));
    }
    here
}

/// A box without any network but its own loopback.
pub(crate) fn command(skeleton: &[Entry], mounts: &[Mount], program: &Program, scratch: &Path) -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]);
    command.args(["--uid", "65532", "--gid", "65532", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
    for (index, entry) in skeleton.iter().enumerate() {
        match entry {
            Entry::Dir { path } => command.arg("--dir").arg(path),
            Entry::Link { path, to } => command.arg("--symlink").arg(to).arg(path),
            Entry::File { path, text } => {
                let file = scratch.join(index.to_string());
                fs::write(&file, text).unwrap();
                command.arg("--ro-bind").arg(file).arg(path)
            }
        };
    }
    for mount in mounts {
        match &mount.what {
            What::Tmpfs { .. } => command.arg("--tmpfs").arg(&mount.target),
            What::Bind(bind) => {
                let how = if bind.writable { "--bind" } else { "--ro-bind" };
                command.arg(how).arg(&bind.source).arg(&mount.target);
                for inside in &bind.inside {
                    command.arg("--ro-bind").arg("/dev/null").arg(mount.target.join(&inside.path));
                }
                &mut command
            }
            What::Overlay { .. } => panic!("host programs have no overlays"),
        };
    }
    for (name, value) in &program.env {
        command.args(["--setenv", name, value]);
    }
    command.arg("--chdir").arg(&program.workdir);
    command
}

/// Runs one job of a package manager: the door's listener is made in the box and passed out.
pub(crate) fn start(job: &Job) -> Result<Ended, std::io::Error> {
    let scratch = tempfile::tempdir()?;
    let mut command = command(&job.skeleton, &job.mounts, &job.program, scratch.path());
    let (ours, theirs) = UnixStream::pair()?;
    let output = fs::File::create(scratch.path().join("output"))?;
    command.arg("--ro-bind").arg(std::env::current_exe()?).arg(HELPER);
    command.args(["--", HELPER, "--ignored", "--exact", "--nocapture", "bwrap::inside"]);
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(output.try_clone()?).stderr(output);
    let mut child = command.spawn()?;
    drop(command);
    let order = serde_json::to_vec(&job.program)?;
    (&ours).write_all(&u32::try_from(order.len()).unwrap().to_le_bytes())?;
    (&ours).write_all(&order)?;
    let listener = receive(&ours)?;
    let door = door::open(TcpListener::from(listener), job.rules.clone())?;
    let status = child.wait()?;
    let record = door.close();
    let output = String::from_utf8_lossy(&fs::read(scratch.path().join("output"))?).into_owned();
    Ok(Ended { status: status.code().unwrap_or(128), output, record })
}

fn receive(socket: &UnixStream) -> Result<OwnedFd, std::io::Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
            return descriptors.next().ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Err(std::io::Error::other("the box sent no listener"))
}

/// In the box: makes the listener, passes it out, and becomes the program.
#[test]
#[ignore = "runs inside a box only, started by `start`"]
fn inside() {
    let stdin = std::io::stdin();
    let mut length = [0; 4];
    stdin.lock().read_exact(&mut length).unwrap();
    let mut order = vec![0; u32::from_le_bytes(length) as usize];
    stdin.lock().read_exact(&mut order).unwrap();
    let program: Program = serde_json::from_slice(&order).unwrap();
    let listener = TcpListener::bind(brig_runtime::packages::DOOR).unwrap();
    let rights = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&rights)));
    rustix::net::sendmsg(stdin.as_fd(), &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
    drop(listener);
    let error = Command::new(&program.file).arg0(&program.argv[0]).args(&program.argv[1..]).stdin(Stdio::null()).exec();
    panic!("cannot execute {}: {error}", program.file);
}
