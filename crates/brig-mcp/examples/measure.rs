//! Microseconds per message, for brig's scanner and for `serde_json` doing the same work.
//!
//! `cargo run --release -p brig-mcp --example measure` prints one table. "brig" is everything that
//! happens to a message here: cut out of the stream and judged. The others only read it: `strict`
//! is `serde_json` with a visitor that rejects repeated keys, `ignore` is `serde_json` that checks
//! the grammar and nothing else. An argument picks the rows whose name holds it. The medians of alternating runs are shown.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use brig_mcp::frame::Framer;
use brig_mcp::fuzz::strict;
use brig_mcp::judge::{Judge, Verdict};

const MIB: usize = 1024 * 1024;
/// What one read of a full pipe brings.
const PIPE: usize = 64 * 1024;

fn main() {
    println!(
        "| message | bytes | brig µs | of it framing | strict µs | ignore µs | brig MB/s | peak memory / message |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    row("tools/call", &call());
    row("tools/list", &tool_list());
    for size in [MIB, 4 * MIB, 16 * MIB, 64 * MIB] {
        row("one base64 string", &base64(size));
        row("many small objects", &objects(size));
    }
    row("text beyond ASCII", &text(16 * MIB));
    row("one large object", &wide(16 * MIB));
}

fn row(name: &str, message: &[u8]) {
    if std::env::args().nth(1).is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
    let rounds = (256 * MIB / message.len()).clamp(5, 20_000);
    let mut judged = Vec::new();
    let mut framed = Vec::new();
    let mut strictly = Vec::new();
    let mut ignoring = Vec::new();
    let mut peak = 0;
    let (mut client, mut server) = Judge::pair();
    let mut framer = Framer::new();
    for _ in 0..rounds {
        ask(&mut client);
        let before = resident();
        judged.push(time(|| carry(&mut framer, message, Some(&mut server))));
        if message.len() >= MIB {
            peak = peak.max(high_water().saturating_sub(before));
        }
        framed.push(time(|| carry(&mut framer, message, None)));
        strictly.push(time(|| assert!(strict(black_box(message)))));
        ignoring.push(time(|| {
            black_box(serde_json::from_slice::<serde::de::IgnoredAny>(black_box(message)).expect("JSON"));
        }));
    }
    let judged = median(judged);
    println!(
        "| {name} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {} |",
        message.len(),
        micros(judged),
        micros(median(framed)),
        micros(median(strictly)),
        micros(median(ignoring)),
        message.len() as f64 / judged.as_secs_f64() / 1e6,
        if message.len() < MIB { "-".to_owned() } else { format!("{:.2}", peak as f64 / message.len() as f64) },
    );
}

/// The request that the measured message answers.
fn ask(client: &mut Judge) {
    let request =
        brig_mcp::frame::Line::new(br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a"}}"#);
    assert_eq!(client.judge(request), Verdict::Forward);
}

/// The way of one message: from a pipe into the framer, out as a line, before the judge.
fn carry(framer: &mut Framer, message: &[u8], mut judge: Option<&mut Judge>) {
    for piece in message.chunks(PIPE) {
        let mut rest = piece;
        while !rest.is_empty() {
            let space = framer.space();
            let n = space.len().min(rest.len());
            space[..n].copy_from_slice(&rest[..n]);
            framer.filled(n);
            rest = &rest[n..];
            while let Some(line) = framer.next().expect("within the limit") {
                assert_eq!(line.bytes().len(), message.len());
                if let Some(judge) = judge.as_deref_mut() {
                    assert_eq!(judge.judge(line), Verdict::Forward);
                }
            }
        }
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Bytes resident now; the high-water mark starts again from here.
fn resident() -> usize {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    status("VmRSS:")
}

fn high_water() -> usize {
    status("VmHWM:")
}

fn status(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap_or(0) * 1024
}

fn answer(result: &str) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{result}}}\n").into_bytes()
}

/// An answer of some 134 bytes, as a small tool gives.
fn call() -> Vec<u8> {
    answer(r#"{"content":[{"type":"text","text":"Echo: hello there, this is a test"}],"isError":false}"#)
}

/// Some 15 kB, as servers of twenty tools list them.
fn tool_list() -> Vec<u8> {
    let mut tools = String::new();
    for n in 0..24 {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(
            tools,
            r#"{comma}{{"name":"tool_number_{n}","title":"Tool {n}","description":"Reads the complete contents of a file from the file system. Handles various encodings, and says what went wrong when the file cannot be read.","inputSchema":{{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{{"path":{{"type":"string","description":"Where the file lies"}},"head":{{"type":"number","description":"Only the first lines"}},"tail":{{"type":"number","description":"Only the last lines"}}}},"required":["path"],"additionalProperties":false}},"annotations":{{"readOnlyHint":true}}}}"#
        );
    }
    answer(&format!("{{\"tools\":[{tools}]}}"))
}

fn base64(size: usize) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let data: String = (0..size).map(|n| char::from(alphabet[(n * 31 + n / 64) % 64])).collect();
    answer(&format!(r#"{{"content":[{{"type":"image","mimeType":"image/png","data":"{data}"}}]}}"#))
}

fn objects(size: usize) -> Vec<u8> {
    let mut items = String::with_capacity(size + 100);
    let mut n = 0;
    while items.len() < size {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(items, r#"{comma}{{"id":{n},"name":"n{n}","ok":true,"at":[1.5,2]}}"#);
        n += 1;
    }
    answer(&format!(r#"{{"structuredContent":{{"rows":[{items}]}}}}"#))
}

fn text(size: usize) -> Vec<u8> {
    answer(&format!(r#"{{"content":[{{"type":"text","text":"{}"}}]}}"#, "日本語のテキスト, grüße\\n".repeat(size / 35)))
}

fn wide(size: usize) -> Vec<u8> {
    let mut members = String::with_capacity(size + 100);
    let mut n = 0;
    while members.len() < size {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(members, r#"{comma}"k{n}":0"#);
        n += 1;
    }
    answer(&format!(r#"{{"structuredContent":{{{members}}}}}"#))
}
