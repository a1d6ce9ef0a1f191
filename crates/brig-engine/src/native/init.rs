//! Init: pid 1 of the box.
//!
//! It finishes the root, raises the walls that a process raises for itself, starts the program,
//! reaps, forwards signals, and ends with everything in the box when the program ends or brig does.
//! It runs as the box's own user behind all walls and is a convenience, never a boundary: brig
//! believes nothing that it says. It must not call anything that reads the image's NSS or locale
//! files (box rule 8): it uses system calls, JSON, and nothing else.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Dir, FileType, Mode, OFlags, openat};
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions, set_dumpable_behavior};

use super::{files, helper, mounts};
use crate::breach;
use crate::handover::{Broken, FromBox, Order, Step, ToBox, receive, send};
use crate::launch::{Transport, What};
use crate::sys::{self, CStrings, Fork, ParentIs};
use crate::walls::{
    Exception, capabilities, core_dumps, descriptors, environment, file_size, keyring, landlock, lifeline, memory,
    mounts as mounts_wall, no_new_privileges, open_files, proc, processes, read_only_root, system_calls, terminal,
    unix_sockets,
};

/// Where a program without a `/` is looked for when the order sets no PATH (execvp(3)).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs the box from inside until it ends.
pub(super) fn run(control: &OwnedFd, order: &Order, root: &OwnedFd, exceptions: Vec<Exception>) -> ExitCode {
    match prepare(control, order, root, exceptions).and_then(|pipes| serve(control, order, pipes)) {
        Ok(code) => code,
        Err(broken) => {
            drop(send(control, &FromBox::Failed(broken), &[]));
            ExitCode::FAILURE
        }
    }
}

/// Everything up to the moment at which the program may start. Returns its three pipe ends.
fn prepare(
    control: &OwnedFd,
    order: &Order,
    root: &OwnedFd,
    mut exceptions: Vec<Exception>,
) -> Result<[OwnedFd; 3], Broken> {
    if !order.leaves_out(&lifeline::WALL) {
        helper::follow_brig_into_death(control)?;
    }
    // The program is of the same user and must not look into init (box rule 9).
    set_dumpable_behavior(DumpableBehavior::NotDumpable).step(|| "hide init's memory".to_owned())?;
    enter_root(order, root)?;
    if !order.leaves_out(&terminal::WALL) {
        rustix::process::setsid().step(|| "leave the terminal".to_owned())?;
    }
    if !order.leaves_out(&keyring::WALL) {
        keyring::raise().step(|| "leave the session keyring".to_owned())?;
    }
    let doors = open_doors(order)?;
    exceptions.extend(limit(order)?);
    exceptions.extend(lock_down(order)?);
    if order.launch.full_proc {
        let how = "--proc full shows processor, memory and load of the machine";
        exceptions.push(Exception::weaker(&proc::WALL, how, Some("leave --proc full out")));
    }
    let borrowed: Vec<BorrowedFd<'_>> = doors.iter().map(AsFd::as_fd).collect();
    say(control, &FromBox::Ready(exceptions), &borrowed)?;
    drop(doors); // a kept copy would share its flags with brig's (box rule 3)
    match hear(control)? {
        Some((ToBox::Go, pipes)) => pipes.try_into().map_err(|_| nonsense("brig sent no three pipes")),
        Some(_) => Err(nonsense("brig sent something else than go")),
        None => Err(nonsense("brig is gone")),
    }
}

