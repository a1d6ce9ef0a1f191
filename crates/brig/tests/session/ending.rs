//! How sessions end: who may end them, with which status, and who is named.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;

use crate::boxed::{INITIALIZE, Talk, everyone};

#[test]
fn the_servers_own_status_is_brigs() {
    for place in everyone() {
        for status in [0, 1, 7, 77, 125, 255] {
            let end = place.run(&["run", "--", "sh", "-c", &format!("exit {status}")], b"");
            assert_eq!(end.status, status);
            let said =
                if status == 0 { String::new() } else { format!("brig: the server exited with status {status}\n") };
            assert_eq!(end.errors, said);
        }
        for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("ABRT", 6)] {
            let end = place.run(&["run", "--", "sh", "-c", &format!("kill -{name} $$")], b"");
            assert_eq!(end.status, 128 + number);
            assert_eq!(end.last_line(), format!("brig: the server was ended by {name} from inside the box"));
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn what_cannot_start_is_126_and_what_is_not_there_127() {
    for place in everyone() {
        let file = place.path("work/plain");
        std::fs::write(&file, "no program").unwrap();
        place.own(&file);
        let end = place.run(&["run", "--", "./plain"], b"");
        assert_eq!(end.status, 126, "{}", end.errors);
        for words in [["run", "--", "no-such-program-here"], ["run", "--", "/usr/bin/no-such-program-here"]] {
            let end = place.run(&words, b"");
            assert_eq!(end.status, 127, "{}", end.errors);
            assert!(
                end.errors.contains("no-such-program-here") && end.errors.contains("brig: error:"),
                "{}",
                end.errors
            );
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn signals_are_forwarded_at_once_and_a_second_one_kills() {
    for place in everyone() {
        for (signal, name, number) in [(Signal::TERM, "TERM", 15), (Signal::INT, "INT", 2), (Signal::HUP, "HUP", 1)] {
            let mut talk = place.sim(&[]);
            talk.ask(INITIALIZE);
            talk.signal(signal);
            let end = talk.end();
            assert_eq!(end.status, 128 + number);
            assert_eq!(
                end.last_line(),
                format!("brig: the server was ended by {name} from whoever sent brig a signal")
            );
        }
        // The server hears it, and may end in its own way.
        let script = "trap 'exit 42' TERM; echo up >&2; while :; do sleep 0.05; done";
        let talk = place.open(&["run", "--", "sh", "-c", script]);
        talk.wait_for("server: up");
        talk.signal(Signal::TERM);
        assert_eq!(talk.end().status, 42);

        let mut talk = place.sim(&["misbehave", "deaf_to_term"]);
        talk.ask(INITIALIZE);
        let start = Instant::now();
        talk.signal(Signal::TERM);
        assert!(talk.silent(Duration::from_millis(300)), "it is deaf");
        talk.signal(Signal::TERM);
        let end = talk.end();
        assert_eq!(end.status, 137);
        assert!(end.last_line().contains("KILL from whoever sent brig a signal"), "{}", end.errors);
        assert!(start.elapsed() < Duration::from_secs(20));
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_client_that_leaves_ends_the_server_in_three_steps() {
    for place in everyone() {
        let start = Instant::now();
        let mut talk = place.sim(&["misbehave", "deaf_to_term"]);
        talk.ask(INITIALIZE);
        let end = talk.leave();
        assert_eq!(end.status, 137);
        let said: Vec<&str> = end.errors.lines().collect();
        assert_eq!(
            said,
            [
                "brig: the server did not end with its client: sent TERM",
                "brig: the server did not end when told to: sent KILL",
                "brig: the server was ended by KILL from brig, since its client had left",
            ]
        );
        assert!(start.elapsed() >= Duration::from_secs(3), "both steps leave the server its time");
    }
}

#[test]
fn the_end_of_input_reaches_the_server_and_its_last_words_the_client() {
    for place in everyone() {
        // Half-close: it answers only when its input has ended.
        let script = "cat >/dev/null; for i in 1 2 3; do echo \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"method\\\":\\\"n/$i\\\"}\"; done; echo bye >&2";
        let end = place.run(&["run", "--", "sh", "-c", script], b"");
        assert_eq!(end.output.iter().filter(|byte| **byte == b'\n').count(), 3);
        assert_eq!((end.status, end.errors.as_str()), (0, "server: bye\n"));
    }
}

#[test]
fn raw_input_may_end_long_before_the_program() {
    for place in everyone() {
        let end = place.run(&["run", "--stdio", "raw", "--", "sh", "-c", "sleep 2; echo done"], b"");
        assert_eq!((end.status, end.output.as_slice()), (0, &b"done\n"[..]), "{}", end.errors);
        // But not for ever when nobody can read what it says.
        let mut command = place.command(&["run", "--stdio", "raw", "--", "sleep", "1000"]);
        let (reader, output) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().unwrap();
        drop(command);
        drop(reader);
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < crate::boxed::HANG, "brig hangs");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_client_that_no_longer_reads_has_left() {
    for place in everyone() {
        let mut command = place.command(&["run", "--", "{brig}", "__sim", "misbehave", "deaf_to_term"]);
        let (reader, output) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (input, to): (OwnedFd, OwnedFd) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let mut child = command.stdin(input).stdout(output).stderr(Stdio::null()).spawn().unwrap();
        drop(command);
        drop(reader);
        rustix::io::write(&to, format!("{INITIALIZE}\n").as_bytes()).unwrap();
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < crate::boxed::HANG, "brig hangs");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn streams_that_are_closed_or_never_block_are_no_trouble() {
    for place in everyone() {
        let brig = place.brig().to_str().unwrap().to_owned();
        for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("\"$1\" run -- \"$1\" __sim </dev/null {closed}"), "sh", &brig]);
            let end = crate::boxed::finish(place.dress(shell), b"");
            assert_eq!(end.status, 0, "{closed}: {}", end.errors);
        }
        // Non-blocking ends, as some clients make them: nothing is lost.
        let (from, to) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        let (reader, output) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        let mut command = place.command(&["run", "--stdio", "raw", "--", "head", "-c", "500000", "/dev/zero"]);
        let mut child = command.stdin(from).stdout(output).stderr(Stdio::null()).spawn().unwrap();
        drop(command);
        let (mut count, mut piece) = (0, vec![0; 65536]);
        loop {
            match rustix::io::read(&reader, &mut piece) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        assert_eq!((child.wait().unwrap().code(), count), (Some(0), 500_000));
        drop(to);
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_grandchild_that_holds_the_output_does_not_hold_the_session() {
    for place in everyone() {
        let start = Instant::now();
        let talk: Talk = place.open(&["run", "--", "sh", "-c", "sleep 600 & exit 5"]);
        assert_eq!(talk.end().status, 5);
        assert!(start.elapsed() < Duration::from_secs(30));
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn the_box_gets_pipes_of_its_own_and_nothing_else() {
    for place in everyone() {
        // The client's own streams are two files; the box must see neither of them.
        let path = place.path("work/streams");
        let mut command = place.command(&["run", "--stdio", "raw", "--", "sh", "-c", "ls -l /proc/self/fd"]);
        let file = || std::fs::File::options().create(true).append(true).read(true).open(&path).unwrap();
        let kept = file();
        rustix::io::fcntl_setfd(&kept, rustix::io::FdFlags::empty()).unwrap(); // inherited by brig
        let status = command.stdin(file()).stdout(file()).stderr(file()).status().unwrap();
        drop(kept);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(status.success(), "{text}");
        let open: Vec<&str> = text.lines().filter_map(|line| line.split_once(" -> ")).map(|(_, to)| to).collect();
        assert_eq!(open.len(), 4, "three pipes, and the folder that ls itself reads: {text}");
        assert_eq!(open.iter().filter(|to| to.starts_with("pipe:[")).count(), 3, "{text}");
    }
}

#[test]
fn brig_keeps_neither_zombies_nor_descriptors() {
    for place in everyone() {
        let mut talk = place.sim(&[]);
        talk.ask(INITIALIZE);
        let process = format!("/proc/{}", talk.pid());
        let children = std::fs::read_to_string(format!("{process}/task/{}/children", talk.pid())).unwrap();
        let children: Vec<&str> = children.split_whitespace().collect();
        assert_eq!(children.len(), 1, "init alone: {children:?}");
        let state = std::fs::read_to_string(format!("/proc/{}/stat", children[0])).unwrap();
        assert!(!state.contains(") Z "), "{state}");
        let count = || std::fs::read_dir(format!("{process}/fd")).unwrap().count();
        let before = count();
        for _ in 0..50 {
            talk.ask(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#);
        }
        assert_eq!(count(), before);
        assert!(before < 24, "{before} descriptors");
        assert_eq!(talk.leave().status, 0);
    }
}
