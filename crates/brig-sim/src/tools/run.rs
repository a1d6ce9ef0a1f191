//! `run`: starts any program that the system lets it start, and tells what it printed.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::{Context, Kind, Outcome, Pace, Param, Tool, page, processes, text, texts};
use crate::json::Value;

/// How long a program may run.
const TIME: Duration = Duration::from_secs(10);
/// How often its end and a cancellation are looked for.
const SLICE: Duration = Duration::from_millis(5);
/// How long its pipes are read after its end: a grandchild may hold them open for ever.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// How much of each of its two outputs is told; the rest is read and dropped.
const MAX_OUTPUT: usize = 1024 * 1024;

pub(crate) const TOOL: Tool = Tool {
    name: "run",
    title: "Run a program",
    about: "Runs a program and returns what it printed. \
            builtin:processes lists what runs on this machine; \
            builtin:environ NAME tells that variable of every other process; \
            builtin:page TEXT serves TEXT once on loopback and tells the address.",
    read_only: false,
    open_world: true,
    params: &[
        Param {
            name: "program",
            kind: Kind::Text,
            required: true,
            about: "A path, a name to be found in PATH, or one of the built-in programs.",
        },
        Param { name: "args", kind: Kind::Texts, required: false, about: "Its arguments; no shell reads them." },
    ],
    pace: Pace::Slow,
    call,
};

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("there is no built-in program {name}; there are builtin:processes and builtin:environ NAME")]
    Builtin { name: String },
    #[error("cannot look at /proc: {0}")]
    Processes(io::Error),
    #[error("cannot listen on loopback: {0}")]
    Page(io::Error),
    #[error("cannot start {program}: {source}")]
    Start { program: String, source: io::Error },
    #[error("cannot wait for {program}: {source}")]
    Wait { program: String, source: io::Error },
    #[error("{program} ran longer than {} s and was killed", TIME.as_secs())]
    TooLong { program: String },
    #[error("cancelled")]
    Cancelled,
    #[error("{program} ended with {status}\n{output}")]
    Failed { program: String, status: ExitStatus, output: String },
}

fn call(arguments: &Value, context: &Context<'_>) -> Outcome {
    let program = text(arguments, "program");
    let args = texts(arguments, "args");
    let output = match program.strip_prefix("builtin:") {
        Some(name) => builtin(name, &args)?,
        None => start(program, &args, context)?,
    };
    Ok(output.into())
}

fn builtin(name: &str, args: &[&str]) -> Result<String, RunError> {
    match (name, args) {
        ("processes", []) => processes::list().map_err(RunError::Processes),
        ("environ", [variable]) => processes::variable(variable).map_err(RunError::Processes),
        ("page", [text]) => page::serve_once(text).map_err(RunError::Page),
        _ => Err(RunError::Builtin { name: name.chars().take(80).collect() }),
    }
}

fn start(program: &str, args: &[&str], context: &Context<'_>) -> Result<String, RunError> {
    let named = || program.to_owned();
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .envs(context.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| RunError::Start { program: named(), source })?;
    let printed = child.stdout.take().map(collect);
    let complained = child.stderr.take().map(collect);
    let status = wait(&mut child, program, context);
    if status.is_err() {
        // It may have ended by itself meanwhile.
        let _ended = child.kill();
        let _reaped = child.wait();
    }
    let status = status?;
    let end = Instant::now() + AFTERWARDS;
    let mut output = receive(printed.as_ref(), end);
    output += &receive(complained.as_ref(), end);
    if status.success() { Ok(output) } else { Err(RunError::Failed { program: named(), status, output }) }
}

fn wait(child: &mut Child, program: &str, context: &Context<'_>) -> Result<ExitStatus, RunError> {
    let named = || program.to_owned();
    let end = Instant::now() + TIME;
    loop {
        let status = child.try_wait().map_err(|source| RunError::Wait { program: named(), source })?;
        if let Some(status) = status {
            return Ok(status);
        }
        if context.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        if Instant::now() > end {
            return Err(RunError::TooLong { program: named() });
        }
        std::thread::sleep(SLICE);
    }
}

