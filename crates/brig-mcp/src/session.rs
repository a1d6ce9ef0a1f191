//! What a session remembers from one message to the next: open requests, and the protocol's era.
//!
//! The client's and the server's ids are two spaces that never touch. Nothing here grows without a
//! limit, and nothing open is forgotten silently.

use std::collections::{HashMap, HashSet};

use crate::message::{Id, Kind, Message};
use crate::rule::Rule;

/// Requests of one side that may wait for their answers at once. A load generator keeps some
/// hundreds open; with ids of at most 256 bytes this stays below 2 MiB.
pub const PENDING_LIMIT: usize = 4096;

/// The one version that allows batches.
const WITH_BATCHES: &[u8] = b"2025-03-26";

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The MCP client: the AI application.
    Client,
    /// The MCP server, in the box. Hostile until shown otherwise.
    Server,
}

impl Sender {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// How far a session is a legacy one. Modern requests carry their version with them and may be
/// mixed in: one process may serve both eras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Legacy {
    /// No `initialize` yet, or it failed: the server may only answer.
    #[default]
    No,
    /// `initialize` is on its way.
    Asked,
    /// The server agreed to a version.
    Agreed {
        /// Whether that version has batches.
        batches: bool,
    },
}

/// Which eras of the protocol a session has been seen to speak: a request of that era was answered
/// without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Neither yet.
    Unknown,
    /// `initialize`, up to 2025-11-25.
    Legacy,
    /// The version in each request, from 2026-07-28 on.
    Modern,
    /// Both, one beside the other.
    Both,
}

/// The memory of a session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) legacy: Legacy,
    modern: bool,
    from_client: Asked,
    from_server: Asked,
}

/// The open requests of one side.
#[derive(Debug, Default)]
struct Asked {
    open: HashMap<Id, Open>,
    /// How many of their ids are numbers in odd spellings; hardly ever any.
    odd: usize,
}

/// One open request.
#[derive(Debug, Clone, Copy)]
struct Open {
    asks: Asks,
    /// It came with the protocol's version.
    modern: bool,
    /// Its sender lost interest: the answer may still come, but room for it may be taken back.
    cancelled: bool,
    /// Answers still to come; more than one only where `initialize` followed a silent probe.
    answers: u8,
}

/// What an open request is about, as far as its answer changes the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Initialize,
    Discover,
    Other,
}

impl Session {
    /// Takes all messages of one line into account, or none of them.
    ///
    /// # Errors
    /// The rule that one of them breaks: an id that is open already, an answer to nothing, too many
    /// open requests.
    pub(crate) fn admit(&mut self, sender: Sender, messages: &[Message<'_>]) -> Result<(), Rule> {
        let mut ids = HashSet::new();
        let mut requests = 0;
        for message in messages {
            let known = match &message.kind {
                Kind::Request { id, method } => {
                    requests += 1;
                    self.asked(sender).admits(id, asks(method))?;
                    id
                }
                Kind::Answer { id, .. } => {
                    self.asked(sender.other()).expects(id)?;
                    id
                }
                Kind::Notification { .. } | Kind::Complaint => continue,
            };
            let answer = matches!(message.kind, Kind::Answer { .. });
            if messages.len() > 1 && !ids.insert((answer, known)) {
                return Err(if answer { Rule::UnknownAnswer } else { Rule::IdReused });
            }
        }
        self.asked(sender).make_room(requests)?;
        for message in messages {
            self.note(sender, message);
        }
        Ok(())
    }

    /// Closes the open request of `asker` that `id` names, or that it names in another spelling,
    /// because its answer was refused. Returns the id as it was asked.
    pub(crate) fn fail(&mut self, asker: Sender, id: &Id) -> Option<Id> {
        let asked = self.asked(asker);
        let open = if asked.open.contains_key(id) { id.clone() } else { asked.respelt(id)?.clone() };
        let was = asked.settle(&open)?;
        self.answered(was, true, None);
        Some(open)
    }

    /// Which eras were spoken.
    pub(crate) fn era(&self) -> Era {
        match (matches!(self.legacy, Legacy::Agreed { .. }), self.modern) {
            (false, false) => Era::Unknown,
            (true, false) => Era::Legacy,
            (false, true) => Era::Modern,
            (true, true) => Era::Both,
        }
    }

    /// Whether a request of `asker` with this id is open.
    pub(crate) fn is_open(&mut self, asker: Sender, id: &Id) -> bool {
        self.asked(asker).open.contains_key(id)
    }

    fn asked(&mut self, asker: Sender) -> &mut Asked {
        match asker {
            Sender::Client => &mut self.from_client,
            Sender::Server => &mut self.from_server,
        }
    }

    fn note(&mut self, sender: Sender, message: &Message<'_>) {
        match &message.kind {
            Kind::Request { id, method } => {
                let asks = asks(method);
                if sender == Sender::Client && asks == Asks::Initialize && self.legacy == Legacy::No {
                    self.legacy = Legacy::Asked;
                }
                self.asked(sender).add(id, asks, message.modern);
            }
            Kind::Notification { method } => {
                if let (b"notifications/cancelled", Some(id)) = (method.as_ref(), &message.cancels) {
                    self.asked(sender).cancel(id);
                }
            }
            Kind::Answer { id, error } => {
                if let Some(open) = self.asked(sender.other()).settle(id) {
                    self.answered(open, *error, message.agreed.as_deref());
                }
            }
            Kind::Complaint => {}
        }
    }

    fn answered(&mut self, open: Open, error: bool, agreed: Option<&[u8]>) {
        self.modern |= open.modern && !error;
        match (open.asks, error) {
            (Asks::Initialize, false) => {
                self.legacy = Legacy::Agreed { batches: agreed == Some(WITH_BATCHES) };
            }
            (Asks::Initialize, true) if self.legacy == Legacy::Asked => self.legacy = Legacy::No,
            _ => {}
        }
    }
}

impl Asked {
    fn admits(&self, id: &Id, asks: Asks) -> Result<(), Rule> {
        match self.open.get(id) {
            None => Ok(()),
            Some(open) if is_fallback(*open, asks) => Ok(()),
            Some(_) => Err(Rule::IdReused),
        }
    }

