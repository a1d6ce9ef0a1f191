//! The real clients. Each is given a server the way its users give it: by an entry of a configuration file.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::world::{World, both, brig, cache};

/// What a client starts: `brig run` and these words, in this folder of the world, with these variables of the client.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    pub(crate) run: Vec<String>,
    pub(crate) cwd: &'static str,
    pub(crate) env: Vec<(String, String)>,
}

impl Entry {
    pub(crate) fn new(run: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { run: run.into_iter().map(Into::into).collect(), cwd: "home", env: Vec::new() }
    }

    pub(crate) fn in_folder(mut self, cwd: &'static str) -> Self {
        self.cwd = cwd;
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn args(&self) -> Vec<&str> {
        std::iter::once("run").chain(self.run.iter().map(String::as_str)).collect()
    }
}

/// A method of the inspector, with its further arguments.
pub(crate) type Method<'a> = &'a [&'a str];

/// The tools of a server, as `mcp-inspector` lists them.
pub(crate) fn tools(world: &World, entry: &Entry) -> Vec<String> {
    let listed = inspect(world, entry, &["tools/list"]).unwrap_or_else(|why| panic!("{why}"));
    let tools = listed["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

/// Calls a tool by `mcp-inspector`; arguments are `name=value`. The text of the answer, which must not be an error.
pub(crate) fn call(world: &World, entry: &Entry, tool: &str, arguments: &[&str]) -> String {
    let answer = answer(world, entry, tool, arguments);
    answer.unwrap_or_else(|why| panic!("{tool} as {}: {why}", world.who()))
}

/// The same for a call that the server must refuse.
pub(crate) fn call_fails(world: &World, entry: &Entry, tool: &str, arguments: &[&str]) -> String {
    let answer = answer(world, entry, tool, arguments);
    answer.expect_err(&format!("{tool} {arguments:?} succeeded as {}", world.who()))
}

fn answer(world: &World, entry: &Entry, tool: &str, arguments: &[&str]) -> Result<String, String> {
    let mut method = vec!["tools/call", "--tool-name", tool];
    for argument in arguments {
        method.extend(["--tool-arg", argument]);
    }
    let answer = inspect(world, entry, &method)?;
    let text = answer["content"][0]["text"].as_str().ok_or_else(|| answer.to_string())?;
    if answer["isError"] == true { Err(text.to_owned()) } else { Ok(text.to_owned()) }
}

/// One run of `mcp-inspector --cli`: the result, or both streams when there was none.
fn inspect(world: &World, entry: &Entry, method: Method<'_>) -> Result<Value, String> {
    let env: serde_json::Map<_, _> = entry.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let server = json!({ "command": brig(), "args": entry.args(), "env": env });
    let config = world.write("inspector.json", &json!({ "mcpServers": { "it": server } }).to_string());
    let mut command = world.command(cache("npm-clients/node_modules/.bin/mcp-inspector"), entry.cwd);
    command.arg("--cli").arg("--config").arg(config).args(["--server", "it", "-q", "--method"]).args(method);
    let output = command.output().unwrap();
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let alone = world.command(brig(), entry.cwd).args(entry.args()).output().unwrap();
        format!("{}\nand brig alone: {}", both(&output), both(&alone))
    })
}

/// What the Python package sees of a server, one fact a line; `mode` is `legacy`, `auto` or a version.
pub(crate) fn python(world: &World, entry: &Entry, mode: &str, call: (&str, Value)) -> Output {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/real/drive.py");
    let mut command = world.command(cache("pypi-clients/bin/python"), entry.cwd);
    command.arg(script).args([mode, call.0, &call.1.to_string(), brig()]).args(entry.args());
    command.output().unwrap()
}

/// What `opencode mcp list` says about servers, each with its name.
pub(crate) fn opencode(world: &World, servers: &[(String, Entry)]) -> Output {
    let entry = |entry: &Entry| {
        let command: Vec<&str> = std::iter::once(brig()).chain(entry.args()).collect();
        json!({ "type": "local", "command": command, "enabled": true, "timeout": 30_000 })
    };
    let servers: serde_json::Map<_, _> = servers.iter().map(|(name, it)| (name.clone(), entry(it))).collect();
    world.write("home/.config/opencode/opencode.json", &json!({ "autoupdate": false, "mcp": servers }).to_string());
    // Not by its launcher, which wants a script of its installation to have run.
    let program = cache("npm-clients/node_modules/opencode-linux-x64/bin/opencode");
    let mut command = world.command(program, "home");
    stay_here(&mut command).args(["mcp", "list"]).output().unwrap()
}

/// opencode would ask for news: it is told not to, and what it asks in spite of that ends at a closed port.
fn stay_here(command: &mut Command) -> &mut Command {
    command.envs([("OPENCODE_DISABLE_MODELS_FETCH", "1"), ("OPENCODE_DISABLE_AUTOUPDATE", "1")]);
    command.envs([("HTTP_PROXY", "http://127.0.0.1:9"), ("HTTPS_PROXY", "http://127.0.0.1:9")])
}
