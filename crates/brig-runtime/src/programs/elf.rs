//! The few facts of a binary that decide what it needs to start (`elf(5)`): its loader, the libraries it
//! names, and where it says they are.
//!
//! Only 64-bit little-endian binaries are read; brig runs on no other machine. Nothing is read that the
//! headers do not point to, and every count and length has a limit.

use std::io;

/// Program headers of one file: real ones have about a dozen.
const MAX_HEADERS: u16 = 128;
/// Entries of the dynamic section: large programs have about sixty.
const MAX_DYNAMIC: usize = 4096;
/// Libraries one file may name: the largest desktop programs have about two hundred.
const MAX_NEEDED: usize = 512;
/// A path or library name (`PATH_MAX`).
const MAX_TEXT: usize = 4096;
const HEADER_SIZE: usize = 64;
const PROGRAM_HEADER_SIZE: u16 = 56;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// What a binary says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Elf {
    /// The loader, for programs that are linked dynamically.
    pub(super) interpreter: Option<String>,
    /// Libraries by name.
    pub(super) needed: Vec<String>,
    /// `DT_RPATH`, split at colons: it holds for the libraries' own libraries too.
    pub(super) rpath: Vec<String>,
    /// `DT_RUNPATH`, split at colons: it replaces `rpath`.
    pub(super) runpath: Vec<String>,
}