    fn expects(&self, id: &Id) -> Result<(), Rule> {
        if self.open.contains_key(id) {
            return Ok(());
        }
        Err(if self.respelt(id).is_some() { Rule::RespeltId } else { Rule::UnknownAnswer })
    }

    /// The open id that is the same number in another spelling. Looks at all of them only where
    /// the asker itself uses odd spellings, so that odd answers cost nothing.
    fn respelt(&self, id: &Id) -> Option<&Id> {
        let usual = id.usual().and_then(|usual| self.open.get_key_value(&usual));
        if let Some((open, _)) = usual {
            return Some(open);
        }
        let worth_looking = self.odd > 0;
        worth_looking.then(|| self.open.keys().find(|open| open.respells(id))).flatten()
    }

    /// Room for `more` requests: what was cancelled and never answered is let go first.
    fn make_room(&mut self, more: usize) -> Result<(), Rule> {
        if self.open.len() + more > PENDING_LIMIT {
            self.open.retain(|_, open| !open.cancelled);
            self.odd = self.open.keys().filter(|id| id.is_odd()).count();
        }
        if self.open.len() + more > PENDING_LIMIT { Err(Rule::Pending) } else { Ok(()) }
    }

    fn add(&mut self, id: &Id, asks: Asks, modern: bool) {
        let open = Open { asks, modern, cancelled: false, answers: 1 };
        match self.open.get_mut(id) {
            Some(probe) => *probe = Open { answers: 2, ..open },
            None => {
                self.odd += usize::from(id.is_odd());
                self.open.insert(id.clone(), open);
            }
        }
    }

    fn cancel(&mut self, id: &Id) {
        if let Some(open) = self.open.get_mut(id) {
            open.cancelled = true;
        }
    }

    /// Takes one answer off; says what was asked.
    fn settle(&mut self, id: &Id) -> Option<Open> {
        let open = self.open.get_mut(id)?;
        open.answers -= 1;
        let was = *open;
        if was.answers == 0 {
            self.odd -= usize::from(id.is_odd());
            self.open.remove(id);
        }
        Some(was)
    }
}

/// A client that probed a silent server with `server/discover` and falls back to `initialize` in
/// the same process may count its ids from the start again.
fn is_fallback(open: Open, asks: Asks) -> bool {
    open.asks == Asks::Discover && asks == Asks::Initialize && open.answers == 1
}

fn asks(method: &[u8]) -> Asks {
    match method {
        b"initialize" => Asks::Initialize,
        b"server/discover" => Asks::Discover,
        _ => Asks::Other,
    }
}