/// `/proc`, then the new root in place of the old one.
fn enter_root(order: &Order, root: &OwnedFd) -> Result<(), Broken> {
    let step = || "mount /proc".to_owned();
    let full = order.launch.full_proc || order.leaves_out(&proc::WALL);
    let place = files::below(root.as_fd(), Path::new("/proc")).step(step)?;
    let mounted = mounts::proc(full).step(step)?;
    mounts::attach(mounted.as_fd(), place.as_fd()).step(step)?;
    if full && !order.leaves_out(&proc::WALL) {
        cover_proc(root.as_fd(), mounted.as_fd())?;
    }
    if order.leaves_out(&mounts_wall::WALL) {
        let place = files::mount_point(root.as_fd(), Path::new("/breach"), true).step(step)?;
        let host = files::at_real_path(Path::new("/")).and_then(|host| mounts::clone(host.as_fd())).step(step)?;
        mounts::attach(host.as_fd(), place.as_fd()).step(step)?;
    }
    if order.launch.root == crate::launch::Root::Empty && !order.leaves_out(&read_only_root::WALL) {
        mounts::seal(root.as_fd()).step(|| "make the root read-only".to_owned())?;
    }
    if order.leaves_out(&descriptors::WALL) {
        let host = files::at_real_path(Path::new("/")).step(step)?;
        std::mem::forget(rustix::io::dup(host).step(step)?);
    }
    let step = || "enter the root".to_owned();
    rustix::process::fchdir(root).step(step)?;
    // Both arguments the same folder: the old root lies on top of the new one and is then let go,
    // with the scratch folder in it (pivot_root(2), "pivot_root(".", ".")").
    rustix::process::pivot_root(".", ".").step(step)?;
    rustix::mount::unmount(".", rustix::mount::UnmountFlags::DETACH).step(step)?;
    rustix::process::chdir("/").step(step)
}

/// Covers all that `--proc full` does not show: with the null device or an empty memory folder.
fn cover_proc(root: BorrowedFd<'_>, proc: BorrowedFd<'_>) -> Result<(), Broken> {
    let step = || "list /proc".to_owned();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(proc, ".", flags, Mode::empty()).step(step)?;
    for entry in Dir::new(folder).step(step)? {
        let entry = entry.step(step)?;
        let name = entry.file_name().to_string_lossy();
        let is_link = entry.file_type() == FileType::Symlink;
        if is_link || matches!(&*name, "." | "..") || proc::is_shown(&name) {
            continue;
        }
        let step = || format!("cover /proc/{name}");
        let place = files::below(proc, Path::new(&*name)).step(step)?;
        let cover = if files::is_folder(place.as_fd()).step(step)? {
            mounts::memory(4096, 0o000).step(step)?
        } else {
            let null = files::below(root, Path::new("/dev/null")).step(step)?;
            mounts::clone(null.as_fd()).step(step)?
        };
        mounts::attach(cover.as_fd(), place.as_fd()).step(step)?;
    }
    Ok(())
}

fn open_doors(order: &Order) -> Result<Vec<OwnedFd>, Broken> {
    let open = |door: &crate::launch::Door| {
        sys::bound_socket(door.address, door.transport == Transport::Tcp)
            .step(|| format!("listen on {} in the box", door.address))
    };
    order.launch.doors.iter().map(open).collect()
}

/// The limits that a process sets for itself and its children.
fn limit(order: &Order) -> Result<Vec<Exception>, Broken> {
    let limits = &order.launch.limits;
    let mut exceptions = Vec::new();
    let better = Some("run in a systemd user session, or as root");
    if !order.grouped.memory && !order.leaves_out(&memory::WALL) {
        memory::raise_per_process(limits).step(|| "limit memory".to_owned())?;
        exceptions.push(Exception::weaker(&memory::WALL, "no cgroup to be had: a limit on each process", better));
    }
    if !order.grouped.processes && !order.leaves_out(&processes::WALL) {
        processes::raise_by_user(limits).step(|| "limit processes".to_owned())?;
    }
    if !order.leaves_out(&open_files::WALL) {
        open_files::raise(limits, order.open_files).step(|| "limit open files".to_owned())?;
    }
    if !order.leaves_out(&file_size::WALL) {
        file_size::raise(limits).step(|| "limit the file size".to_owned())?;
    }
    if !order.leaves_out(&core_dumps::WALL) {
        core_dumps::raise().step(|| "forbid core dumps".to_owned())?;
    }
    Ok(exceptions)
}

