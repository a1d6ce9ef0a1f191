//! Every server in both forms: it lists its tools and answers a call, for each client.

use crate::clients::{call, opencode, python, tools};
use crate::servers::{FORMS, Form, NEEDS, SERVERS, Server, make_project};
use crate::world::{both, worlds};

/// `mcp-inspector` lists the tools and calls one.
fn inspected(name: &str) {
    let server = Server::find(name);
    for world in worlds(&format!("{name} by mcp-inspector"), NEEDS) {
        make_project(&world);
        for form in FORMS {
            let entry = server.entry(form, &world);
            let tools = tools(&world, &entry);
            assert!(tools.iter().any(|tool| tool == server.lists), "{form:?} as {}: {tools:?}", world.who());
            let arguments = server.arguments(&world);
            let pairs: Vec<String> = arguments
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
                .collect();
            let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
            let said = call(&world, &entry, server.call.0, &pairs);
            assert!(said.contains(server.call.2), "{form:?} as {}: {said}", world.who());
        }
    }
}

#[test]
fn everything_answers_the_inspector() {
    inspected("everything");
}

#[test]
fn filesystem_answers_the_inspector() {
    inspected("filesystem");
}

#[test]
fn memory_answers_the_inspector() {
    inspected("memory");
}

#[test]
fn time_answers_the_inspector() {
    inspected("time");
}

#[test]
fn git_answers_the_inspector() {
    inspected("git");
}

/// The Python package drives all five in this form: by the handshake, or after asking for the newest era.
fn driven(form: Form, mode: &str) {
    let needs = [NEEDS, &["pypi-clients.stamp"]].concat();
    for world in worlds(&format!("{form:?} by the Python client, {mode}"), &needs) {
        make_project(&world);
        for server in &SERVERS {
            // Those written in Python speak the newest version; the others answer a probe with the one before.
            let speaks_newest = matches!(server.name, "time" | "git");
            let version = if mode == "auto" && speaks_newest { "2026-07-28" } else { "2025-11-25" };
            let entry = server.entry(form, &world);
            let output = python(&world, &entry, mode, (server.call.0, server.arguments(&world)));
            let said = String::from_utf8_lossy(&output.stdout);
            let context = || format!("{} as {form:?} as {}: {}", server.name, world.who(), both(&output));
            assert!(said.starts_with(&format!("version {version}\ntools ")), "{}", context());
            assert!(said.contains(server.lists) && said.contains("\nerror False\n"), "{}", context());
            let text: String = serde_json::from_str(said.split("\ntext ").nth(1).unwrap()).unwrap();
            assert!(text.contains(server.call.2), "{}", context());
        }
    }
}

#[test]
fn programs_answer_the_python_client() {
    driven(Form::Program, "legacy");
}

#[test]
fn programs_answer_the_python_client_that_asks_for_the_newest_era() {
    driven(Form::Program, "auto");
}

#[test]
fn images_answer_the_python_client() {
    driven(Form::Image, "legacy");
}

#[test]
fn images_answer_the_python_client_that_asks_for_the_newest_era() {
    driven(Form::Image, "auto");
}

#[test]
fn opencode_connects_to_all_of_them() {
    for world in worlds("opencode mcp list", NEEDS) {
        make_project(&world);
        let mut servers = Vec::new();
        for server in &SERVERS {
            for form in FORMS {
                let mut entry = server.entry(form, &world);
                // opencode starts every server in one folder.
                if entry.run[0] == "--here" {
                    entry.run[0] = format!("-v={0}:{0}", world.text("project"));
                }
                servers.push((format!("{}-{form:?}", server.name), entry));
            }
        }
        let output = opencode(&world, &servers);
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        for (name, _) in &servers {
            let connected = said.lines().any(|line| line.contains(name) && line.contains("connected"));
            assert!(connected, "{name} as {}: {}", world.who(), both(&output));
        }
    }
}
