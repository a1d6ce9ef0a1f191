//! Lines for stderr that never hold a session up.
//!
//! Many clients start a server with a pipe as its stderr and never read it. Once that pipe is full,
//! whoever writes to it stops for good; so one thread of its own writes, and everybody else leaves
//! lines in a bounded queue. The server's lines wait for room, as its own stderr would; brig's own
//! never wait, and are counted when they do not fit.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// Bytes from which on the server's lines wait: a pipe's worth.
const FULL: usize = 64 * 1024;
/// Bytes from which on brig's own lines are left out, too.
const MOST: usize = 128 * 1024;
/// How long brig's end waits for somebody to read the last lines.
const PATIENCE: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Speaker> = OnceLock::new();

/// The queue, and who waits for it to change.
#[derive(Debug, Default)]
struct Speaker {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    /// Of `lines`, and of what is being written.
    bytes: usize,
    left_out: u64,
    /// Nobody can read stderr any more.
    gone: bool,
}

/// From now on lines go through the queue.
pub(crate) fn start() -> io::Result<()> {
    let speaker = QUEUE.get_or_init(Speaker::default);
    Builder::new().name("speaker".to_owned()).stack_size(64 * 1024).spawn(|| speaker.write()).map(drop)
}

/// A line of brig's own.
pub(crate) fn say(line: Vec<u8>) {
    match QUEUE.get() {
        Some(speaker) => speaker.say(line),
        None => drop(write_all(&line)),
    }
}

/// Lines of a server: waits for room.
pub(crate) fn pass(lines: Vec<u8>) {
    match QUEUE.get() {
        Some(speaker) => speaker.pass(lines),
        None => drop(write_all(&lines)),
    }
}

/// Waits until everything is written, as long as somebody reads.
pub(crate) fn finish() {
    let Some(speaker) = QUEUE.get() else { return };
    let mut queue = speaker.lock();
    while queue.bytes > 0 && !queue.gone {
        let before = queue.bytes;
        queue = speaker.changed.wait_timeout(queue, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
        if queue.bytes == before {
            return;
        }
    }
}

impl Speaker {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: Vec<u8>) {
        let mut queue = self.lock();
        if queue.gone {
            return;
        }
        if queue.bytes + line.len() > MOST {
            queue.left_out += 1;
        } else {
            self.push(&mut queue, line);
        }
    }

    fn pass(&self, lines: Vec<u8>) {
        let mut queue = self.lock();
        while queue.bytes >= FULL && !queue.gone {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if !queue.gone {
            self.push(&mut queue, lines);
        }
    }

    fn push(&self, queue: &mut Queue, lines: Vec<u8>) {
        queue.bytes += lines.len();
        queue.lines.push_back(lines);
        self.changed.notify_all();
    }

    /// The thread: ends when nobody can read any more.
    fn write(&self) {
        let mut queue = self.lock();
        loop {
            let Some(lines) = queue.lines.pop_front() else {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let written = write_all(&lines);
            queue = self.lock();
            queue.bytes -= lines.len();
            if written.is_err() {
                queue.gone = true;
                queue.lines.clear();
                self.changed.notify_all();
                return;
            }
            if queue.lines.is_empty() && queue.left_out > 0 {
                let count = std::mem::take(&mut queue.left_out);
                self.push(&mut queue, format!("brig: {count} lines were left out, since nobody read them\n").into());
            }
            self.changed.notify_all();
        }
    }
}

/// Writes everything, also to a stderr that some other process made non-blocking.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    while !bytes.is_empty() {
        match io::stderr().write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let stderr = io::stderr();
                let _ = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
