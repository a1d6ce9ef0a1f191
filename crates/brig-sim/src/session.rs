//! What one line from the client asks for. No I/O: a line goes in, a [`Step`] comes out.

use crate::json::{JsonError, Value, object, texts};
use crate::protocol::{self, BATCHES, Code, Era, LEGACY, META_CAPABILITIES, META_VERSION, MODERN, NEWEST_LEGACY};
use crate::tools::{self, Tool};

/// How many messages one array may hold, in the one version that has arrays.
const MAX_BATCH: usize = 64;

/// The state of one connection: whether `initialize` came, and what it settled.
#[derive(Debug, Default)]
pub(crate) struct Session {
    legacy: Option<&'static str>,
}

/// What is to be done about one line.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing: a notification, an answer to nothing we asked, an empty line.
    Nothing,
    /// Send this.
    Answer(Value),
    /// Run a tool and send what it says.
    Call(Call),
    /// Stop the call with this id (see [`key`]) and do not answer it.
    Cancel(String),
    /// Do each of these; the answers go into one array.
    Batch(Vec<Step>),
}

/// A tool call that was understood.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: Value,
    pub(crate) era: Era,
    pub(crate) tool: &'static Tool,
    pub(crate) arguments: Value,
}

/// An id as a map's key: its JSON, since `1` and `"1"` are two ids.
pub(crate) fn key(id: &Value) -> String {
    id.write()
}

impl Session {
    /// Reads one line, without its line end.
    pub(crate) fn take(&mut self, line: &[u8]) -> Step {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Step::Nothing;
        }
        match Value::parse(line) {
            Ok(Value::List(messages)) => self.batch(messages),
            Ok(message) => self.message(&message),
            Err(why @ (JsonError::Utf8 { .. } | JsonError::Syntax { .. })) => {
                Step::Answer(protocol::error(None, Code::Parse, &why.to_string()))
            }
            Err(why @ (JsonError::TooDeep | JsonError::TooMany)) => {
                Step::Answer(protocol::error(None, Code::InvalidRequest, &why.to_string()))
            }
        }
    }

    fn batch(&mut self, messages: Vec<Value>) -> Step {
        let refuse = |why: &str| Step::Answer(protocol::error(None, Code::InvalidRequest, why));
        if self.legacy != Some(BATCHES) {
            return refuse("arrays of messages are not part of this protocol version");
        }
        if messages.is_empty() || messages.len() > MAX_BATCH {
            return refuse("an array holds between 1 and 64 messages");
        }
        Step::Batch(messages.iter().map(|m| self.message(m)).collect())
    }

    fn message(&mut self, message: &Value) -> Step {
        let id = match message.get("id") {
            None => None,
            Some(id @ (Value::Text(_) | Value::Number(_))) => Some(id),
            Some(_) => return invalid(None, "the id is neither a string nor a number"),
        };
        if message.get("jsonrpc").and_then(Value::as_text) != Some("2.0") {
            return invalid(id, "jsonrpc is not \"2.0\"");
        }
        let Some(method) = message.get("method") else {
            let answer = message.get("result").is_some() || message.get("error").is_some();
            return if answer { Step::Nothing } else { invalid(id, "neither a method nor a result") };
        };
        let Some(method) = method.as_text() else {
            return invalid(id, "the method is not a string");
        };
        let empty = object([]);
        let params = match message.get("params") {
            None => &empty,
            Some(params @ Value::Object(_)) => params,
            Some(_) if id.is_none() => return Step::Nothing,
            Some(_) => return params_error(id, "params is not an object"),
        };
        match id {
            Some(id) => self.request(id, method, params),
            None => notification(method, params),
        }
    }

    fn request(&mut self, id: &Value, method: &str, params: &Value) -> Step {
        if let Some(meta) = params.get("_meta")
            && let Some(version) = meta.get(META_VERSION)
        {
            return modern(id, method, params, (meta, version));
        }
        match (method, self.legacy) {
            ("initialize", _) => self.initialize(id, params),
            // Allowed before and after `initialize`.
            ("ping", _) => Step::Answer(Era::Legacy(NEWEST_LEGACY).result(id, object([]))),
            (_, Some(version)) => common(id, method, params, Era::Legacy(version)),
            (_, None) => params_error(
                Some(id),
                &format!(
                    "neither did initialize come first ({}), nor is there a params._meta[\"{META_VERSION}\"] ({MODERN})",
                    LEGACY.join(", ")
                ),
            ),
        }
    }

    fn initialize(&mut self, id: &Value, params: &Value) -> Step {
        let Some(wanted) = params.get("protocolVersion").and_then(Value::as_text) else {
            return params_error(Some(id), "protocolVersion is missing");
        };
        let version = LEGACY.iter().find(|known| **known == wanted).copied().unwrap_or(NEWEST_LEGACY);
        self.legacy = Some(version);
        Step::Answer(Era::Legacy(version).result(
            id,
            object([
                ("protocolVersion", version.into()),
                ("capabilities", protocol::capabilities()),
                ("serverInfo", protocol::implementation()),
                ("instructions", tools::INSTRUCTIONS.into()),
            ]),
        ))
    }
}

