//! brig's side: spawn the helper, hand it the order, check what comes back, and hold the box.

use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Resource, Signal, WaitId, WaitIdOptions, getrlimit, pidfd_open, pidfd_send_signal, waitid,
};

use super::{HELPER_ARG, doors, helper};
use crate::breach;
use crate::cgroup::Group;
use crate::handover::{Broken, FromBox, HandoverError, Order, ToBox, receive, send};
use crate::launch::Launch;
use crate::refusal::{Cause, causes};
use crate::walls::{self, Standing, standings};

/// How long a box may take to be ready: a hundred times what a slow laptop needs.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// A helper that waits for its order. Spawned early, it costs the start nothing.
#[derive(Debug)]
pub struct Helper {
    process: Process,
    control: OwnedFd,
}

/// The helper's process, ended and reaped when dropped.
#[derive(Debug)]
struct Process(Child);

/// A box whose walls stand and whose program has not started.
#[derive(Debug)]
pub struct Ready {
    running: Running,
    program_ends: [OwnedFd; 3],
    pipes: Pipes,
}

/// brig's ends of the program's three pipes.
#[derive(Debug)]
pub struct Pipes {
    /// Written by brig.
    pub stdin: OwnedFd,
    /// Read by brig.
    pub stdout: OwnedFd,
    /// Read by brig.
    pub stderr: OwnedFd,
}

/// A box. Dropping it ends everything in it.
#[derive(Debug)]
pub struct Running {
    control: OwnedFd,
    init: OwnedFd,
    ended: bool,
    walls: Vec<Standing>,
    doors: Vec<OwnedFd>,
    // Dropped last: a group can be removed when it is empty.
    group: Group,
}

/// What a box tells, or what became of it. Never believed for more than a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoxEvent {
    /// The program runs.
    Started,
    /// The program could not be started, with the error number.
    NotStarted {
        /// What was tried.
        step: String,
        /// Why it failed, as errno(3) has it.
        errno: i32,
    },
    /// The program exited by itself.
    Exited(i32),
    /// A signal ended the program.
    Killed(i32),
    /// Init ended without a word.
    Gone,
}

/// Why a box could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// brig's own binary could not be run again.
    #[error("cannot start the helper process")]
    Spawn(#[source] io::Error),
    /// A pipe, a socket or a file in memory could not be made.
    #[error("cannot prepare the hand-over to the box")]
    Prepare(#[source] io::Error),
    /// The helper could not be put under its limits.
    #[error("cannot put the box under its limits")]
    Limit(#[source] io::Error),
    /// This machine does not let brig make a box.
    #[error("this machine refuses to make a box: {step} failed ({error})")]
    Refused {
        /// What was being done.
        step: String,
        /// The kernel's reason.
        error: io::Error,
        /// What refuses it, and what to do.
        causes: Vec<Cause>,
    },
    /// A wall or a mount failed.
    #[error("cannot {step}{}", because(*errno))]
    Step {
        /// What was being done.
        step: String,
        /// The kernel's reason, or 0.
        errno: i32,
    },
    /// The box broke the hand-over's rules, or ended in the middle.
    #[error("the box was not ready: {0}")]
    Handover(String),
    /// It took too long.
    #[error("the box was not ready after {} seconds", START_PATIENCE.as_secs())]
    TooSlow,
    /// A door is not what was ordered.
    #[error("the box handed out something else than the door {0}")]
    WrongDoor(std::net::SocketAddr),
}

impl StartError {
    /// What to do about it, when there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { causes, .. } => {
                let lines: Vec<String> = causes.iter().map(|cause| format!("{}; {}", cause.what, cause.fix)).collect();
                Some(lines.join("\n"))
            }
            Self::TooSlow => Some("is the machine out of memory or processes? `brig doctor` tells".to_owned()),
            Self::Spawn(_) | Self::Prepare(_) | Self::Limit(_) | Self::Step { .. } => {
                Some("`brig doctor` shows what this machine can do".to_owned())
            }
            Self::Handover(_) | Self::WrongDoor(_) => None,
        }
    }
}

fn because(errno: i32) -> String {
    if errno == 0 { String::new() } else { format!(": {}", io::Error::from_raw_os_error(errno)) }
}

