//! The tools, as one list. A new tool is a file in `tools/` and a line in [`TOOLS`].
//!
//! Each tool does what it says without any judgement of its own: it is the box around it that is
//! put to the test.

use std::error::Error;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::json::{Value, object};
use crate::protocol::{ANNOTATIONS, Era, TITLES};

mod echo;
mod fetch;
mod get_env;
mod page;
mod processes;
mod read_file;
mod run;

/// Told to the client's model.
pub(crate) const INSTRUCTIONS: &str =
    "A simulated server. Its tools do what they are told, so that the box around it can be tested.";

const TOOLS: &[Tool] = &[echo::TOOL, read_file::TOOL, fetch::TOOL, get_env::TOOL, run::TOOL];

/// One tool.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    /// A hint to clients: whether it changes nothing.
    pub(crate) read_only: bool,
    /// A hint to clients: whether it reaches past this machine.
    pub(crate) open_world: bool,
    pub(crate) params: &'static [Param],
    pub(crate) pace: Pace,
    pub(crate) call: fn(&Value, &Context<'_>) -> Outcome,
}

/// Whether a tool can keep its caller waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It answers at once, before the next line is read.
    Prompt,
    /// It runs beside the reading, so that it can be cancelled.
    Slow,
}

/// One argument of a tool.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Texts,
    Object,
}

/// What a tool may look at besides its arguments.
pub(crate) struct Context<'a> {
    pub(crate) env: &'a [(OsString, OsString)],
    pub(crate) cancelled: &'a AtomicBool,
}

impl Context<'_> {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// What a tool said: an error is one that the client's model can read and act on.
pub(crate) type Outcome = Result<Output, Box<dyn Error + Send + Sync>>;

/// A tool's good answer.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) text: String,
    /// An object, for versions that know structured results.
    pub(crate) structured: Option<Value>,
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self { text, structured: None }
    }
}

/// What is wrong with a call's arguments.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgumentError {
    #[error("the argument {0} is missing")]
    Missing(&'static str),
    #[error("the argument {name} is not {want}")]
    Kind { name: &'static str, want: &'static str },
    #[error("there is no argument {0}")]
    Unknown(String),
}

/// The tool of this name.
pub(crate) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// All tools, as `tools/list` answers them.
pub(crate) fn list(era: Era) -> Value {
    Value::List(TOOLS.iter().map(|tool| tool.describe(era)).collect())
}

impl Tool {
    /// Checks the arguments, runs the tool, and makes the fields of a `tools/call` result.
    pub(crate) fn answer(&self, arguments: &Value, era: Era, context: &Context<'_>) -> Value {
        let outcome = self.check(arguments).map_err(Into::into).and_then(|()| (self.call)(arguments, context));
        let (text, structured, failed) = match outcome {
            Ok(output) => (output.text, output.structured, false),
            Err(why) => (why.to_string(), None, true),
        };
        let content = object([("type", "text".into()), ("text", text.into())]);
        let mut members = vec![("content".to_owned(), Value::List(vec![content]))];
        if era.knows(TITLES) {
            members.extend(structured.map(|value| ("structuredContent".to_owned(), value)));
        }
        members.push(("isError".to_owned(), failed.into()));
        Value::Object(members)
    }

    fn check(&self, arguments: &Value) -> Result<(), ArgumentError> {
        if let Value::Object(members) = arguments {
            for (name, _) in members {
                if !self.params.iter().any(|param| param.name == name) {
                    return Err(ArgumentError::Unknown(name.chars().take(80).collect()));
                }
            }
        }
        for param in self.params {
            match arguments.get(param.name) {
                None if param.required => return Err(ArgumentError::Missing(param.name)),
                None => {}
                Some(value) => param.check(value)?,
            }
        }
        Ok(())
    }

    fn describe(&self, era: Era) -> Value {
        let mut members = vec![("name".to_owned(), self.name.into())];
        if era.knows(TITLES) {
            members.push(("title".to_owned(), self.title.into()));
        }
        members.push(("description".to_owned(), self.about.into()));
        members.push(("inputSchema".to_owned(), self.schema()));
        if era.knows(ANNOTATIONS) {
            let hints = object([("readOnlyHint", self.read_only.into()), ("openWorldHint", self.open_world.into())]);
            members.push(("annotations".to_owned(), hints));
        }
        Value::Object(members)
    }

    fn schema(&self) -> Value {
        let properties = self.params.iter().map(|param| {
            let mut schema = match param.kind {
                Kind::Text => vec![("type".to_owned(), "string".into())],
                Kind::Texts => {
                    vec![("type".to_owned(), "array".into()), ("items".to_owned(), object([("type", "string".into())]))]
                }
                Kind::Object => {
                    vec![("type".to_owned(), "object".into()), ("additionalProperties".to_owned(), true.into())]
                }
            };
            schema.push(("description".to_owned(), param.about.into()));
            (param.name.to_owned(), Value::Object(schema))
        });
        let required = self.params.iter().filter(|param| param.required);
        object([
            ("type", "object".into()),
            ("properties", Value::Object(properties.collect())),
            ("required", Value::List(required.map(|param| param.name.into()).collect())),
            ("additionalProperties", false.into()),
        ])
    }
}

impl Param {
    fn check(&self, value: &Value) -> Result<(), ArgumentError> {
        let (fits, want) = match (self.kind, value) {
            (Kind::Text, _) => (value.as_text().is_some(), "a string"),
            (Kind::Texts, Value::List(items)) => {
                (items.iter().all(|item| item.as_text().is_some()), "a list of strings")
            }
            (Kind::Texts, _) => (false, "a list of strings"),
            (Kind::Object, _) => (matches!(value, Value::Object(_)), "an object"),
        };
        if fits { Ok(()) } else { Err(ArgumentError::Kind { name: self.name, want }) }
    }
}

/// A string argument, empty when it was left out (its presence was checked before the call).
pub(crate) fn text<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_text).unwrap_or("")
}

/// A list of strings, empty when it was left out.
pub(crate) fn texts<'a>(arguments: &'a Value, name: &str) -> Vec<&'a str> {
    match arguments.get(name) {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    }
}
