//! Probes of a box's life, and of its pipes.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::fcntl_setpipe_size;

use super::{done, outcome, say};

/// Writes a growing number into a file until the time is over: `heartbeat FILE SECONDS MARK`.
pub(super) fn heartbeat(words: &[String]) {
    println!("ready");
    let until = Instant::now() + Duration::from_secs(words[1].parse().unwrap());
    let mut beat = 0_u64;
    while Instant::now() < until {
        beat += 1;
        fs::write(&words[0], beat.to_string()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Opens its pipes again the wrong way round, resizes them and makes them packets; then answers a
/// line by another: `reopen-pipes ANSWER`.
pub(super) fn reopen_pipes(words: &[String]) {
    let write = OpenOptions::new().write(true).open("/dev/stdin");
    let read = File::open("/dev/stdout");
    let mut log = String::new();
    for (what, opened) in [("stdin for writing", &write), ("stdout for reading", &read)] {
        log = format!(
            "{log}{what}: {}\n",
            outcome(opened.as_ref().map(|_| "").map_err(|e| std::io::Error::from(e.kind())))
        );
    }
    for pipe in [write.unwrap(), read.unwrap()] {
        log = format!("{log}resized: {}\n", outcome(fcntl_setpipe_size(&pipe, 4096)));
        let packets = fcntl_getfl(&pipe).and_then(|flags| fcntl_setfl(&pipe, flags | OFlags::DIRECT));
        log = format!("{log}packets: {}\n", done(packets));
    }
    fcntl_setfl(std::io::stdout(), OFlags::WRONLY | OFlags::DIRECT).unwrap();
    eprint!("{log}");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    println!("{}", words[0]);
    std::io::stdout().flush().unwrap();
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}

pub(super) fn sleep(words: &[String]) {
    std::thread::sleep(Duration::from_secs(words[0].parse().unwrap()));
    say("slept", &words[0]);
}
