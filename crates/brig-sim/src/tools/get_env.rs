//! `get_env`: tells what is in its environment.

use super::{Context, Kind, Outcome, Pace, Param, Tool};
use crate::json::Value;

pub(crate) const TOOL: Tool = Tool {
    name: "get_env",
    title: "Read the environment",
    about: "Returns one environment variable, or all of them as NAME=value lines.",
    read_only: true,
    open_world: false,
    params: &[Param {
        name: "name",
        kind: Kind::Text,
        required: false,
        about: "The variable; all of them when left out.",
    }],
    pace: Pace::Prompt,
    call,
};

#[derive(Debug, thiserror::Error)]
enum GetEnvError {
    #[error("the variable {name} is not set")]
    Unset { name: String },
}

fn call(arguments: &Value, context: &Context<'_>) -> Outcome {
    let Some(name) = arguments.get("name").and_then(Value::as_text) else {
        let lines =
            context.env.iter().map(|(name, value)| format!("{}={}\n", name.to_string_lossy(), value.to_string_lossy()));
        return Ok(lines.collect::<String>().into());
    };
    let (_, value) = context
        .env
        .iter()
        .find(|(candidate, _)| candidate == name)
        .ok_or_else(|| GetEnvError::Unset { name: name.chars().take(80).collect() })?;
    Ok(value.to_string_lossy().into_owned().into())
}
