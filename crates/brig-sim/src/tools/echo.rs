//! `echo`: says what it is told.

use super::{Context, Kind, Outcome, Output, Pace, Param, Tool, text};
use crate::json::Value;

pub(crate) const TOOL: Tool = Tool {
    name: "echo",
    title: "Echo",
    about: "Returns the message it was given, byte for byte.",
    read_only: true,
    open_world: false,
    params: &[
        Param { name: "message", kind: Kind::Text, required: true, about: "What to say." },
        Param {
            name: "data",
            kind: Kind::Object,
            required: false,
            about: "Anything, returned as the structured content.",
        },
    ],
    pace: Pace::Prompt,
    call,
};

fn call(arguments: &Value, _context: &Context<'_>) -> Outcome {
    Ok(Output { text: text(arguments, "message").to_owned(), structured: arguments.get("data").cloned() })
}
