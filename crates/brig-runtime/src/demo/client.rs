//! A small MCP client of the demo's own, for both eras. One call at a time.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Talk;

/// How long the first answer may take: a box must be made first.
const FIRST_ANSWER: Duration = Duration::from_secs(8);
/// How long every other answer may take; the simulated server's own limits are of this size.
const ANSWER: Duration = Duration::from_secs(6);
/// How often an interruption is noticed.
const SLICE: Duration = Duration::from_millis(50);
/// The longest line that is read: the calls here are answered with a few KiB.
const MAX_LINE: u64 = 1024 * 1024;
/// How many lines may wait to be looked at; then the server has to.
const MAX_WAITING: usize = 8;
/// How many bytes of lines that answer nothing are kept to be searched for tokens.
const MAX_STRAYS: usize = 4 * 1024 * 1024;

/// The two ways in which the protocol is spoken today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// With the `initialize` handshake, at version 2025-11-25.
    Legacy,
    /// Stateless, at version 2026-07-28.
    Modern,
}

impl Era {
    /// Both, in the order of [`super::Eras`].
    pub const ALL: [Self; 2] = [Self::Legacy, Self::Modern];

    /// The version that the demo speaks in this era.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    #[error("the server takes no more requests: {0}")]
    Send(io::Error),
    #[error("the server ended without an answer")]
    Closed,
    #[error("no answer within {} s", .0.as_secs())]
    TooLate(Duration),
    #[error("the server refused to begin: {0}")]
    Refused(String),
    #[error("it wrote too much that answers nothing")]
    Noise,
    #[error("an earlier call was not answered")]
    Broken,
    #[error("the demo was interrupted")]
    Interrupted,
}

/// One answer to a tool call.
#[derive(Debug)]
pub(super) struct Reply {
    /// The line as it came.
    pub(super) raw: Vec<u8>,
    /// The text of the result, or the message of the error.
    pub(super) text: String,
    /// Whether it is an error, the tool's or the protocol's.
    pub(super) failed: bool,
}

/// A conversation. Dropping it ends the server.
pub(super) struct Client<'a> {
    input: Option<Box<dyn Write + Send>>,
    lines: Option<Receiver<Vec<u8>>>,
    end: Option<Box<dyn FnOnce() + Send>>,
    era: Era,
    stop: &'a AtomicBool,
    next_id: u64,
    strays: Vec<Vec<u8>>,
    broken: bool,
}

impl<'a> Client<'a> {
    /// Begins the conversation.
    pub(super) fn connect(talk: Talk, era: Era, stop: &'a AtomicBool) -> Result<Self, TalkError> {
        let mut client = Self {
            input: Some(talk.input),
            lines: Some(read_lines(talk.output)),
            end: Some(talk.end),
            era,
            stop,
            next_id: 0,
            strays: Vec::new(),
            broken: false,
        };
        let me = json!({"name": "brig-demo", "version": env!("CARGO_PKG_VERSION")});
        let (method, params) = match era {
            Era::Legacy => {
                ("initialize", json!({"protocolVersion": era.version(), "capabilities": {}, "clientInfo": me}))
            }
            Era::Modern => ("server/discover", json!({})),
        };
        let (_raw, answer) = client.request(method, params, FIRST_ANSWER)?;
        let offered = match era {
            Era::Legacy => answer["result"]["protocolVersion"] == era.version(),
            Era::Modern => answer["result"]["supportedVersions"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == era.version())),
        };
        if !offered {
            return Err(TalkError::Refused(answer.to_string()));
        }
        if era == Era::Legacy {
            client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        }
        Ok(client)
    }

    /// Calls a tool and waits for its answer.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> Result<Reply, TalkError> {
        let params = json!({"name": tool, "arguments": arguments});
        let (raw, answer) = self.request("tools/call", params, ANSWER)?;
        let text = match &answer["error"] {
            Value::Null => texts(&answer["result"]["content"]),
            error => error["message"].as_str().unwrap_or("").to_owned(),
        };
        let failed = answer.get("error").is_some() || answer["result"]["isError"] == true;
        Ok(Reply { raw, text, failed })
    }

    /// Lines that answered nothing, since the conversation began.
    pub(super) fn strays(&self) -> &[Vec<u8>] {
        &self.strays
    }

    fn request(&mut self, method: &str, mut params: Value, limit: Duration) -> Result<(Vec<u8>, Value), TalkError> {
        if self.broken {
            return Err(TalkError::Broken);
        }
        if self.era == Era::Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": self.era.version(),
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo":
                    {"name": "brig-demo", "version": env!("CARGO_PKG_VERSION")},
            });
        }
        self.next_id += 1;
        let id = self.next_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        // Whatever fails now, later answers could no longer be told apart.
        self.broken = true;
        self.send(&request)?;
        let answer = self.answer(id, limit)?;
        self.broken = false;
        Ok(answer)
    }

    fn send(&mut self, message: &Value) -> Result<(), TalkError> {
        let input = self.input.as_mut().ok_or(TalkError::Closed)?;
        input.write_all(format!("{message}\n").as_bytes()).and_then(|()| input.flush()).map_err(TalkError::Send)
    }

    fn answer(&mut self, id: u64, limit: Duration) -> Result<(Vec<u8>, Value), TalkError> {
        let end = Instant::now() + limit;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(TalkError::Interrupted);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TalkError::TooLate(limit));
            }
            let lines = self.lines.as_ref().ok_or(TalkError::Closed)?;
            let line = match lines.recv_timeout(left.min(SLICE)) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Err(TalkError::Closed),
            };
            match serde_json::from_slice::<Value>(&line) {
                Ok(message) if message["id"] == id && message.get("method").is_none() => {
                    return Ok((line, message));
                }
                // Not ours to read; but a token in it would be a token that got out.
                _ => self.strays.push(line),
            }
            if self.strays.iter().map(Vec::len).sum::<usize>() > MAX_STRAYS {
                return Err(TalkError::Noise);
            }
        }
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.input = None;
        // Frees the reader, should it wait for us.
        self.lines = None;
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

/// Reads lines on a thread of its own, which ends with the output, at a line that is too long, or
/// when nobody listens any more.
fn read_lines(output: Box<dyn Read + Send>) -> Receiver<Vec<u8>> {
    let (sender, lines) = sync_channel(MAX_WAITING);
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            let read = output.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
            let whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE;
            if !matches!(read, Ok(1..)) || !whole || sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The text blocks of a result.
fn texts(content: &Value) -> String {
    let blocks = content.as_array().into_iter().flatten();
    blocks.filter_map(|block| block["text"].as_str()).collect()
}