/// The last walls, in the only order that works: each takes away what those before it needed.
fn lock_down(order: &Order) -> Result<Option<Exception>, Broken> {
    let mut exception = None;
    if !order.leaves_out(&capabilities::WALL) {
        capabilities::raise().step(|| "drop capabilities".to_owned())?;
    }
    if order.leaves_out(&no_new_privileges::WALL) {
        return Ok(exception); // without it the kernel takes neither Landlock nor seccomp
    }
    no_new_privileges::raise().step(|| "set no_new_privs".to_owned())?;
    if !order.leaves_out(&landlock::WALL) {
        exception = landlock::raise(&writable(order))
            .map_err(|error| Broken { step: format!("raise Landlock: {error:?}"), errno: 0 })?;
    }
    if !order.leaves_out(&system_calls::WALL) {
        let unix = order.launch.unix_sockets || order.leaves_out(&unix_sockets::WALL);
        system_calls::raise(unix).step(|| "install the system call list".to_owned())?;
    }
    Ok(exception)
}

/// Where the box may write: its memory folders and what was granted so.
fn writable(order: &Order) -> Vec<PathBuf> {
    let granted = order.launch.mounts.iter().filter(|mount| match &mount.what {
        What::Bind(bind) => bind.writable,
        What::Tmpfs { .. } | What::Overlay { .. } => true,
    });
    let mut paths: Vec<PathBuf> = granted.map(|mount| mount.target.clone()).collect();
    paths.extend(["/tmp".into(), "/dev/shm".into()]);
    if order.leaves_out(&read_only_root::WALL) {
        paths.push("/".into());
    }
    paths
}

