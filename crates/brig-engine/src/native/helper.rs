//! The helper: a process of one thread that turns into the box.
//!
//! Read it from the top: each step is one line of [`run`]'s two halves, in the order in which the
//! kernel needs them. It never returns to brig's own code.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use rustix::process::{
    DumpableBehavior, Gid, Signal, Uid, geteuid, getgid, getgroups, set_dumpable_behavior,
    set_parent_process_death_signal,
};
use rustix::thread::{UnshareFlags, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::{init, root, sources};
use crate::handover::{Broken, FromBox, ORDER_LIMIT, Order, Step, ToBox, receive, send};
use crate::launch::{BOX_ID, Identity};
use crate::sys::{self, Fork, ParentIs};
use crate::walls::{Exception, groups, kernel_quotas, namespaces, network, no_root};

/// Waits for brig's order on standard input's descriptor and carries it out.
pub fn run() -> ExitCode {
    let Ok(control) = sys::inherited(0) else { return ExitCode::FAILURE };
    match become_box(&control) {
        Ok(code) => code,
        Err(broken) => {
            // If brig is gone too, nobody is left to tell.
            drop(send(&control, &FromBox::Failed(broken), &[]));
            ExitCode::FAILURE
        }
    }
}

fn become_box(control: &OwnedFd) -> Result<ExitCode, Broken> {
    // 0 is the socket, 1 and 2 are /dev/null; whatever else brig's caller left open ends here.
    sys::close_from(3).step(|| "close inherited descriptors".to_owned())?;
    follow_brig_into_death(control)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let order = receive_order(control)?;

    // As root, host files are opened while we may, then root is given up for good.
    let as_root = geteuid().is_root();
    let mut opened = None;
    if as_root {
        let mapping = owner_mapping(order.launch.identity)?;
        opened = Some(sources::open(&order.launch, Some(mapping.as_fd()))?);
        become_user(&order)?;
        follow_brig_into_death(control)?; // a change of user cleared it
    }

    // As anybody, the namespaces come first: only in them may mounts be cloned.
    let mut exceptions = Vec::new();
    exceptions.extend(enter_namespaces(&order)?);
    let opened = match opened {
        Some(opened) => opened,
        None => sources::open(&order.launch, None)?,
    };
    let root = root::build(&order, &opened)?;
    drop(opened);

    // Init is brig's child, so brig reaps it and its death kills it. It waits until its birth was
    // reported: both speak on one socket, and on a busy machine init would be the first.
    let (reported, reporting) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step(|| "start init".to_owned())?;
    match sys::fork(ParentIs::CallersParent).step(|| "start init".to_owned())? {
        Fork::Child => {
            drop(reporting);
            while rustix::io::read(&reported, &mut [0; 1]) == Err(rustix::io::Errno::INTR) {}
            drop(reported);
            Ok(init::run(control, &order, &root, exceptions))
        }
        Fork::Parent(init) => {
            send(control, &FromBox::Born(init.as_raw_pid()), &[])
                .map_err(|error| Broken { step: format!("report init: {error}"), errno: 0 })?;
            drop(reporting);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Dies with brig's thread from now on; ends at once if it is already gone.
pub(super) fn follow_brig_into_death(control: &OwnedFd) -> Result<(), Broken> {
    use rustix::event::{PollFd, PollFlags, poll};
    let step = || "follow brig's death".to_owned();
    set_parent_process_death_signal(Some(Signal::KILL)).step(step)?;
    let mut fds = [PollFd::new(control, PollFlags::empty())];
    poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).step(step)?;
    if fds[0].revents().contains(PollFlags::HUP) {
        return Err(Broken { step: "find brig alive".to_owned(), errno: libc::ESRCH });
    }
    Ok(())
}

fn receive_order(control: &OwnedFd) -> Result<Order, Broken> {
    let nonsense = |what: String| Broken { step: format!("read the order: {what}"), errno: 0 };
    let (message, mut fds) = receive::<ToBox>(control).map_err(|error| nonsense(error.to_string()))?;
    let (ToBox::Order, Some(file), true) = (message, fds.pop(), fds.is_empty()) else {
        return Err(nonsense("it was another message".to_owned()));
    };
    let mut bytes = Vec::new();
    let mut file = std::fs::File::from(file).take(ORDER_LIMIT);
    file.read_to_end(&mut bytes).step(|| "read the order".to_owned())?;
    serde_json::from_slice(&bytes).map_err(|error| nonsense(error.to_string()))
}

/// A user namespace in which root's files are the box's: it holds the mapping, nobody runs in it.
fn owner_mapping(identity: Identity) -> Result<OwnedFd, Broken> {
    let step = || "map root's files to the box's user".to_owned();
    let (hold, held) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step(step)?;
    let (ready, told) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).step(step)?;
    match sys::fork(ParentIs::Caller).step(step)? {
        Fork::Child => {
            drop((held, ready));
            let made = sys::unshare(UnshareFlags::NEWUSER);
            let byte: &[u8] = if made.is_ok() { b"+" } else { b"-" };
            let _ = rustix::io::write(&told, byte);
            let _ = rustix::io::read(&hold, &mut [0; 1]);
            sys::exit_now(0)
        }
        Fork::Parent(child) => {
            drop((hold, told));
            let mut answer = [0; 1];
            rustix::io::read(&ready, &mut answer).step(step)?;
            let folder = format!("/proc/{}", child.as_raw_pid());
            let namespace = (|| {
                std::fs::write(format!("{folder}/uid_map"), format!("0 {} 1", identity.uid))?;
                std::fs::write(format!("{folder}/gid_map"), format!("0 {} 1", identity.gid))?;
                std::fs::File::open(format!("{folder}/ns/user"))
            })();
            drop(held);
            rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).step(step)?;
            Ok(namespace.step(step)?.into())
        }
    }
}

/// Gives root up: no group but one, no user but the box's.
fn become_user(order: &Order) -> Result<(), Broken> {
    let Identity { uid, gid } = order.launch.identity;
    if uid == 0 || gid == 0 {
        return Err(Broken { step: "refuse to be root in the box".to_owned(), errno: libc::EPERM });
    }
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    if !order.leaves_out(&groups::WALL) {
        set_thread_groups(&[]).step(|| "drop groups".to_owned())?;
    }
    set_thread_res_gid(gid, gid, gid).step(|| format!("become group {gid}", gid = gid.as_raw()))?;
    set_thread_res_uid(uid, uid, uid).step(|| format!("become user {uid}", uid = uid.as_raw()))?;
    // A change of user makes a process undumpable, and its maps root's.
    set_dumpable_behavior(DumpableBehavior::Dumpable).step(|| "own the maps".to_owned())
}

/// Makes the namespaces, maps the one user, and sets what only their owner can.
fn enter_namespaces(order: &Order) -> Result<Option<Exception>, Broken> {
    let (uid, gid) = (geteuid().as_raw(), getgid().as_raw());
    let mut flags = namespaces::all();
    if order.leaves_out(&namespaces::WALL) {
        flags -= UnshareFlags::NEWIPC;
    }
    if order.leaves_out(&network::WALL) {
        flags -= UnshareFlags::NEWNET;
    }
    let others: Vec<u32> = getgroups()
        .step(|| "read the groups".to_owned())?
        .into_iter()
        .map(Gid::as_raw)
        .filter(|group| *group != gid)
        .collect();
    sys::unshare(flags).step(|| "make namespaces".to_owned())?;
    let inside = if order.leaves_out(&no_root::WALL) { 0 } else { BOX_ID };
    map_self("setgroups", "deny".to_owned())?;
    map_self("uid_map", format!("{inside} {uid} 1"))?;
    map_self("gid_map", format!("{inside} {gid} 1"))?;
    if !order.leaves_out(&kernel_quotas::WALL) {
        kernel_quotas::raise().step(|| "limit the kernel's quotas".to_owned())?;
    }
    if !order.leaves_out(&network::WALL) {
        network::raise().step(|| "bring loopback up".to_owned())?;
    }
    let name = order.launch.name.as_bytes();
    rustix::system::sethostname(&name[..name.len().min(64)]).step(|| "set the host name".to_owned())?;
    Ok(groups::standing(&others))
}

fn map_self(file: &str, line: String) -> Result<(), Broken> {
    std::fs::write(format!("/proc/self/{file}"), &line).step(|| format!("write {line:?} to {file}"))
}

/// Whether an error of a step means that namespaces are refused here, rather than one file.
pub(super) fn refuses_namespaces(broken: &Broken) -> bool {
    let early = ["make namespaces", "write ", "limit the kernel's", "bring loopback", "make the mounts", "mount "];
    matches!(broken.errno, libc::EPERM | libc::EACCES | libc::ENOSPC | libc::EINVAL | libc::ENOSYS | libc::EUSERS)
        && early.iter().any(|step| broken.step.starts_with(step))
}