impl Helper {
    /// Spawns the helper. Call it from a thread that lives as long as the box: the kernel kills the
    /// box when that thread ends (prctl(2), PR_SET_PDEATHSIG).
    ///
    /// # Errors
    /// When brig's binary cannot be run again.
    pub fn spawn() -> Result<Self, StartError> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| StartError::Prepare(error.into()))?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("brig").arg(HELPER_ARG);
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        if !breach::is_breached(&walls::environment::WALL) {
            command.env_clear();
        }
        let child = command.spawn().map_err(StartError::Spawn)?;
        Ok(Self { process: Process(child), control: ours })
    }

    /// Hands the order over and waits until the walls stand. The group comes from the caller, who
    /// writes down what would be left behind before anything is in it.
    ///
    /// # Errors
    /// When this machine refuses, a step fails, or the box does not follow the hand-over.
    pub fn start(self, launch: &Launch, group: Group) -> Result<Ready, StartError> {
        let helper = Pid::from_child(&self.process.0);
        group.add(helper).map_err(StartError::Limit)?;
        let order = Order {
            launch: launch.clone(),
            open_files: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            grouped: group.grouped(),
            #[cfg(feature = "breach")]
            breach: breach::walls(),
        };
        let file = order_file(&order).map_err(StartError::Prepare)?;
        send(&self.control, &ToBox::Order, &[file.as_fd()]).map_err(|_| self.why_gone())?;

        let deadline = Instant::now() + START_PATIENCE;
        let (init, early) = self.born(deadline)?;
        drop(self.process);
        // From here on a failure drops the box, and with it everything in it.
        let mut running =
            Running { control: self.control, init, ended: false, walls: Vec::new(), doors: Vec::new(), group };
        let (message, doors) = match early {
            Some(early) => early,
            None => next(&running.control, deadline)?,
        };
        let mut exceptions = match message {
            FromBox::Ready(exceptions) => exceptions,
            FromBox::Failed(broken) => return Err(failure(broken)),
            _ => return Err(StartError::Handover("init spoke out of turn".to_owned())),
        };
        running.doors = doors::check(&launch.doors, doors)?;
        exceptions.extend(running.group.exception(&launch.limits));
        running.walls = standings(&exceptions);
        let (program_ends, pipes) = program_pipes().map_err(|error| StartError::Prepare(error.into()))?;
        Ok(Ready { running, program_ends, pipes })
    }

    /// Waits for init's birth, which the helper tells. Init itself tells that it is ready, and the two
    /// are processes of their own: what is heard first is kept.
    fn born(&self, deadline: Instant) -> Result<(OwnedFd, Option<Heard>), StartError> {
        let mut early = None;
        loop {
            match next(&self.control, deadline)? {
                (FromBox::Born(init), _) => return Ok((adopt(init)?, early)),
                (FromBox::Failed(broken), _) => return Err(failure(broken)),
                heard @ (FromBox::Ready(_), _) if early.is_none() => early = Some(heard),
                _ => return Err(StartError::Handover("init was not born".to_owned())),
            }
        }
    }

    fn why_gone(&self) -> StartError {
        match receive::<FromBox>(&self.control) {
            Ok((FromBox::Failed(broken), _)) => failure(broken),
            _ => StartError::Handover("the helper ended".to_owned()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After a successful start it has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Ready {
    /// How each wall stands.
    #[must_use]
    pub fn walls(&self) -> &[Standing] {
        &self.running.walls
    }

    /// Lets the program start. Returns the box and brig's ends of its pipes.
    ///
    /// # Errors
    /// When the box has ended meanwhile.
    pub fn go(self) -> Result<(Running, Pipes), StartError> {
        let ends: Vec<BorrowedFd<'_>> = self.program_ends.iter().map(AsFd::as_fd).collect();
        send(&self.running.control, &ToBox::Go, &ends).map_err(|error| StartError::Handover(error.to_string()))?;
        Ok((self.running, self.pipes))
    }
}

impl Running {
    /// How each wall stands.
    #[must_use]
    pub fn walls(&self) -> &[Standing] {
        &self.walls
    }

    /// The doors, in the order in which they were ordered; the caller owns them from now on.
    pub fn take_doors(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.doors)
    }

    /// The box's control group, for the record of whoever cleans up.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Another descriptor of init, for a thread that may have to end the box.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn killer(&self) -> io::Result<OwnedFd> {
        self.init.try_clone()
    }

    /// What to poll: readable when [`Self::event`] has something to say.
    #[must_use]
    pub fn sources(&self) -> [BorrowedFd<'_>; 2] {
        [self.control.as_fd(), self.init.as_fd()]
    }

    /// The next event. Blocks until there is one, so poll [`Self::sources`] first. A box that talks
    /// nonsense is ended.
    pub fn event(&mut self) -> BoxEvent {
        match receive::<FromBox>(&self.control) {
            Ok((FromBox::Started, _)) => BoxEvent::Started,
            Ok((FromBox::NotStarted(Broken { step, errno }), _)) => BoxEvent::NotStarted { step, errno },
            Ok((FromBox::Exited(code), _)) => BoxEvent::Exited(code & 0xff),
            Ok((FromBox::Killed(signal), _)) => BoxEvent::Killed(signal & 0x7f),
            _ => {
                self.kill();
                BoxEvent::Gone
            }
        }
    }

    /// Sends the program a signal.
    pub fn signal(&self, number: i32) {
        // A box that cannot be told has ended, which its init's descriptor tells.
        drop(send(&self.control, &ToBox::Signal(number), &[]));
    }

    /// Ends everything in the box at once and waits for it.
    pub fn kill(&mut self) {
        if !self.ended {
            let _ = pidfd_send_signal(&self.init, Signal::KILL);
            let _ = waitid(WaitId::PidFd(self.init.as_fd()), WaitIdOptions::EXITED);
            self.ended = true;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn order_file(order: &Order) -> io::Result<OwnedFd> {
    let bytes = serde_json::to_vec(order)?;
    let mut file = std::fs::File::from(rustix::fs::memfd_create("brig-order", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(&bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// A message and the descriptors that came with it.
type Heard = (FromBox, Vec<OwnedFd>);

/// A descriptor of init, which must be our own child.
fn adopt(number: i32) -> Result<OwnedFd, StartError> {
    let not_ours = || StartError::Handover("init is not ours".to_owned());
    let pid = Pid::from_raw(number).ok_or_else(not_ours)?;
    let init = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| not_ours())?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::PidFd(init.as_fd()), options).map_err(|_| not_ours())?;
    Ok(init)
}

fn next(control: &OwnedFd, deadline: Instant) -> Result<Heard, StartError> {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    let mut fds = [PollFd::new(control, PollFlags::IN)];
    let ready = loop {
        match poll(&mut fds, Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            done => break done.map_err(|error| StartError::Prepare(error.into()))?,
        }
    };
    if ready == 0 {
        return Err(StartError::TooSlow);
    }
    receive(control).map_err(|error| match error {
        HandoverError::Closed => StartError::Handover("it ended without a word".to_owned()),
        error => StartError::Handover(error.to_string()),
    })
}

fn failure(broken: Broken) -> StartError {
    if helper::refuses_namespaces(&broken) {
        let causes = causes();
        if !causes.is_empty() {
            let error = io::Error::from_raw_os_error(broken.errno);
            return StartError::Refused { step: broken.step, error, causes };
        }
    }
    StartError::Step { step: broken.step, errno: broken.errno }
}

/// Three pipes. Their modes let the box's user open them again by `/dev/stdin` and the like.
fn program_pipes() -> rustix::io::Result<([OwnedFd; 3], Pipes)> {
    let pipe = || {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        rustix::fs::fchmod(&read, rustix::fs::Mode::from_raw_mode(0o666))?;
        Ok::<_, rustix::io::Errno>((read, write))
    };
    let (stdin, to_stdin) = pipe()?;
    let (from_stdout, stdout) = pipe()?;
    let (from_stderr, stderr) = pipe()?;
    Ok(([stdin, stdout, stderr], Pipes { stdin: to_stdin, stdout: from_stdout, stderr: from_stderr }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Process {
        Process(Command::new("sleep").arg("60").spawn().unwrap())
    }

    #[test]
    fn a_box_that_is_ready_before_its_birth_is_told_is_born_all_the_same() {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        let (control, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let (helper, init) = (Helper { process: sleeper(), control }, sleeper());
        let ready = FromBox::Ready(Vec::new());
        send(&theirs, &ready, &[]).unwrap();
        send(&theirs, &FromBox::Born(init.0.id().cast_signed()), &[]).unwrap();
        let (_, early) = helper.born(Instant::now() + START_PATIENCE).unwrap();
        assert_eq!(early.map(|(message, _)| message), Some(ready.clone()));

        send(&theirs, &ready, &[]).unwrap();
        send(&theirs, &ready, &[]).unwrap();
        assert!(matches!(helper.born(Instant::now() + START_PATIENCE), Err(StartError::Handover(_))), "said twice");
    }
}