/// Starts the program and stays until it ends.
fn serve(control: &OwnedFd, order: &Order, pipes: [OwnedFd; 3]) -> Result<ExitCode, Broken> {
    let signals = sys::signals_as_fd(&[libc::SIGCHLD]).step(|| "wait for children".to_owned())?;
    let program = match start_program(order, pipes)? {
        Ok(program) => program,
        Err(broken) => {
            say(control, &FromBox::NotStarted(broken), &[])?;
            return Ok(ExitCode::FAILURE);
        }
    };
    say(control, &FromBox::Started, &[])?;
    loop {
        let mut fds = [PollFd::new(control, PollFlags::IN), PollFd::new(&signals, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Broken::new("wait", &error.into())),
        }
        let (asked, died) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
        if died && let Some(end) = reap(&signals, program) {
            say(control, &end, &[])?;
            return Ok(ExitCode::SUCCESS); // the kernel kills whatever the program left behind
        }
        if asked && !obey(control, order, program)? {
            sys::kill_all_others();
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Does what brig asks; false when everything is to end.
fn obey(control: &OwnedFd, order: &Order, program: Pid) -> Result<bool, Broken> {
    match hear(control)? {
        Some((ToBox::Signal(number), _)) => {
            if let Some(signal) = Signal::from_named_raw(number) {
                // It may have ended in this very moment.
                let _ = rustix::process::kill_process(program, signal);
            }
            Ok(true)
        }
        Some((ToBox::Kill, _)) => Ok(false),
        Some((ToBox::Order | ToBox::Go, _)) => Err(nonsense("brig repeats itself")),
        // End of file: brig is gone.
        None if order.leaves_out(&lifeline::WALL) => {
            std::thread::sleep(std::time::Duration::from_secs(3));
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Collects every ended child; tells how the program ended, once it has.
fn reap(signals: &OwnedFd, program: Pid) -> Option<FromBox> {
    let mut end = None;
    // Emptied first: a child that ends after the last wait raises it again.
    while rustix::io::read(signals, &mut [0; 128]).is_ok_and(|count| count > 0) {}
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == program {
            let killed = status.terminating_signal().map(FromBox::Killed);
            end = killed.or_else(|| status.exit_status().map(FromBox::Exited));
        }
    }
    end
}

/// Forks and becomes the program in the child. The inner error is the program's: not found, not
/// runnable, no such folder.
fn start_program(order: &Order, pipes: [OwnedFd; 3]) -> Result<Result<Pid, Broken>, Broken> {
    let step = || "start the program".to_owned();
    let (failure, failed) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step(step)?;
    match sys::fork(ParentIs::Caller).step(step)? {
        Fork::Child => {
            drop(failure);
            let broken = become_program(order, &pipes);
            drop(serde_json::to_vec(&broken).map(|bytes| rustix::io::write(&failed, &bytes).ok()));
            sys::exit_now(127)
        }
        Fork::Parent(program) => {
            drop((failed, pipes));
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::fs::File::from(failure), &mut bytes).step(step)?;
            match serde_json::from_slice(&bytes) {
                Ok(broken) => Ok(Err(broken)),
                Err(_) => Ok(Ok(program)), // nothing was written: execve closed the pipe
            }
        }
    }
}

/// The child's side: three descriptors, default signals, the folder, the program. Returns on failure.
fn become_program(order: &Order, pipes: &[OwnedFd; 3]) -> Broken {
    let program = &order.launch.program;
    let prepared = (|| {
        let step = || "connect the pipes".to_owned();
        rustix::stdio::dup2_stdin(&pipes[0]).step(step)?;
        rustix::stdio::dup2_stdout(&pipes[1]).step(step)?;
        rustix::stdio::dup2_stderr(&pipes[2]).step(step)?;
        // Everything of init's own is close-on-exec; this is for what nobody thought of.
        if !order.leaves_out(&descriptors::WALL) {
            sys::close_on_exec_from(3).step(|| "close descriptors".to_owned())?;
        }
        sys::default_signals();
        let folder = program.workdir.as_path();
        rustix::process::chdir(folder).step(|| format!("enter the working folder {}", folder.display()))?;
        let argv = CStrings::new(program.argv.iter().map(String::as_str)).step(|| "read the arguments".to_owned())?;
        let mut variables: Vec<String> = program.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if order.leaves_out(&environment::WALL) {
            variables.extend(breach::variables());
        }
        let env = CStrings::new(variables.iter().map(String::as_str)).step(|| "read the environment".to_owned())?;
        Ok((argv, env))
    })();
    match prepared {
        Ok((argv, env)) => execute(order, &argv, &env),
        Err(broken) => broken,
    }
}

/// execvp(3) with the order's PATH, and without its habit of running unknown files with a shell.
fn execute(order: &Order, argv: &CStrings, env: &CStrings) -> Broken {
    let program = &order.launch.program;
    let path = program.env.iter().find(|(name, _)| name == "PATH").map_or(DEFAULT_PATH, |(_, value)| value);
    let candidates: Vec<String> = if program.file.contains('/') {
        vec![program.file.clone()]
    } else {
        path.split(':').map(|folder| format!("{folder}/{}", program.file)).collect()
    };
    let mut reason = std::io::Error::from_raw_os_error(libc::ENOENT);
    for candidate in candidates {
        let Ok(candidate) = std::ffi::CString::new(candidate) else { continue };
        let error = sys::execve(&candidate, argv, env);
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => {}
            Some(libc::EACCES) => reason = error,
            _ => return Broken::new(format!("run {}", program.file), &error),
        }
    }
    Broken::new(format!("run {}", program.file), &reason)
}

fn say(control: &OwnedFd, message: &FromBox, fds: &[BorrowedFd<'_>]) -> Result<(), Broken> {
    send(control, message, fds).map_err(|error| nonsense(&format!("tell brig: {error}")))
}

/// The next message, or nothing once brig is gone.
fn hear(control: &OwnedFd) -> Result<Option<(ToBox, Vec<OwnedFd>)>, Broken> {
    use crate::handover::HandoverError::{Closed, Socket};
    match receive(control) {
        Ok(message) => Ok(Some(message)),
        Err(Closed | Socket(_)) => Ok(None),
        Err(error) => Err(nonsense(&error.to_string())),
    }
}

fn nonsense(what: &str) -> Broken {
    Broken { step: what.to_owned(), errno: 0 }
}
