//! One connection of a door, from its head to its end.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Event, Seat};
use crate::decide::{Allowed, Refused, Way, decide, decide_server_name};
use crate::dial::dial;
use crate::head::{self, Ask, Fetch, HeadError, MAX_HEAD};
use crate::hello::{self, Hello, MAX_HELLO};

/// Bytes carried at once.
const CHUNK: usize = 64 * 1024;
/// Bytes that one tunnel may send out. What a package manager says is requests, some KiB a connection;
/// this leaves room, and is too narrow to carry a home folder away.
const MAX_SENT: u64 = 4 * 1024 * 1024;
/// What is still read from a refused client, lest the kernel answer its unread bytes with a reset that
/// overtakes the refusal.
const DRAIN: u64 = 64 * 1024;
/// For how long.
const DRAIN_TIME: Duration = Duration::from_millis(200);
/// The shortest timeout that the kernel takes as one (0 would mean none).
const SHORTEST: Duration = Duration::from_millis(1);

/// Serves one connection to its end. What it returns has not been recorded yet.
pub(super) fn serve(client: &TcpStream, seat: &Seat) -> Result<(), Event> {
    let patience = seat.shared.patience;
    let ask = match read_ask(client, Instant::now() + patience.head) {
        Ok(ask) => ask,
        Err(Some(event)) => return answer_no(client, seat, event),
        Err(None) => return Ok(()), // gone without having asked
    };
    let (place, way) = match &ask {
        Ask::Tunnel(place) => (place, Way::Tls),
        Ask::Fetch(fetch) => (&fetch.place, Way::Clear),
    };
    let allowed = match decide(&seat.shared.rules, place, way) {
        Ok(allowed) => allowed,
        Err(refused) => return answer_no(client, seat, Event::Refused(refused)),
    };
    let far = match dial(&allowed, seat.shared.resolve) {
        Ok(far) => far,
        Err(error) => {
            return answer_no(client, seat, Event::Unreachable(place.clone(), error.to_string()));
        }
    };
    if !seat.hold(&far) {
        return Ok(());
    }
    let whole = Instant::now() + patience.whole;
    match ask {
        Ask::Tunnel(_) => tunnel(client, &far, &allowed, seat, whole),
        Ask::Fetch(fetch) => fetch_one(client, &far, &fetch, seat, whole),
    }
}

/// Reads one head; `None` when the client left.
fn read_ask(client: &TcpStream, deadline: Instant) -> Result<Ask, Option<Event>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            // A client waits for the answer before it says more.
            if end + 4 != bytes.len() {
                return Err(Some(Event::Early));
            }
            return head::parse(&bytes).map_err(|error| Some(Event::Malformed(error)));
        }
        if bytes.len() >= MAX_HEAD {
            return Err(Some(Event::TooLarge));
        }
        match read_some(client, &mut bytes, MAX_HEAD, deadline) {
            Ok(0) if bytes.is_empty() => return Err(None),
            Ok(0) => return Err(Some(Event::Malformed(HeadError::Bytes))),
            Ok(_) => {}
            Err(error) if timed_out(&error) => return Err(Some(Event::TooSlow)),
            Err(_) => return Err(None),
        }
    }
}

/// Appends what the client sends next, up to `limit` bytes in all.
fn read_some(mut from: &TcpStream, bytes: &mut Vec<u8>, limit: usize, deadline: Instant) -> io::Result<usize> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    from.set_read_timeout(Some(left.max(SHORTEST)))?;
    let mut chunk = [0; 4096];
    let room = chunk.len().min(limit - bytes.len());
    let count = from.read(&mut chunk[..room])?;
    bytes.extend_from_slice(&chunk[..count]);
    Ok(count)
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Records a refusal and says no in one line, which the package manager shows.
fn answer_no(mut client: &TcpStream, seat: &Seat, event: Event) -> Result<(), Event> {
    let (status, text) = match &event {
        Event::Refused(refused) => ("403 Forbidden", format!("brig: {refused}")),
        Event::Malformed(error) => ("400 Bad Request", format!("brig: {error}")),
        Event::Early => ("400 Bad Request", "brig: bytes came before the answer".into()),
        Event::TooSlow => ("408 Request Timeout", "brig: the request was not whole in time".into()),
        Event::TooLarge => ("431 Request Header Fields Too Large", "brig: the request is too large".into()),
        Event::Unreachable(_, why) => ("502 Bad Gateway", format!("brig: {why}")),
        Event::Served(_) | Event::TooMuch(_) => return Err(event),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}\n",
        text.len() + 1
    );
    // Recorded before it is said: whoever acts on the answer finds the record.
    seat.record(event);
    // A client that does not take its refusal is refused all the same.
    let _ = client.set_write_timeout(Some(DRAIN_TIME));
    let _ = client.write_all(answer.as_bytes());
    let _ = client.shutdown(Shutdown::Write);
    drain(client);
    Ok(())
}