/// Why a file is no binary that could run here.
#[derive(Debug, thiserror::Error)]
pub enum ElfError {
    /// It does not begin as one.
    #[error("it is not an ELF file")]
    NotElf,
    /// For another machine, or with 32 bits.
    #[error("it was built for another kind of machine")]
    OtherMachine,
    /// Its headers contradict one another or pass a limit.
    #[error("its {0} is malformed")]
    Malformed(&'static str),
    /// It cannot be read where its headers point.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Reads one binary. `read_at` fills the whole buffer from an offset, or fails.
pub(super) fn read(mut read_at: impl FnMut(u64, &mut [u8]) -> io::Result<()>) -> Result<Elf, ElfError> {
    let mut header = [0; HEADER_SIZE];
    read_at(0, &mut header).map_err(|_| ElfError::NotElf)?;
    if header[..4] != *b"\x7fELF" {
        return Err(ElfError::NotElf);
    }
    if header[4..6] != [2, 1] || u16_at(&header, 18) != MACHINE {
        return Err(ElfError::OtherMachine);
    }
    let (offset, size, count) = (u64_at(&header, 32), u16_at(&header, 54), u16_at(&header, 56));
    if count > MAX_HEADERS || (count > 0 && size != PROGRAM_HEADER_SIZE) {
        return Err(ElfError::Malformed("table of program headers"));
    }
    let mut segments = Vec::new();
    for index in 0..u64::from(count) {
        let mut bytes = [0; PROGRAM_HEADER_SIZE as usize];
        let at = offset.checked_add(index * u64::from(size)).ok_or(ElfError::Malformed("table of program headers"))?;
        read_at(at, &mut bytes)?;
        segments.push(Segment {
            kind: u32_at(&bytes, 0),
            offset: u64_at(&bytes, 8),
            address: u64_at(&bytes, 16),
            size: u64_at(&bytes, 32),
        });
    }
    let mut elf = Elf::default();
    if let Some(segment) = segments.iter().find(|segment| segment.kind == PT_INTERP) {
        elf.interpreter = Some(text_at(&mut read_at, segment.offset)?);
    }
    if let Some(segment) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) {
        read_dynamic(&mut read_at, segment, &segments, &mut elf)?;
    }
    Ok(elf)
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

fn read_dynamic(
    read_at: &mut impl FnMut(u64, &mut [u8]) -> io::Result<()>,
    dynamic: &Segment,
    segments: &[Segment],
    elf: &mut Elf,
) -> Result<(), ElfError> {
    let entries = usize::try_from(dynamic.size / 16).unwrap_or(usize::MAX).min(MAX_DYNAMIC);
    let mut bytes = vec![0; entries * 16];
    read_at(dynamic.offset, &mut bytes)?;
    let entries = || {
        bytes.chunks_exact(16).map(|entry| (u64_at(entry, 0), u64_at(entry, 8))).take_while(|entry| entry.0 != DT_NULL)
    };
    let Some((_, address)) = entries().find(|entry| entry.0 == DT_STRTAB) else {
        return Ok(());
    };
    // The dynamic section speaks of addresses in memory; the segments say where these lie in the file.
    let strings = segments
        .iter()
        .filter(|segment| segment.kind == PT_LOAD)
        .find_map(|load| {
            let into = address.checked_sub(load.address).filter(|into| *into < load.size)?;
            load.offset.checked_add(into)
        })
        .ok_or(ElfError::Malformed("table of strings"))?;
    for (tag, value) in entries() {
        if ![DT_NEEDED, DT_RPATH, DT_RUNPATH].contains(&tag) {
            continue;
        }
        let at = strings.checked_add(value).ok_or(ElfError::Malformed("table of strings"))?;
        let text = text_at(read_at, at)?;
        let folders = || text.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned);
        match tag {
            DT_RPATH => elf.rpath.extend(folders()),
            DT_RUNPATH => elf.runpath.extend(folders()),
            _ if elf.needed.len() == MAX_NEEDED => {
                return Err(ElfError::Malformed("list of libraries"));
            }
            _ => elf.needed.push(text),
        }
    }
    Ok(())
}

/// A text that ends with a zero byte.
fn text_at(read_at: &mut impl FnMut(u64, &mut [u8]) -> io::Result<()>, offset: u64) -> Result<String, ElfError> {
    let mut text = Vec::new();
    // In small steps: the text may be the last thing in its file.
    while text.len() < MAX_TEXT {
        let at = offset.checked_add(text.len() as u64).ok_or(ElfError::Malformed("table of strings"))?;
        let mut chunk = [0; 32];
        let count = match read_at(at, &mut chunk) {
            Ok(()) => chunk.len(),
            Err(_) => {
                read_at(at, &mut chunk[..1])?;
                1
            }
        };
        if let Some(end) = chunk[..count].iter().position(|byte| *byte == 0) {
            text.extend_from_slice(&chunk[..end]);
            return String::from_utf8(text).map_err(|_| ElfError::Malformed("table of strings"));
        }
        text.extend_from_slice(&chunk[..count]);
    }
    Err(ElfError::Malformed("table of strings"))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|slice| slice.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|slice| slice.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|slice| slice.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// Reads from bytes in memory as from a file.
fn read_slice(bytes: &[u8]) -> impl FnMut(u64, &mut [u8]) -> io::Result<()> {
    move |offset, buffer| {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Fuzz entry: no file panics or makes the reader allocate more than its limits.
#[doc(hidden)]
pub fn fuzz_elf(data: &[u8]) {
    let _ = read(read_slice(data));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A binary that has headers and a dynamic section, and no code.
    pub(in crate::programs) fn build(interpreter: &str, entries: &[(u64, &str)]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut dynamic = Vec::new();
        for (tag, text) in entries {
            dynamic.push((*tag, strings.len() as u64));
            strings.extend(text.as_bytes());
            strings.push(0);
        }
        let interpreter_at = 64 + 3 * 56;
        let strings_at = interpreter_at + interpreter.len() + 1;
        let dynamic_at = strings_at + strings.len();
        dynamic.push((DT_STRTAB, 0x1000 + strings_at as u64));
        dynamic.push((DT_NULL, 0));
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(HEADER_SIZE, 0);
        file[18..20].copy_from_slice(&MACHINE.to_le_bytes());
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[54..58].copy_from_slice(&[56, 0, 3, 0]);
        let whole = (dynamic_at + dynamic.len() * 16) as u64;
        for (kind, offset, address, size) in [
            (PT_LOAD, 0, 0x1000, whole),
            (PT_INTERP, interpreter_at as u64, 0, interpreter.len() as u64 + 1),
            (PT_DYNAMIC, dynamic_at as u64, 0, dynamic.len() as u64 * 16),
        ] {
            file.extend(kind.to_le_bytes());
            file.extend([0; 4]);
            file.extend([offset, address, 0, size, size, 0].map(u64::to_le_bytes).concat());
        }
        file.extend(interpreter.as_bytes());
        file.push(0);
        file.extend(strings);
        for (tag, value) in dynamic {
            file.extend(tag.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file
    }

    #[test]
    fn what_a_binary_says_is_read() {
        let file = build(
            "/lib64/ld.so",
            &[
                (DT_NEEDED, "liba.so.1"),
                (DT_RUNPATH, "$ORIGIN/../lib:/opt/x"),
                (DT_NEEDED, "libb.so"),
                (DT_RPATH, "/r"),
            ],
        );
        let elf = read(read_slice(&file)).unwrap();
        assert_eq!(elf.interpreter.as_deref(), Some("/lib64/ld.so"));
        assert_eq!(elf.needed, ["liba.so.1", "libb.so"]);
        assert_eq!(elf.runpath, ["$ORIGIN/../lib", "/opt/x"]);
        assert_eq!(elf.rpath, ["/r"]);
    }

    #[test]
    fn other_files_are_not_binaries() {
        assert!(matches!(read(read_slice(b"")), Err(ElfError::NotElf)));
        assert!(matches!(read(read_slice(&[b'x'; 100])), Err(ElfError::NotElf)));
        let mut file = build("/lib64/ld.so", &[]);
        file[4] = 1;
        assert!(matches!(read(read_slice(&file)), Err(ElfError::OtherMachine)));
        let mut file = build("/lib64/ld.so", &[]);
        file[18] ^= 1;
        assert!(matches!(read(read_slice(&file)), Err(ElfError::OtherMachine)));
    }

    #[test]
    fn no_truncation_or_changed_byte_panics() {
        let file = build("/lib64/ld.so", &[(DT_NEEDED, "liba.so.1"), (DT_RUNPATH, "/opt/x")]);
        for length in 0..file.len() {
            fuzz_elf(&file[..length]);
        }
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] = value;
                fuzz_elf(&file);
            }
        }
    }
}
