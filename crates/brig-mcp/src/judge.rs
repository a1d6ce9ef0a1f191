//! Decides about each line: forward it as it came, or refuse it with a reason.
//!
//! A session has two judges, one for each direction, that share what has to be shared: which
//! requests are open, and which era this is. Each may live on a thread of its own; the walk over
//! the bytes happens outside the lock that they share.
//!
//! A judge never changes a message. It answers for refused ones, so that nobody waits in vain.

use std::sync::{Arc, Mutex, PoisonError};

use crate::checks::{self, Sight};
use crate::frame::{FrameError, Line};
use crate::message::{Id, Message};
use crate::reply::{self, Stead};
use crate::rule::{Reason, Rule};
use crate::scan::{Outline, Scan, Scanner, Slot, Top};
use crate::session::{Era, Sender, Session};

/// The judge of one direction.
#[derive(Debug)]
pub struct Judge {
    sender: Sender,
    scanner: Scanner,
    session: Arc<Mutex<Session>>,
    /// Whether the line that is being thrown away for its length is a request or notification.
    long_asks: bool,
}

/// What is to be done with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Write the line on, as it came.
    Forward,
    /// Do not.
    Refuse(Refusal),
}

/// A line that is not forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Lines to write back to the sender: errors for its requests. Often empty.
    pub reply: Vec<u8>,
    /// Lines to write to the receiver in the refused line's place: errors for the requests that
    /// the line would have answered. Often empty.
    pub instead: Vec<u8>,
    /// Why. A refusal without `reply` and `instead` is a line dropped, which only a report of this
    /// reason tells anybody.
    pub reason: Reason,
}

impl Judge {
    /// The two judges of a new session: the one for what the client sends, and the one for what
    /// the server sends.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let session = Arc::new(Mutex::new(Session::default()));
        let judge = |sender, session| Self { sender, scanner: Scanner::new(), session, long_asks: false };
        (judge(Sender::Client, Arc::clone(&session)), judge(Sender::Server, session))
    }

    /// Whose lines this judge judges.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender
    }

    /// Which eras of the protocol the session has spoken so far, in both directions.
    #[must_use]
    pub fn era(&self) -> Era {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).era()
    }

    /// Judges one line. On [`Verdict::Forward`] the session counts it as sent.
    pub fn judge(&mut self, line: Line<'_>) -> Verdict {
        let text = line.text();
        let scan = self.scanner.scan(text);
        let mut lock = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match examine(&mut lock, self.sender, text, &scan) {
            Ok(()) => Verdict::Forward,
            Err(reason) => {
                let case = Case { sender: self.sender, text, outlines: scan.outlines, reason };
                let whole = scan.top == Top::Message && scan.outlines.len() == 1;
                Verdict::Refuse(case.refuse(&mut lock, whole))
            }
        }
    }

    /// Judges what is known of a line that is too long: its request gets an error, where its id
    /// stands near one of the line's ends. Never [`Verdict::Forward`].
    pub fn judge_overlong(&mut self, error: &FrameError) -> Verdict {
        let reason = Reason::whole(Rule::TooLong);
        let mut lock = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            FrameError::TooLong { head, .. } => {
                let scan = self.scanner.scan(head);
                self.long_asks = scan.outlines.iter().any(|outline| outline.has(Slot::Method));
                let outlines = if scan.top == Top::Message { scan.outlines } else { &[] };
                let case = Case { sender: self.sender, text: head, outlines, reason };
                Verdict::Refuse(case.refuse(&mut lock, true))
            }
            FrameError::Resumed { tail, .. } => {
                let case = Case { sender: self.sender, text: tail, outlines: &[], reason };
                let id = id_at_end(tail);
                Verdict::Refuse(case.refuse_by_id(&mut lock, id, self.long_asks))
            }
        }
    }
}

