//! The demo against real processes: as a plain process again, and in boxes made by bubblewrap, one
//! whole and several with one wall missing. It proves that the judgement tells them apart.
//!
//! This program is its own simulated server (`__sim`), so that it needs no other file.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program with an output of its own"
)]

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use brig_runtime::demo::{self, BoxOrder, DemoError, Order, Outcome, Report, StartBox, Style, Talk, Verdict};

const TESTS: &[(&str, fn())] = &[
    ("no_box_at_all_is_seen_as_broken", no_box_at_all_is_seen_as_broken),
    ("a_whole_box_holds", a_whole_box_holds),
    ("each_missing_wall_is_seen", each_missing_wall_is_seen),
    ("a_box_that_stops_the_server_is_broken", a_box_that_stops_the_server_is_broken),
    ("a_box_that_cannot_be_made_is_said", a_box_that_cannot_be_made_is_said),
    ("a_plain_process_that_proves_nothing", a_plain_process_that_proves_nothing),
    ("an_interruption_cleans_up", an_interruption_cleans_up),
    ("errors_clean_up", errors_clean_up),
    ("a_kill_leaves_nothing_that_runs", a_kill_leaves_nothing_that_runs),
];

#[expect(clippy::disallowed_methods, reason = "the server of this test program tells its environment")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "__sim") {
        let facts = brig_sim::Facts { env: std::env::vars_os().collect(), words: vec!["__sim".to_owned()] };
        let status = brig_sim::enter(&words[1..], io::stdin().lock(), io::stdout(), &facts);
        return status.map_or(ExitCode::FAILURE, ExitCode::from);
    }
    if let [word, scratch] = words.as_slice()
        && word == "__demo_until_killed"
    {
        demo_until_killed(Path::new(scratch));
    }
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen = TESTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| name.contains(*word)));
    let mut failed = 0;
    for (name, test) in chosen {
        let ok = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        failed += usize::from(!ok);
    }
    ExitCode::from(u8::from(failed > 0))
}

/// Runs the demo in a scratch folder of its own, and checks that it leaves nothing there.
fn demo(start: &mut StartBox<'_>) -> Report {
    demo_with(&["__sim"], start)
}

fn demo_with(words: &[&str], start: &mut StartBox<'_>) -> Report {
    let scratch = tempfile::tempdir().unwrap();
    let report = demo::run(
        &Order {
            program: &std::env::current_exe().unwrap(),
            words: &words.iter().map(ToString::to_string).collect::<Vec<_>>(),
            scratch: scratch.path(),
            stop: &AtomicBool::new(false),
        },
        start,
    )
    .unwrap();
    assert_eq!(left_in(scratch.path()), 0);
    report
}

fn left_in(scratch: &Path) -> usize {
    std::fs::read_dir(scratch).unwrap().count()
}

/// Starts a command as the server.
fn spawn(mut command: Command) -> Result<Talk, Box<dyn Error + Send + Sync>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let input = child.stdin.take().ok_or("no input")?;
    let output = child.stdout.take().ok_or("no output")?;
    Ok(Talk {
        input: Box::new(input),
        output: Box::new(output),
        end: Box::new(move || {
            let end = Instant::now() + Duration::from_secs(1);
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(2));
            }
            // It may have ended by itself.
            let _ended = child.kill();
            let _reaped = child.wait();
        }),
    })
}

/// The same wall as none: the server, with what it was given.
fn unboxed(order: &BoxOrder) -> Command {
    let mut command = Command::new(&order.program);
    command.args(&order.words).envs(order.env.clone());
    command
}

