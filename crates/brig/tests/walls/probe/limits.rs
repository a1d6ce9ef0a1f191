//! Probes of what a box may use.

use std::fs::File;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{done, say};

const MIB: usize = 1024 * 1024;
/// Memory is handed out in pages of this size at least.
const PAGE: usize = 4096;

/// Uses that many MiB of memory.
pub(super) fn touch_memory(words: &[String]) {
    let mut memory = vec![0_u8; words[0].parse::<usize>().unwrap() * MIB];
    for at in (0..memory.len()).step_by(PAGE) {
        memory[at] = u8::try_from(at / PAGE % 251).unwrap();
    }
    let sum: usize = memory.iter().step_by(PAGE).map(|byte| usize::from(*byte)).sum();
    say("used", format!("{} {sum}", words[0]));
}

/// Sets that many MiB of addresses aside, without using them.
pub(super) fn reserve_memory(words: &[String]) {
    let mut memory: Vec<u8> = Vec::new();
    let got = memory.try_reserve_exact(words[0].parse::<usize>().unwrap() * MIB);
    say("reserved", if got.is_ok() { "ok" } else { "ENOMEM" });
}

/// How many threads can run at once: `threads AT-MOST`.
pub(super) fn threads(words: &[String]) {
    let most: usize = words[0].parse().unwrap();
    let mut waiting = Vec::new();
    while waiting.len() < most {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().stack_size(PAGE * 16).spawn(move || stopped.recv().is_ok());
        match thread {
            Ok(thread) => waiting.push((stop, thread)),
            Err(_) => break,
        }
    }
    say("threads", waiting.len());
    for (stop, thread) in waiting {
        drop(stop);
        thread.join().unwrap();
    }
}

/// How many files can be open at once: `open AT-MOST`.
pub(super) fn open(words: &[String]) {
    let most: usize = words[0].parse().unwrap();
    let files: Vec<File> =
        std::iter::repeat_with(|| File::open("/dev/null")).map_while(Result::ok).take(most).collect();
    say("open", files.len());
}

/// The limits as they are, and the tries to change them.
pub(super) fn limits(_: &[String]) {
    let show = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    for (name, resource) in [
        ("core", Resource::Core),
        ("open files", Resource::Nofile),
        ("file size", Resource::Fsize),
        ("data", Resource::Data),
        ("processes", Resource::Nproc),
    ] {
        let Rlimit { current, maximum } = getrlimit(resource);
        say(name, format!("{} {}", show(current), show(maximum)));
    }
    say("core to 0", done(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })));
    if let Some(most) = getrlimit(Resource::Nofile).maximum {
        let more = Rlimit { current: Some(most), maximum: Some(most + 1) };
        say("more open files", done(setrlimit(Resource::Nofile, more)));
    }
}

/// Crashes with a text in memory that stands in no file: `crash TEXT-REVERSED`.
pub(super) fn crash(words: &[String]) {
    let text: String = words[0].chars().rev().collect();
    let kept = std::hint::black_box(text);
    if kept.len() > 1 {
        std::process::abort();
    }
}

/// Keeps two processors busy for that many milliseconds.
pub(super) fn burn(words: &[String]) {
    println!("ready");
    let until = Instant::now() + Duration::from_millis(words[0].parse().unwrap());
    let busy = move || while Instant::now() < until {};
    let other = std::thread::spawn(busy);
    busy();
    other.join().unwrap();
    println!("done");
    // Until the client leaves, so that it can look at what the host wrote down.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}