fn drain(mut client: &TcpStream) {
    let deadline = Instant::now() + DRAIN_TIME;
    let mut seen = 0;
    let mut chunk = [0; 4096];
    while seen < DRAIN && Instant::now() < deadline {
        if client.set_read_timeout(Some(DRAIN_TIME)).is_err() {
            return;
        }
        match client.read(&mut chunk) {
            Ok(count) if count > 0 => seen += count as u64,
            _ => return,
        }
    }
}

/// Opens a tunnel, judges the greeting, and carries both directions.
fn tunnel(
    mut client: &TcpStream,
    mut far: &TcpStream,
    allowed: &Allowed,
    seat: &Seat,
    whole: Instant,
) -> Result<(), Event> {
    let patience = seat.shared.patience;
    let answer: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";
    if client.set_write_timeout(Some(patience.idle)).and_then(|()| client.write_all(answer)).is_err() {
        return Ok(());
    }
    let Some(greeting) = read_greeting(client, allowed, Instant::now() + patience.head)? else {
        return Ok(());
    };
    seat.record(Event::Served(allowed.place().clone()));
    if far.set_write_timeout(Some(patience.idle)).and_then(|()| far.write_all(&greeting)).is_err() {
        return Ok(());
    }
    let pace = Pace { last: Mutex::new(Instant::now()), idle: patience.idle, whole };
    let too_much = std::thread::scope(|scope| {
        let up = scope.spawn(|| carry(client, far, &pace, MAX_SENT));
        carry(far, client, &pace, u64::MAX);
        // The answer's end is the end: what the client still says has no reader.
        let _ = client.shutdown(Shutdown::Both);
        let _ = far.shutdown(Shutdown::Both);
        up.join().unwrap_or(End::Over) == End::Limit
    });
    if too_much { Err(Event::TooMuch(allowed.place().clone())) } else { Ok(()) }
}

/// The bytes of a greeting that names the granted server; `None` when the client left.
fn read_greeting(client: &TcpStream, allowed: &Allowed, deadline: Instant) -> Result<Option<Vec<u8>>, Event> {
    let mut bytes = Vec::new();
    loop {
        match hello::parse(&bytes) {
            Hello::Whole(name) => {
                decide_server_name(allowed, name.as_deref()).map_err(Event::Refused)?;
                return Ok(Some(bytes));
            }
            Hello::NotTls => return Err(Event::Refused(Refused::NotTls(allowed.place().clone()))),
            Hello::Partial if bytes.len() >= MAX_HELLO => return Err(Event::TooLarge),
            Hello::Partial => {}
        }
        match read_some(client, &mut bytes, MAX_HELLO, deadline) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if timed_out(&error) => return Err(Event::TooSlow),
            Err(_) => return Ok(None),
        }
    }
}

/// Sends the rebuilt head and carries the answer back. The client has nothing more to say.
fn fetch_one(client: &TcpStream, mut far: &TcpStream, fetch: &Fetch, seat: &Seat, whole: Instant) -> Result<(), Event> {
    let idle = seat.shared.patience.idle;
    seat.record(Event::Served(fetch.place.clone()));
    let sent = far
        .set_write_timeout(Some(idle))
        .and_then(|()| client.set_write_timeout(Some(idle)))
        .and_then(|()| far.write_all(fetch.head.as_bytes()));
    if let Err(error) = sent {
        return answer_no(client, seat, Event::Unreachable(fetch.place.clone(), error.to_string()));
    }
    let pace = Pace { last: Mutex::new(Instant::now()), idle, whole };
    carry(far, client, &pace, u64::MAX);
    drain(client);
    Ok(())
}

/// When the two directions of a connection last moved, and when they have to end.
struct Pace {
    last: Mutex<Instant>,
    idle: Duration,
    whole: Instant,
}

impl Pace {
    fn last(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How long a read may still wait: until either direction has been still for too long.
    fn left(&self) -> Option<Duration> {
        let end = (*self.last() + self.idle).min(self.whole);
        let left = end.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.max(SHORTEST))
    }
}

/// How a direction ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Over,
    Limit,
}

/// Carries one direction until its end, then ends it on the other side too.
fn carry(mut from: &TcpStream, mut to: &TcpStream, pace: &Pace, limit: u64) -> End {
    let mut chunk = vec![0; CHUNK];
    let mut carried = 0_u64;
    while let Some(left) = pace.left() {
        if from.set_read_timeout(Some(left)).is_err() {
            break;
        }
        let count = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            // The other direction may have moved meanwhile: `left` decides.
            Err(error) if timed_out(&error) || error.kind() == io::ErrorKind::Interrupted => {
                continue;
            }
            Err(_) => break,
        };
        carried += count as u64;
        if carried > limit {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return End::Limit;
        }
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
        *pace.last() = Instant::now();
    }
    let _ = to.shutdown(Shutdown::Write);
    End::Over
}
