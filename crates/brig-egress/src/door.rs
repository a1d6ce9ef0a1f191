//! The narrow door: an HTTP proxy for an exact list of places.
//!
//! It serves a listening socket that was made in the box, one thread a connection. It reads one request
//! head, decides, dials and carries bytes; it never reads a second request, keeps nothing between
//! connections, and prints nothing: what happened is returned when the door is closed.

mod connection;

use std::collections::BTreeMap;
use std::io::{self, PipeWriter};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::decide::{Refused, Rules};
use crate::dial::{self, Resolve};
use crate::endpoint::Endpoint;
pub use crate::head::HeadError;

/// Connections at a time: uv opens up to 50 downloads, npm 15 sockets a host. More wait in the kernel.
const MAX_CONNECTIONS: usize = 64;
/// Kinds of event that are kept: a flood of refused names must not become a flood of memory.
const MAX_EVENTS: usize = 256;
/// How long closing waits for connections to notice; they hold nothing that anyone waits for.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// How long a failing `accept` rests before it is tried again (out of descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How patient a door is. The defaults are for package managers; tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a whole request head, and for the TLS greeting after it: clients send both at once.
    pub head: Duration,
    /// Without a byte in either direction: registries stall for seconds, not for minutes.
    pub idle: Duration,
    /// For one connection: the largest wheels take minutes on a slow line.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), idle: Duration::from_secs(120), whole: Duration::from_secs(30 * 60) }
    }
}

/// Something that happened at a door.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A granted place was reached.
    Served(Endpoint),
    /// The box asked for what it was not granted.
    Refused(Refused),
    /// The box sent something that is no request.
    Malformed(HeadError),
    /// The box sent bytes before it was answered, as a second request hidden behind the first would be.
    Early,
    /// A head or greeting was not whole in time.
    TooSlow,
    /// A head or greeting was larger than any real one.
    TooLarge,
    /// More was sent to a granted place than a package manager has to say.
    TooMuch(Endpoint),
    /// A granted place could not be reached, and what the network said.
    Unreachable(Endpoint, String),
}

/// What happened at a door, equal events once, with how often.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// In the order in which each was first seen.
    pub events: Vec<(Event, u64)>,
    /// How many were not kept because there were too many kinds.
    pub dropped: u64,
}

impl Record {
    fn add(&mut self, event: Event) {
        if let Some((_, times)) = self.events.iter_mut().find(|(seen, _)| *seen == event) {
            *times += 1;
        } else if self.events.len() < MAX_EVENTS {
            self.events.push((event, 1));
        } else {
            self.dropped += 1;
        }
    }
}

/// An open door. Dropping it closes it.
#[derive(Debug)]
pub struct Door {
    shared: Arc<Shared>,
    stop: Option<PipeWriter>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the threads of one door share.
#[derive(Debug)]
struct Shared {
    rules: Rules,
    resolve: Resolve,
    patience: Patience,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<u64, Vec<TcpStream>>,
    next: u64,
    closing: bool,
    record: Record,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a listening socket with these rules, the host's resolver and ordinary patience.
///
/// # Errors
/// No pipe or thread to be had, or a listener that cannot be made non-blocking.
pub fn open(listener: TcpListener, rules: Rules) -> io::Result<Door> {
    open_with(listener, rules, dial::system_resolve, Patience::default())
}

/// As [`open`], with another resolver or patience.
///
/// # Errors
/// As [`open`].
pub fn open_with(listener: TcpListener, rules: Rules, resolve: Resolve, patience: Patience) -> io::Result<Door> {
    // Non-blocking, since a connection may be gone between poll and accept. The flag is shared with
    // copies of the listener, which is why init closes its own before the server starts.
    listener.set_nonblocking(true)?;
    let (stopped, stop) = io::pipe()?;
    let shared =
        Arc::new(Shared { rules, resolve, patience, state: Mutex::new(State::default()), changed: Condvar::new() });
    let inner = Arc::clone(&shared);
    let acceptor = std::thread::Builder::new().name("door".into()).spawn(move || {
        while wait_for_room(&inner) && wait_for_client(&listener, &stopped) {
            match listener.accept() {
                Ok((client, _)) => admit(&inner, client),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => std::thread::sleep(ACCEPT_PAUSE),
            }
        }
    })?;
    Ok(Door { shared, stop: Some(stop), acceptor: Some(acceptor) })
}

/// Waits until another connection may be served; false when the door closes.
fn wait_for_room(shared: &Shared) -> bool {
    let full = |state: &mut State| !state.closing && state.open.len() >= MAX_CONNECTIONS;
    let state = shared.changed.wait_while(shared.lock(), full).unwrap_or_else(PoisonError::into_inner);
    !state.closing
}

/// Waits until a client knocks; false when the door closes.
fn wait_for_client(listener: &TcpListener, stopped: &io::PipeReader) -> bool {
    let mut waits = [PollFd::new(listener, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
    match poll(&mut waits, None) {
        Ok(_) => waits[1].revents().is_empty(),
        Err(error) => error == rustix::io::Errno::INTR,
    }
}

/// Starts a connection's thread. Its streams are registered first, so that closing can cut them.
fn admit(shared: &Arc<Shared>, client: TcpStream) {
    let Ok(handle) = client.try_clone() else {
        return;
    };
    let mut state = shared.lock();
    // One that was accepted while the door closed would not be cut any more.
    if state.closing {
        return;
    }
    let id = state.next;
    state.next += 1;
    state.open.insert(id, vec![handle]);
    drop(state);
    let seat = Seat { shared: Arc::clone(shared), id };
    // When no thread can be had, the closure is dropped, and with it the seat and the client.
    let _ = std::thread::Builder::new().name("door-connection".into()).spawn(move || {
        if let Err(event) = connection::serve(&client, &seat) {
            seat.shared.lock().record.add(event);
        }
    });
}

/// A connection's place among the open ones, given back when dropped.
#[derive(Debug)]
struct Seat {
    shared: Arc<Shared>,
    id: u64,
}

impl Seat {
    /// Registers the far end, so that closing the door cuts it as well; false when it is closed already.
    fn hold(&self, stream: &TcpStream) -> bool {
        let Ok(handle) = stream.try_clone() else {
            return false;
        };
        let mut state = self.shared.lock();
        let closing = state.closing;
        if let Some(held) = state.open.get_mut(&self.id) {
            held.push(handle);
        }
        !closing
    }

    fn record(&self, event: Event) {
        self.shared.lock().record.add(event);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.lock().open.remove(&self.id);
        self.shared.changed.notify_all();
    }
}

impl Door {
    /// Closes the door, cuts what is still open, and tells what happened.
    pub fn close(mut self) -> Record {
        self.shut();
        std::mem::take(&mut self.shared.lock().record)
    }

    fn shut(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        let mut state = self.shared.lock();
        state.closing = true;
        for stream in state.open.values().flatten() {
            // A stream that is gone already is what was wanted.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        self.stop = None; // the end of the pipe wakes the acceptor
        let _ = acceptor.join();
        let deadline = Instant::now() + CLOSE_TIME;
        let mut state = self.shared.lock();
        while !state.open.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = match self.shared.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}