/// A box by other means than ours, with the walls that the demo is about, but for the missing ones.
fn bubblewrap(order: &BoxOrder, missing: &[Wall]) -> Command {
    let has = |wall| !missing.contains(&wall);
    let mut command = Command::new("bwrap");
    command.args(["--die-with-parent", "--clearenv"]);
    if has(Wall::Processes) {
        command.arg("--unshare-user");
    } else {
        // A user namespace or fewer capabilities would be a wall before other processes as well.
        command.args(["--cap-add", "ALL"]);
    }
    if has(Wall::Network) {
        command.arg("--unshare-net");
    }
    if has(Wall::Root) {
        command.args(["--tmpfs", "/tmp", "--dev", "/dev"]);
        command.arg("--ro-bind").args([&order.grant, &order.grant]);
    } else {
        command.args(["--ro-bind", "/", "/"]);
    }
    if has(Wall::Processes) {
        command.args(["--unshare-pid", "--proc", "/proc"]);
    } else if has(Wall::Root) {
        command.args(["--ro-bind", "/proc", "/proc"]);
    }
    for (name, value) in &order.env {
        let secret = name.contains("TOKEN") && has(Wall::Placeholder);
        let value = if secret { "0".repeat(value.len()) } else { value.clone() };
        command.args(["--setenv", name, &value]);
    }
    if has(Wall::Root) {
        command.arg("--ro-bind").arg(&order.program).arg("/run/sim");
        command.arg("/run/sim");
    } else {
        command.arg(&order.program);
    }
    command.args(&order.words);
    command
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wall {
    Network,
    Root,
    Processes,
    Placeholder,
}

/// Whether bubblewrap can make boxes here; if not, says so.
fn can_wrap(test: &str) -> bool {
    let mut try_it = Command::new("bwrap");
    try_it.args(["--unshare-all", "--ro-bind", "/", "/", "true"]);
    match try_it.stderr(Stdio::null()).status() {
        Ok(status) if status.success() => true,
        Ok(_) => {
            eprintln!("SKIP: {test}: bwrap cannot make namespaces here");
            false
        }
        Err(why) => {
            eprintln!("SKIP: {test}: bwrap: {why}");
            false
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn reached(report: &Report) -> Vec<&'static str> {
    let rows = report.rows.iter();
    rows.filter(|row| *row.boxed() == Outcome::Reached).map(|row| row.attempt.id).collect()
}

fn explain(report: &Report) -> String {
    let style = Style { width: 100, colour: false };
    demo::table(report, style)
}

fn no_box_at_all_is_seen_as_broken() {
    let report = demo(&mut |order| spawn(unboxed(order)));
    let all: Vec<&str> = demo::ATTEMPTS.iter().map(|attempt| attempt.id).collect();
    assert_eq!(reached(&report), all, "{}", explain(&report));
    assert_eq!(report.verdict(), Verdict::Broken);
    for call in &report.harmless {
        for works in call.plain.both().into_iter().chain(call.boxed.both()) {
            assert_eq!(works, &Ok(()), "{}", call.call);
        }
    }
}

fn a_whole_box_holds() {
    if !can_wrap("a whole box holds") {
        return;
    }
    let begun = Instant::now();
    let report = demo(&mut |order| spawn(bubblewrap(order, &[])));
    let took = begun.elapsed();
    assert_eq!(report.verdict(), Verdict::Held, "{}", explain(&report));
    assert!(took < Duration::from_secs(3), "{took:?}");
}

fn each_missing_wall_is_seen() {
    if !can_wrap("each missing wall is seen") {
        return;
    }
    for (wall, gives_away) in [
        (Wall::Network, &["cloud-metadata", "local-service"][..]),
        (Wall::Placeholder, &["environment"]),
        (Wall::Root, &["home-key", "outside-grant"]),
        (Wall::Processes, &["other-process"]),
    ] {
        if wall == Wall::Processes && !is_root() {
            eprintln!("SKIP: demo_wall_{wall:?}: only root can have bwrap leave out the user namespace");
            continue;
        }
        let report = demo(&mut |order| spawn(bubblewrap(order, &[wall])));
        assert_eq!(reached(&report), gives_away, "{wall:?}\n{}", explain(&report));
        assert_eq!(report.verdict(), Verdict::Broken, "{wall:?}");
    }
}

fn a_box_that_stops_the_server_is_broken() {
    for behaviour in ["half_line", "exits_with_code", "duplicate_keys", "flood", "endless_line"] {
        let report = demo(&mut |order| {
            let mut command = unboxed(order);
            command.args(["misbehave", behaviour]);
            spawn(command)
        });
        // Doubled keys are read by most as their last one: there the calls work and get through.
        assert_eq!(report.verdict(), Verdict::Broken, "{behaviour}");
        assert_eq!(reached(&report).is_empty(), behaviour != "duplicate_keys", "{behaviour}");
    }
}

fn a_box_that_cannot_be_made_is_said() {
    let mut asked = 0;
    let report = demo(&mut |_order| {
        asked += 1;
        Err(Box::new(io::Error::other("no namespaces\u{1b}[2J here")))
    });
    assert_eq!(asked, 1, "once is enough");
    assert_eq!(report.verdict(), Verdict::CannotTell);
    assert_eq!(report.no_box.as_deref(), Some("no namespaces?[2J here"));
    assert!(report.rows.iter().all(|row| *row.plain() == Outcome::Reached));
}

fn a_plain_process_that_proves_nothing() {
    // The words lead to a server that ends at once: the process to look at cannot be started.
    let scratch = tempfile::tempdir().unwrap();
    let failed = demo::run(
        &Order { program: Path::new("/bin/true"), words: &[], scratch: scratch.path(), stop: &AtomicBool::new(false) },
        &mut |order| spawn(unboxed(order)),
    );
    assert!(matches!(failed, Err(DemoError::Holder { .. })), "{failed:?}");
    assert_eq!(left_in(scratch.path()), 0);

    // A program that can hold, but whose server does not speak.
    let mute = scratch.path().join("mute");
    let sim = std::env::current_exe().unwrap();
    std::fs::write(&mute, format!("#!/bin/sh\n[ \"$2\" = hold ] && exec {} \"$@\"\nexit 0\n", sim.display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&mute, mode).unwrap();
    let inner = scratch.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let report = demo::run(
        &Order { program: &mute, words: &["__sim".to_owned()], scratch: &inner, stop: &AtomicBool::new(false) },
        &mut |order| spawn(unboxed(order)),
    )
    .unwrap();
    assert_eq!(report.verdict(), Verdict::CannotTell, "{}", explain(&report));
}

fn an_interruption_cleans_up() {
    let scratch = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let failed = demo::run(
        &Order {
            program: &std::env::current_exe().unwrap(),
            words: &["__sim".to_owned()],
            scratch: scratch.path(),
            stop: &stop,
        },
        &mut |order| {
            // The box is there, but silent, when the user presses Ctrl-C.
            stop.store(true, Ordering::Relaxed);
            let mut command = unboxed(order);
            command.args(["misbehave", "never_answers"]);
            spawn(command)
        },
    );
    assert!(matches!(failed, Err(DemoError::Interrupted)), "{failed:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(left_in(scratch.path()), 0);
    assert_eq!(children(), "");
}

fn errors_clean_up() {
    let nowhere = PathBuf::from("/nowhere/at/all");
    let stop = AtomicBool::new(false);
    let order = |scratch| Order { program: Path::new("/nowhere/brig"), words: &[], scratch, stop: &stop };
    let start: &mut StartBox<'_> = &mut |order| spawn(unboxed(order));
    let failed = demo::run(&order(&nowhere), start);
    assert!(matches!(failed, Err(DemoError::Folder { .. })), "{failed:?}");
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"/tmp/\xff");
    let failed = demo::run(&order(Path::new(odd)), start);
    assert!(matches!(failed, Err(DemoError::Name { .. })), "{failed:?}");
    let scratch = tempfile::tempdir().unwrap();
    let failed = demo::run(&order(scratch.path()), start).unwrap_err();
    assert!(matches!(failed, DemoError::Holder { .. }), "{failed:?}");
    assert!(failed.hint().is_some());
    assert_eq!(left_in(scratch.path()), 0);
}

/// The processes that are children of this one.
fn children() -> String {
    children_of(std::process::id())
}

fn children_of(pid: u32) -> String {
    let mut all = String::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        all += &std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap();
    }
    all
}

/// A demo that says when it wants its box, and then waits to be killed.
fn demo_until_killed(scratch: &Path) {
    let report = demo::run(
        &Order {
            program: &std::env::current_exe().unwrap(),
            words: &["__sim".to_owned()],
            scratch,
            stop: &AtomicBool::new(false),
        },
        &mut |_order| {
            println!("waiting");
            std::thread::sleep(Duration::from_secs(60));
            Err(Box::new(io::Error::other("nobody came")))
        },
    );
    drop(report);
}

fn a_kill_leaves_nothing_that_runs() {
    let scratch = tempfile::tempdir().unwrap();
    let mut killed = Command::new(std::env::current_exe().unwrap())
        .arg("__demo_until_killed")
        .arg(scratch.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let output = killed.stdout.take().unwrap();
    io::BufRead::read_line(&mut io::BufReader::new(output), &mut line).unwrap();
    assert_eq!(line, "waiting\n");
    let left: Vec<PathBuf> =
        children_of(killed.id()).split_whitespace().map(|pid| PathBuf::from(format!("/proc/{pid}/exe"))).collect();
    assert_eq!(left.len(), 1, "the process that holds a token: {left:?}");
    killed.kill().unwrap();
    killed.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    // A dead process whose new parent has not yet noticed has no program any more.
    while left.iter().any(|exe| exe.read_link().is_ok()) {
        assert!(Instant::now() < end, "still there: {left:?}");
        std::thread::sleep(Duration::from_millis(5));
    }

    assert_eq!(left_in(scratch.path()), 1, "its folder");
    let folder = std::fs::read_dir(scratch.path()).unwrap().next().unwrap();
    let folder = std::fs::File::open(folder.unwrap().path()).unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(60);
    folder.set_modified(long_ago).unwrap();
    let next = demo::run(
        &Order {
            program: &std::env::current_exe().unwrap(),
            words: &["__sim".to_owned()],
            scratch: scratch.path(),
            stop: &AtomicBool::new(true),
        },
        &mut |order| spawn(unboxed(order)),
    );
    assert!(matches!(next, Err(DemoError::Interrupted)), "{next:?}");
    assert_eq!(left_in(scratch.path()), 0);
}