/// Reads a pipe on a thread of its own, which ends with the pipe, or with us.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while let Ok(n @ 1..) = pipe.read(&mut chunk) {
            let room = MAX_OUTPUT - kept.len();
            kept.extend_from_slice(&chunk[..n.min(room)]);
        }
        // Nobody waits for it any more when the call was given up.
        let _given_up = sender.send(kept);
    });
    receiver
}

fn receive(pipe: Option<&Receiver<Vec<u8>>>, end: Instant) -> String {
    let left = end.saturating_duration_since(Instant::now());
    match pipe.map(|pipe| pipe.recv_timeout(left)) {
        Some(Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Some(Err(RecvTimeoutError::Timeout)) => {
            "(a process that was left behind still holds this output open)\n".to_owned()
        }
        Some(Err(RecvTimeoutError::Disconnected)) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn a_page_of_its_own_can_be_fetched_once() {
        let url = run("builtin:page", &["welcome"], false).unwrap();
        let authority = url.trim_end().strip_prefix("http://").unwrap();
        let authority = authority.trim_end_matches('/');
        let mut stream = std::net::TcpStream::connect(authority).unwrap();
        io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nwelcome"), "{answer}");
        let end = Instant::now() + Duration::from_secs(5);
        while std::net::TcpStream::connect(authority).is_ok() {
            assert!(Instant::now() < end, "it listens no longer after one answer");
        }
    }

    fn run(program: &str, args: &[&str], cancelled: bool) -> Result<String, String> {
        let arguments = crate::json::object([("program", program.into()), ("args", crate::json::texts(args))]);
        let context = Context { env: &[("ONLY".into(), "this".into())], cancelled: &AtomicBool::new(cancelled) };
        call(&arguments, &context).map(|output| output.text).map_err(|why| why.to_string())
    }

    #[test]
    fn runs_programs_with_exactly_the_given_environment() {
        assert_eq!(run("/usr/bin/env", &[], false), Ok("ONLY=this\n".to_owned()));
        let why = run("/bin/sh", &["-c", "echo out; echo err >&2; exit 3"], false).unwrap_err();
        assert!(why.ends_with("exit status: 3\nout\nerr\n"), "{why}");
        let why = run("/nowhere", &[], false).unwrap_err();
        assert!(why.starts_with("cannot start /nowhere: "), "{why}");
    }

    #[test]
    fn does_not_wait_for_what_is_left_behind() {
        let begun = Instant::now();
        let text = run("/bin/sh", &["-c", "sleep 5 & echo out"], false).unwrap();
        assert!(text.contains("left behind"), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_cancelled_program_is_killed() {
        let begun = Instant::now();
        assert_eq!(run("/bin/sleep", &["9"], true), Err("cancelled".to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn finds_one_variable_of_another_process_and_no_other() {
        let mut other = Command::new("/bin/sleep")
            .arg("30")
            .env_clear()
            .env("BRIG_SIM_PLANTED", "found")
            .env("BRIG_SIM_OTHER", "never told")
            .spawn()
            .unwrap();
        // Until the program is loaded, its environment is still that of this test.
        let line = format!("{} BRIG_SIM_PLANTED=found\n", other.id());
        let end = Instant::now() + Duration::from_secs(5);
        let mut text = String::new();
        while !text.contains(&line) && Instant::now() < end {
            text = run("builtin:environ", &["BRIG_SIM_PLANTED"], false).unwrap();
        }
        let listed = run("builtin:processes", &[], false).unwrap();
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(text.contains(&line), "{text}");
        assert!(!text.contains("never told"), "{text}");
        assert!(listed.contains(&format!("{} sleep\n", other.id())), "{listed}");
        assert!(run("builtin:shutdown", &[], false).is_err());
    }
}
