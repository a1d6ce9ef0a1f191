//! Reads the table of mounts (proc(5), `/proc/self/mountinfo`).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use brig_policy::floor::MountPoint;

/// The largest table that is read: a machine with many containers has some hundred lines of some
/// hundred bytes.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A line of the table that does not read as one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the table of mounts is not of the form that proc(5) describes")]
pub struct MountLineError {
    /// The line's number, from 1.
    pub line: usize,
}

/// Reads the whole table, in the order in which the mounts were made.
pub(super) fn parse(table: &[u8]) -> Result<Vec<MountPoint>, MountLineError> {
    table
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| mount(line).ok_or(MountLineError { line: number + 1 }))
        .collect()
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw`
fn mount(line: &[u8]) -> Option<MountPoint> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = std::str::from_utf8(fields.by_ref().nth(2)?).ok()?;
    let (major, minor) = device.split_once(':')?;
    let root = unescape(fields.next()?)?;
    let point = unescape(fields.next()?)?;
    let kind = fields.by_ref().skip_while(|field| *field != b"-").nth(1)?;
    point.is_absolute().then_some(MountPoint {
        point,
        root,
        device: (major.parse().ok()?, minor.parse().ok()?),
        kind: String::from_utf8_lossy(kind).into_owned(),
    })
}

/// Space, tab, newline and backslash are written as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..3)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 8).ok()?);
        rest = rest.get(3..)?;
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

/// For the fuzzer: any bytes are a table or an error.
#[doc(hidden)]
pub fn fuzz_mountinfo(bytes: &[u8]) {
    let _ = parse(bytes).map(|mounts| assert!(mounts.iter().all(|mount| mount.point.is_absolute())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_lines_are_read() {
        let table = b"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            40 27 0:37 /a\\040b /mnt/x\\134y rw shared:5 master:1 - tmpfs none rw\n";
        let mounts = parse(table).expect("table");
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[1].root, PathBuf::from("/a b"));
        assert_eq!(mounts[1].point, PathBuf::from("/mnt/x\\y"));
        assert_eq!((mounts[1].device, mounts[1].kind.as_str()), ((0, 37), "tmpfs"));
    }

    #[test]
    fn other_lines_are_errors() {
        for line in [
            "27 1 254:0 / /",
            "27 1 254 / / rw - ext4 x rw",
            "27 1 254:0 / relative rw - ext4 x rw",
            "27 1 254:0 / /bad\\9zz rw - ext4 x rw",
            "27 1 254:0 / /cut\\04 rw - ext4 x rw",
        ] {
            let table = format!("27 1 254:0 / / rw - ext4 x rw\n{line}\n");
            assert_eq!(parse(table.as_bytes()), Err(MountLineError { line: 2 }), "{line}");
        }
    }
}
