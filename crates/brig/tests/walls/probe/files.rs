//! Probes of files.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::{done, outcome, say};

/// Reads each path; tells the first line.
pub(super) fn read(paths: &[String]) {
    for path in paths {
        let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        say(path, outcome(text.map(|text| text.lines().next().unwrap_or_default().to_owned())));
    }
}

/// Makes a file with its own path in it at each path, and reads it back.
pub(super) fn make(paths: &[String]) {
    for path in paths {
        let made = OpenOptions::new().write(true).create_new(true).open(path);
        let made = made.and_then(|mut file| file.write_all(path.as_bytes())).and_then(|()| fs::read_to_string(path));
        say(path, outcome(made.map(|text| text == *path)));
    }
}

/// Writes that many bytes into a file: `fill BYTES PATH`.
pub(super) fn fill(words: &[String]) {
    let bytes: usize = words[0].parse().unwrap();
    let chunk = vec![b'x'; 64 * 1024];
    let written = File::create(&words[1]).and_then(|mut file| {
        let mut left = bytes;
        while left > 0 {
            left -= file.write(&chunk[..left.min(chunk.len())])?;
        }
        Ok(bytes)
    });
    say("fill", outcome(written));
}

/// The names in each folder.
pub(super) fn list(folders: &[String]) {
    for folder in folders {
        let names = fs::read_dir(folder).map(|entries| {
            let mut names: Vec<String> =
                entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names.join(" ")
        });
        say(folder, outcome(names));
    }
}

/// Bytes and files that each folder has room for.
pub(super) fn rooms(folders: &[String]) {
    for folder in folders {
        let room = rustix::fs::statvfs(folder.as_str());
        say(folder, outcome(room.map(|room| format!("{} {}", room.f_blocks * room.f_frsize, room.f_files))));
    }
}

/// Looks for a file of the host wherever it could be seen: whatever a mount shows of its folders,
/// some tail of the path leads to it from that mount's top.
pub(super) fn everywhere(words: &[String]) {
    let planted = Path::new(&words[0]);
    let parts: Vec<_> = planted.iter().skip(1).collect();
    let tails: Vec<PathBuf> = (0..parts.len()).map(|from| parts[from..].iter().collect()).collect();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let tops = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let found = tops.flat_map(|top| tails.iter().map(move |tail| Path::new(top).join(tail))).find_map(|path| {
        let text = fs::read_to_string(&path).ok()?;
        Some(format!("{} {}", path.display(), text.trim()))
    });
    say("mounts", mounts.lines().count());
    say("found", found.unwrap_or_else(|| "nothing".to_owned()));
}

/// What is open, and what it leads to: `descriptors PATH`, which is tried below open folders.
pub(super) fn descriptors(words: &[String]) {
    let mut open = Vec::new();
    for number in 3..1024 {
        let link = PathBuf::from(format!("/proc/self/fd/{number}"));
        if fs::symlink_metadata(&link).is_err() {
            continue;
        }
        open.push(number.to_string());
        let below = fs::read_to_string(format!("{}{}", link.display(), words[0]));
        if let Ok(text) = fs::read_to_string(&link).or(below) {
            say("leads-to", text.trim());
        }
    }
    say("open", open.join(" "));
}

/// Makes set-user-id files in a folder in each of the three ways.
pub(super) fn set_id(words: &[String]) {
    let folder = Path::new(&words[0]);
    let mode = Mode::from_raw_mode(0o4755);
    let plain = folder.join("by-chmod");
    fs::write(&plain, "x").unwrap();
    say("chmod", done(rustix::fs::chmod(&plain, mode)));
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::EXCL;
    say("open", done(rustix::fs::open(folder.join("by-open"), flags, mode)));
    say("mknod", done(rustix::fs::mknodat(CWD, folder.join("by-mknod"), FileType::RegularFile, mode, 0)));
    say("fifo", done(rustix::fs::mknodat(CWD, folder.join("fifo"), FileType::Fifo, Mode::RUSR, 0)));
    let device = rustix::fs::makedev(1, 3);
    say("device", done(rustix::fs::mknodat(CWD, folder.join("null"), FileType::CharacterDevice, mode, device)));
    say("owner", fs::metadata(&plain).unwrap().uid());
}

/// Where each link leads.
pub(super) fn links(paths: &[String]) {
    for path in paths {
        say(path, outcome(fs::read_link(path).map(|to| to.display().to_string())));
    }
}

/// Looks for a text in the environment of every process that is seen.
pub(super) fn search_environments(words: &[String]) {
    let environments = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("environ"));
    let read: Vec<Vec<u8>> = environments.filter_map(|path| fs::read(path).ok()).collect();
    let holds = |bytes: &&Vec<u8>| String::from_utf8_lossy(bytes).contains(&words[0]);
    say("read", read.len());
    say("found", read.iter().filter(holds).count());
}
