//! What can be seen of other processes: the built-in programs of `run`.

use std::fs;
use std::io::{self, Read};

/// How many processes are looked at.
const MAX_PROCESSES: usize = 65_536;
/// How much of one process's environment is read: Linux's own limit for it is of this size.
const MAX_ENVIRON: u64 = 8 * 1024 * 1024;

/// All processes that `/proc` shows, one `PID NAME` line each.
pub(crate) fn list() -> io::Result<String> {
    Ok(pids()?
        .into_iter()
        .map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{pid} {}\n", name.trim_end())
        })
        .collect())
}

/// The variable `name` in the environment of every *other* process, one `PID NAME=value` line each,
/// and a last line that says how many could be read. Nothing but the named variable is told.
pub(crate) fn variable(name: &str) -> io::Result<String> {
    let own = std::process::id();
    let (mut read, mut refused) = (0, 0);
    let mut out = String::new();
    for pid in pids()?.into_iter().filter(|pid| *pid != own) {
        let mut bytes = Vec::new();
        let outcome = fs::File::open(format!("/proc/{pid}/environ"))
            .and_then(|file| file.take(MAX_ENVIRON).read_to_end(&mut bytes));
        if outcome.is_err() {
            refused += 1;
            continue;
        }
        read += 1;
        for entry in bytes.split(|byte| *byte == 0) {
            let value = entry.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                out += &format!("{pid} {name}={}\n", String::from_utf8_lossy(value));
            }
        }
    }
    Ok(out + &format!("read {read} other processes, {refused} could not be read\n"))
}

fn pids() -> io::Result<Vec<u32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")?.take(MAX_PROCESSES) {
        // A process may end while we look.
        if let Ok(entry) = entry
            && let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok())
        {
            pids.push(pid);
        }
    }
    Ok(pids)
}
