//! One virtual machine: qemu, its console read line by line, and a limit on its time.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::cases::Case;
use super::kernel::Kernel;
use crate::screen;
use crate::test::leg::Leg;
use crate::test::tally::Tally;

/// The longest that a machine may take: emulation is some twenty times slower than the processor.
const PATIENCE: Duration = Duration::from_secs(900);
const MEMORY: &str = "2G";

/// Boots the disk, reads its console until it switches itself off, and counts what it printed.
pub(super) fn run(case: &Case, kernel: &Kernel, disk: &Path) -> Result<Leg> {
    let start = Instant::now();
    let mut qemu = command(case, kernel, disk);
    let mut child = qemu.spawn().context("cannot start qemu-system-x86_64")?;
    let console = BufReader::new(child.stdout.take().context("a piped stdout is there")?);
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        for line in console.split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    let mut console = Console::default();
    loop {
        match lines.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
            Ok(line) => console.read(&line, start.elapsed()),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                screen::note(&format!("{}: ended after {} s", case.id, PATIENCE.as_secs()));
                child.kill().context("cannot end qemu")?;
                break;
            }
        }
    }
    child.wait().context("cannot wait for qemu")?;
    drop(lines);
    reader.join().ok();
    let broken = console.broken || !console.done;
    if !console.done {
        screen::note(&format!("{}: the machine did not come to its end", case.id));
    }
    Ok(Leg { name: format!("virtual machine {}", case.id), took: start.elapsed(), tally: console.tally, broken })
}

/// What the console said so far.
#[derive(Debug, Default)]
struct Console {
    tally: Tally,
    broken: bool,
    done: bool,
}

impl Console {
    fn read(&mut self, line: &str, after: Duration) {
        if self.done {
            return; // the kernel complains that its disk went away
        }
        screen::note(line);
        self.tally.read(line);
        if line.starts_with("VM up") {
            screen::note(&format!("(the script started {:.1} s after qemu)", after.as_secs_f64()));
        }
        self.broken |= line.starts_with("VM status ") && line != "VM status 0";
        self.done |= line.starts_with("VM done");
    }
}

fn command(case: &Case, kernel: &Kernel, disk: &Path) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", MEMORY, "-nographic", "-no-reboot"]);
    qemu.args(["-nic", "none", "-monitor", "none", "-serial", "stdio"]);
    qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(&kernel.first);
    qemu.arg("-drive").arg(format!("file={},format=raw,if=virtio,cache=unsafe", disk.display()));
    qemu.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 mitigations=off {}", case.kernel));
    qemu.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    qemu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_or_a_missing_end_breaks_the_leg() {
        let mut console = Console::default();
        console.read("test result: ok. 3 passed; 0 failed; 0 ignored", Duration::ZERO);
        console.read("VM status 0", Duration::ZERO);
        assert!(!console.broken && !console.done && console.tally.passed == 3);
        console.read("VM status 101", Duration::ZERO);
        console.read("VM done 4.2", Duration::ZERO);
        assert!(console.broken && console.done);
    }
}