/// Everything that can be wrong with a line. The session is changed only when nothing is.
fn examine(session: &mut Session, sender: Sender, text: &[u8], scan: &Scan<'_>) -> Result<(), Reason> {
    if let Some(fault) = scan.fault {
        return Err(fault);
    }
    if let (Sender::Client, Some(at)) = (sender, scan.nul) {
        return Err(Reason { rule: Rule::Nul, at: Some(at) });
    }
    if scan.top == Top::Other {
        return Err(Reason::whole(Rule::NotJsonRpc));
    }
    let mut messages = Vec::with_capacity(scan.outlines.len());
    for outline in scan.outlines {
        messages.push(Message::read(text, outline).map_err(Reason::whole)?);
    }
    for message in &messages {
        let sight = Sight { sender, message, in_batch: scan.top == Top::Batch, legacy: session.legacy };
        if let Some(rule) = checks::first_objection(&sight) {
            return Err(Reason::whole(rule));
        }
    }
    session.admit(sender, &messages).map_err(Reason::whole)
}

/// A line that was found wanting.
struct Case<'a> {
    sender: Sender,
    text: &'a [u8],
    outlines: &'a [Outline],
    reason: Reason,
}

impl Case<'_> {
    /// Answers for every message of the line whose id is known. `whole`: the line is one message,
    /// so a client whose message is neither notification nor answer gets an error without an id.
    fn refuse(&self, session: &mut Session, whole: bool) -> Refusal {
        let mut refusal = Refusal { reply: Vec::new(), instead: Vec::new(), reason: self.reason };
        for outline in self.outlines {
            let id = outline.get(Slot::Id).and_then(|span| Id::read(&self.text[span.from as usize..span.to as usize]));
            let Some(id) = id else { continue };
            let answers = outline.has(Slot::Result) || outline.has(Slot::Error) || !outline.has(Slot::Method);
            if let Some(asked) = answers.then(|| session.fail(self.sender.other(), &id)).flatten() {
                refusal.instead.extend(reply::error(Some(&asked), Stead::OfRefusedAnswer, self.reason));
            } else if outline.has(Slot::Method) && self.is_to_be_told() {
                // An id that is open belongs to another request: an error with it would answer that.
                let id = (!session.is_open(self.sender, &id)).then_some(&id);
                refusal.reply.extend(reply::error(id, Stead::OfAnswer, self.reason));
            }
        }
        let hopeless = refusal.reply.is_empty() && refusal.instead.is_empty();
        if hopeless && self.sender == Sender::Client && !(whole && self.wants_no_answer()) {
            refusal.reply = reply::error(None, Stead::OfAnswer, self.reason);
        }
        refusal
    }

    /// The same where only an id is known, and whether the message was a request.
    fn refuse_by_id(&self, session: &mut Session, id: Option<Id>, asks: bool) -> Refusal {
        let mut refusal = Refusal { reply: Vec::new(), instead: Vec::new(), reason: self.reason };
        let Some(id) = id else { return refusal };
        if !asks {
            if let Some(asked) = session.fail(self.sender.other(), &id) {
                refusal.instead = reply::error(Some(&asked), Stead::OfRefusedAnswer, self.reason);
            }
        } else if self.is_to_be_told() && !session.is_open(self.sender, &id) {
            refusal.reply = reply::error(Some(&id), Stead::OfAnswer, self.reason);
        }
        refusal
    }

    /// A server that sends requests where it may not gets no answer: it speaks another protocol.
    fn is_to_be_told(&self) -> bool {
        self.reason.rule != Rule::ServerRequest
    }

    /// One message that is a notification, or an answer: nobody waits for a reply to it.
    fn wants_no_answer(&self) -> bool {
        let [outline] = self.outlines else {
            return false;
        };
        let answer = outline.has(Slot::Result) || outline.has(Slot::Error);
        let notification = outline.has(Slot::Method) && !outline.has(Slot::Id);
        answer || notification
    }
}

/// The id of a message whose last member it is, found from the end. The closing brace of a line
/// that is one object closes that object, so a key and a scalar before it are its own.
fn id_at_end(tail: &[u8]) -> Option<Id> {
    let rest = tail.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
    let from = match rest.strip_suffix(b"\"") {
        Some(inside) => memchr::memrchr(b'"', inside)?,
        None => rest.iter().rposition(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))? + 1,
    };
    let (before, id) = rest.split_at(from);
    let before = before.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end();
    let before = before.strip_suffix(b"\"id\"")?.trim_ascii_end();
    let own = before.ends_with(b",") || before.ends_with(b"{");
    // An escape means that the quote found may not be the string's first.
    (own && memchr::memchr(b'\\', id).is_none() && !before.ends_with(b"\\")).then(|| Id::read(id)).flatten()
}

#[cfg(test)]
mod tests;
