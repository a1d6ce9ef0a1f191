//! Moves lines: reads what the client sends, does what it asks for, writes what there is to answer.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use crate::Facts;
use crate::json::Value;
use crate::protocol::{self, Code};
use crate::session::{Call, Session, Step, key};
use crate::tools::{Context, Pace};

/// The longest line that is read: more than brig lets through, so that brig's limit is met first.
pub(crate) const MAX_LINE: usize = 96 * 1024 * 1024;
/// How many slow calls may run at once; the next one is answered with an error.
const MAX_SLOW: usize = 16;
/// How long slow calls may still run after the client closed its end; then they are cancelled.
const GRACE: Duration = Duration::from_secs(1);

/// Serves one client until it closes its end.
///
/// # Errors
/// When `input` cannot be read or `output` cannot be written.
pub fn serve(input: impl Read, output: impl Write + Send, facts: &Facts) -> io::Result<()> {
    let server =
        Server { output: Mutex::new(output), slow: Mutex::new(HashMap::new()), changed: Condvar::new(), facts };
    let mut session = Session::default();
    let mut input = BufReader::new(input);
    std::thread::scope(|scope| {
        let outcome = (|| {
            while let Some(line) = read_line(&mut input, MAX_LINE)? {
                let step = match line {
                    Line::Whole(line) => session.take(&line),
                    Line::TooLong => {
                        Step::Answer(protocol::error(None, Code::InvalidRequest, "the line is longer than 96 MiB"))
                    }
                };
                server.act(step, scope)?;
            }
            Ok(())
        })();
        server.wind_up();
        outcome
    })
}

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Without its line end.
    Whole(Vec<u8>),
    /// More than the limit; it was read to its end and dropped.
    TooLong,
}

/// Reads one line of at most `max` bytes; `None` at the end of the input.
pub(crate) fn read_line(input: &mut impl BufRead, max: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut dropped = false;
    loop {
        let chunk = match input.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let (part, end) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&chunk[..at], true),
            None => (chunk, false),
        };
        let used = part.len() + usize::from(end);
        if line.len() + part.len() > max {
            dropped = true;
            line = Vec::new();
        }
        if !dropped {
            line.extend_from_slice(part);
        }
        input.consume(used);
        if end || used == 0 {
            let nothing = used == 0 && line.is_empty() && !dropped;
            return Ok(match (nothing, dropped) {
                (true, _) => None,
                (false, true) => Some(Line::TooLong),
                (false, false) => Some(Line::Whole(line)),
            });
        }
    }
}

struct Server<'a, W> {
    output: Mutex<W>,
    /// The slow calls under way, by id, each with the flag that cancels it.
    slow: Mutex<HashMap<String, Arc<AtomicBool>>>,
    /// Told whenever a slow call ends.
    changed: Condvar,
    facts: &'a Facts,
}

impl<W: Write + Send> Server<'_, W> {
    fn act<'scope>(&'scope self, step: Step, scope: &'scope Scope<'scope, '_>) -> io::Result<()> {
        match step {
            Step::Nothing => Ok(()),
            Step::Answer(answer) => self.send(&answer),
            Step::Call(call) if call.tool.pace == Pace::Slow => self.start(call, scope),
            Step::Call(call) => self.send(&self.answer(&call, &AtomicBool::new(false))),
            Step::Cancel(id) => {
                if let Some(flag) = held(&self.slow).get(&id) {
                    flag.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            Step::Batch(steps) => {
                let answers: Vec<Value> = steps.into_iter().filter_map(|step| self.answer_now(step)).collect();
                if answers.is_empty() {
                    return Ok(());
                }
                self.send(&Value::List(answers))
            }
        }
    }

    /// The answer to one message of an array, slow calls included: they go out together anyway.
    fn answer_now(&self, step: Step) -> Option<Value> {
        match step {
            Step::Answer(answer) => Some(answer),
            Step::Call(call) => Some(self.answer(&call, &AtomicBool::new(false))),
            Step::Nothing | Step::Cancel(_) | Step::Batch(_) => None,
        }
    }

    fn answer(&self, call: &Call, cancelled: &AtomicBool) -> Value {
        let context = Context { env: &self.facts.env, cancelled };
        let fields = call.tool.answer(&call.arguments, call.era, &context);
        call.era.result(&call.id, fields)
    }

    fn start<'scope>(&'scope self, call: Call, scope: &'scope Scope<'scope, '_>) -> io::Result<()> {
        let id = key(&call.id);
        let cancelled = Arc::new(AtomicBool::new(false));
        let refusal = {
            let mut slow = held(&self.slow);
            if slow.contains_key(&id) {
                Some("a call with this id is still under way")
            } else if slow.len() >= MAX_SLOW {
                Some("too many calls are under way; try again when one has ended")
            } else {
                slow.insert(id.clone(), Arc::clone(&cancelled));
                None
            }
        };
        if let Some(why) = refusal {
            return self.send(&protocol::error(Some(&call.id), Code::InvalidRequest, why));
        }
        scope.spawn(move || {
            let answer = self.answer(&call, &cancelled);
            // A cancelled call is not answered. That the client is gone shows at the next read.
            if !cancelled.load(Ordering::Relaxed) {
                let _gone = self.send(&answer);
            }
            held(&self.slow).remove(&id);
            self.changed.notify_all();
        });
        Ok(())
    }

    fn send(&self, message: &Value) -> io::Result<()> {
        let mut line = message.write();
        line.push('\n');
        let mut output = held(&self.output);
        output.write_all(line.as_bytes())?;
        output.flush()
    }

    /// Lets slow calls finish for a moment, then cancels them.
    fn wind_up(&self) {
        let (slow, _timeout) = self
            .changed
            .wait_timeout_while(held(&self.slow), GRACE, |slow| !slow.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        for flag in slow.values() {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

/// What a well-behaved server answers to one line, slow calls included, without a line end.
pub(crate) fn answer_line(session: &mut Session, line: &[u8], facts: &Facts) -> Option<String> {
    let server = Server { output: Mutex::new(io::sink()), slow: Mutex::default(), changed: Condvar::new(), facts };
    server.answer_now(session.take(line)).map(|answer| answer.write())
}

/// A lock's content, also after another thread panicked: each write under it is whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_the_next_one_is_read() {
        let mut input = BufReader::with_capacity(4, &b"12345678\n123456789\nab\n\nlast"[..]);
        let mut next = || read_line(&mut input, 8).unwrap();
        assert_eq!(next(), Some(Line::Whole(b"12345678".to_vec())));
        assert_eq!(next(), Some(Line::TooLong));
        assert_eq!(next(), Some(Line::Whole(b"ab".to_vec())));
        assert_eq!(next(), Some(Line::Whole(Vec::new())));
        assert_eq!(next(), Some(Line::Whole(b"last".to_vec())));
        assert_eq!(next(), None);
    }
}