/// A request that carries its version in `_meta`.
fn modern(id: &Value, method: &str, params: &Value, (meta, version): (&Value, &Value)) -> Step {
    let Some(version) = version.as_text() else {
        return params_error(Some(id), &format!("_meta[\"{META_VERSION}\"] is not a string"));
    };
    if version != MODERN {
        return Step::Answer(protocol::unsupported_version(id, version));
    }
    if !matches!(meta.get(META_CAPABILITIES), Some(Value::Object(_))) {
        return params_error(Some(id), &format!("_meta[\"{META_CAPABILITIES}\"] is missing or not an object"));
    }
    if method != "server/discover" {
        return common(id, method, params, Era::Modern);
    }
    let fields = object([
        ("supportedVersions", texts(&[MODERN])),
        ("capabilities", protocol::capabilities()),
        ("instructions", tools::INSTRUCTIONS.into()),
    ]);
    Step::Answer(Era::Modern.result(id, Era::Modern.cacheable(fields)))
}

/// What both eras have.
fn common(id: &Value, method: &str, params: &Value, era: Era) -> Step {
    match method {
        "tools/list" if params.get("cursor").is_some() => {
            // There is one page, so no cursor was ever given out.
            params_error(Some(id), "unknown cursor")
        }
        "tools/list" => {
            let list = object([("tools", tools::list(era))]);
            Step::Answer(era.result(id, era.cacheable(list)))
        }
        "tools/call" => call(id, params, era),
        _ => Step::Answer(protocol::error(
            Some(id),
            Code::MethodNotFound,
            &format!("no such method: {}", shorten(method)),
        )),
    }
}

fn call(id: &Value, params: &Value, era: Era) -> Step {
    let Some(name) = params.get("name").and_then(Value::as_text) else {
        return params_error(Some(id), "the tool's name is missing");
    };
    let Some(tool) = tools::find(name) else {
        return params_error(Some(id), &format!("no such tool: {}", shorten(name)));
    };
    let arguments = match params.get("arguments") {
        None => object([]),
        Some(arguments @ Value::Object(_)) => arguments.clone(),
        Some(_) => return params_error(Some(id), "arguments is not an object"),
    };
    Step::Call(Call { id: id.clone(), era, tool, arguments })
}

fn notification(method: &str, params: &Value) -> Step {
    match (method, params.get("requestId")) {
        ("notifications/cancelled", Some(id @ (Value::Text(_) | Value::Number(_)))) => Step::Cancel(key(id)),
        // Malformed cancellations and all other notifications are ignored, as the protocol wants.
        _ => Step::Nothing,
    }
}

fn invalid(id: Option<&Value>, why: &str) -> Step {
    Step::Answer(protocol::error(id, Code::InvalidRequest, why))
}

fn params_error(id: Option<&Value>, why: &str) -> Step {
    Step::Answer(protocol::error(id, Code::InvalidParams, why))
}

/// A client's word in an error message: enough to recognise it.
fn shorten(word: &str) -> String {
    word.chars().take(80).collect()
}
