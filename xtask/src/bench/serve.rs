//! An MCP server that does nothing but answer, and a relay that does nothing but copy.
//!
//! The server is part of this static program, so the same bytes run plainly, under every contender
//! and inside an image without a C library.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A request, as far as the server reads it.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    arguments: &'a RawValue,
}

const INITIALIZED: &str =
    r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#;
const TOOLS: &str = r#"{"tools":[{"name":"echo","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}]}"#;

/// Answers each line of standard input until it ends. `tools/call` gives its arguments back.
pub(super) fn serve() -> Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let mut output = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        answer(&line, &mut output)?;
        output.flush()?;
        if line.capacity() > 1 << 20 {
            line = Vec::new(); // what a large message took is given back at once
        }
        line.clear();
    }
    Ok(())
}

fn answer(line: &[u8], output: &mut impl Write) -> Result<()> {
    let request: Request<'_> = serde_json::from_slice(line).context("a line is no request")?;
    let Some(id) = request.id else { return Ok(()) };
    write!(output, r#"{{"jsonrpc":"2.0","id":{id},"result":"#)?;
    match (request.method, request.params) {
        ("initialize", _) => output.write_all(INITIALIZED.as_bytes())?,
        ("tools/list", _) => output.write_all(TOOLS.as_bytes())?,
        ("tools/call", Some(params)) => {
            let call: Call<'_> = serde_json::from_str(params.get()).context("a call has arguments")?;
            output.write_all(br#"{"content":[],"structuredContent":"#)?;
            output.write_all(call.arguments.get().as_bytes())?;
            output.write_all(b"}")?;
        }
        _ => output.write_all(b"{}")?,
    }
    output.write_all(b"}\n").context("cannot answer")
}

/// Runs a command and copies bytes between it and our own standard streams.
pub(super) fn relay(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("a relay needs a command")?;
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let inward = child.stdin.take().context("a piped stdin is there")?;
    let outward = child.stdout.take().context("a piped stdout is there")?;
    let copier = std::thread::spawn(move || copy(std::io::stdin().lock(), inward));
    copy(outward, std::io::stdout().lock())?;
    child.wait()?;
    drop(copier); // it may wait for our stdin, which nobody reads any more
    Ok(())
}

/// Not `io::copy`, which would splice: a relay that judges has to read.
fn copy(mut from: impl Read, mut to: impl Write) -> Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length])?;
        to.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let mut output = Vec::new();
        answer(line.as_bytes(), &mut output).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }

    #[test]
    fn a_call_gives_its_arguments_back_and_a_notification_nothing() {
        check(
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"a": [1]}}}"#,
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[],\"structuredContent\":{\"a\": [1]}}}\n",
        );
        check(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "");
        assert!(answer(b"nonsense", &mut Vec::new()).is_err());
    }
}
