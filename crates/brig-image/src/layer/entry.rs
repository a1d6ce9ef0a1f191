//! Reads a tar stream entry by entry, with PAX and GNU extensions, in bounded memory.
//!
//! Formats: POSIX.1-2017 `pax`, ustar, GNU tar's long names. What two readers could understand
//! differently (a PAX size beside another header size, sparse files, volume continuations) is refused.

use std::io::{self, Read};

use super::name::{NAME_BYTES, Name, shown};
use super::{LayerError, read_error};

/// One block of a tar.
const BLOCK: usize = 512;
/// Longest extended header: room for the largest attribute (64 KiB) many times over, since attributes
/// are dropped anyhow.
const EXTENDED_BYTES: u64 = 1 << 20;
/// Most extended headers before one entry: `x`, `L` and `K` once each.
const EXTENDED_RUN: u32 = 3;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A folder.
    Dir,
    /// A file whose bytes follow.
    File,
    /// A symbolic link, its target kept as it is and never followed here.
    Symlink(Vec<u8>),
    /// A second name of another entry.
    HardLink(Vec<u8>),
    /// A character or block device.
    Device,
    /// A FIFO.
    Fifo,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it lies.
    pub(crate) name: Name,
    /// What it is.
    pub(crate) kind: Kind,
    /// Permission bits, special ones included.
    pub(crate) mode: u32,
    /// Bytes that follow; 0 but for files.
    pub(crate) size: u64,
    /// Seconds since 1970.
    pub(crate) mtime: i64,
}

/// The entries of a tar. While one is current, reading yields its bytes.
pub(crate) struct Entries<'a> {
    source: &'a mut dyn Read,
    /// Bytes of the current entry that were not read yet.
    left: u64,
    /// Bytes after it up to the next block.
    padding: u64,
    /// Headers seen.
    count: u64,
}

/// What extended headers said about the entry after them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    mtime: Option<i64>,
}

impl<'a> Entries<'a> {
    /// Reads entries from a tar without compression.
    pub(crate) fn new(source: &'a mut dyn Read) -> Self {
        Self { source, left: 0, padding: 0, count: 0 }
    }

    /// How many headers were read, extended ones included.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The next entry; what is left of the current one is skipped. `None` at the end marker or where
    /// the stream ends between two entries (some writers omit the marker; the digest tells whether
    /// something is missing).
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, LayerError> {
        let mut extended = Extended::default();
        let mut run = 0;
        loop {
            self.skip()?;
            let Some(block) = self.block()? else {
                return if run == 0 { Ok(None) } else { Err(LayerError::Truncated) };
            };
            self.count += 1;
            let header = Header(&block);
            let size = header.size().ok_or(LayerError::Header(self.count - 1))?;
            let kind = header.kind();
            if !matches!(kind, b'x' | b'g' | b'L' | b'K') {
                return self.entry(&header, extended).map(Some);
            }
            run += 1;
            if run > EXTENDED_RUN {
                return Err(self.bad("too many extended headers in a row"));
            }
            let bytes = self.extended_bytes(size)?;
            match kind {
                b'L' => extended.path = Some(self.long_name(bytes)?),
                b'K' => extended.link = Some(self.long_name(bytes)?),
                b'x' => self.pax(&bytes, &mut extended)?,
                _ => self.global(&bytes)?,
            }
        }
    }

    /// Skips what is left of the current entry.
    fn skip(&mut self) -> Result<(), LayerError> {
        let wanted = self.left + self.padding;
        (self.left, self.padding) = (0, 0);
        let skipped = io::copy(&mut (&mut *self.source).take(wanted), &mut io::sink()).map_err(read_error)?;
        if skipped < wanted {
            return Err(LayerError::Truncated);
        }
        Ok(())
    }

    /// The next header, or `None` at the end.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, LayerError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(LayerError::Truncated),
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(error)),
            }
        }
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        if !Header(&block).checksum_good() {
            return Err(LayerError::Header(self.count));
        }
        Ok(Some(block))
    }

    fn entry(&mut self, header: &Header<'_>, extended: Extended) -> Result<Entry, LayerError> {
        let at = self.count - 1;
        let bad_name = |source| LayerError::Name { entry: at, source };
        let raw = extended.path.unwrap_or_else(|| header.path());
        let name = Name::parse(&raw).map_err(bad_name)?;
        let size = header.size().ok_or(LayerError::Header(at))?;
        if extended.size.is_some_and(|other| other != size) {
            return Err(self.bad("its size contradicts the entry's"));
        }
        let link = || extended.link.clone().unwrap_or_else(|| header.link());
        let kind = match header.kind() {
            // Tars of Unix V7 mark folders by a slash alone.
            0 | b'0' if raw.ends_with(b"/") && size == 0 => Kind::Dir,
            0 | b'0' | b'7' => Kind::File,
            b'5' => Kind::Dir,
            b'1' => Kind::HardLink(link()),
            b'2' => Kind::Symlink(link()),
            b'3' | b'4' => Kind::Device,
            b'6' => Kind::Fifo,
            b'S' => return Err(refused("sparse file", &raw)),
            _ => return Err(refused("entry of an unknown kind", &raw)),
        };
        if kind == Kind::File {
            self.expect_data(size);
        } else if size != 0 {
            return Err(self.bad("data after something that is not a file"));
        }
        Ok(Entry {
            name,
            kind,
            mode: header.mode().ok_or(LayerError::Header(at))?,
            size,
            mtime: extended.mtime.unwrap_or_else(|| header.mtime()),
        })
    }

    fn expect_data(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    fn extended_bytes(&mut self, size: u64) -> Result<Vec<u8>, LayerError> {
        if size > EXTENDED_BYTES {
            return Err(self.bad("too long"));
        }
        self.expect_data(size);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(read_error)?;
        Ok(bytes)
    }

    fn long_name(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, LayerError> {
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        if bytes.is_empty() || bytes.len() > NAME_BYTES {
            return Err(self.bad("a name that is empty or too long"));
        }
        Ok(bytes)
    }

    fn pax(&self, bytes: &[u8], extended: &mut Extended) -> Result<(), LayerError> {
        for record in PaxRecords(bytes) {
            let (key, value) = record.ok_or_else(|| self.bad("a malformed record"))?;
            match key {
                b"path" => extended.path = Some(self.long_name(value.to_vec())?),
                b"linkpath" => extended.link = Some(self.long_name(value.to_vec())?),
                b"size" => {
                    extended.size = Some(decimal(value).ok_or_else(|| self.bad("a malformed size"))?);
                }
                b"mtime" => extended.mtime = seconds(value),
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(self.bad("a sparse file"));
                }
                // Owners, other times and attributes are dropped; so are comments and vendors' own.
                _ => {}
            }
        }
        Ok(())
    }

    /// A global header may comment, as `git archive` does; it may not rename.
    fn global(&self, bytes: &[u8]) -> Result<(), LayerError> {
        for record in PaxRecords(bytes) {
            let (key, _) = record.ok_or_else(|| self.bad("a malformed record"))?;
            if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
                return Err(self.bad("a name or size for all entries"));
            }
        }
        Ok(())
    }

    fn bad(&self, why: &'static str) -> LayerError {
        LayerError::Extended { entry: self.count.saturating_sub(1), why }
    }
}

impl Read for Entries<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buf.len(), |left| left.min(buf.len()));
        if most == 0 {
            return Ok(0);
        }
        let n = self.source.read(&mut buf[..most])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// A header block. Offsets: POSIX.1-2017, `pax`, ustar interchange format.
struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn text(&self, from: usize, to: usize) -> &[u8] {
        let field = &self.0[from..to];
        &field[..field.iter().position(|&c| c == 0).unwrap_or(field.len())]
    }

    fn path(&self) -> Vec<u8> {
        let name = self.text(0, 100);
        // GNU's own format ("ustar  ") keeps other things where ustar has the prefix.
        let prefix = match &self.0[257..263] {
            b"ustar\0" => self.text(345, 500),
            _ => b"",
        };
        if prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    fn link(&self) -> Vec<u8> {
        self.text(157, 257).to_vec()
    }

    fn kind(&self) -> u8 {
        self.0[156]
    }

    fn mode(&self) -> Option<u32> {
        number(&self.0[100..108]).and_then(|mode| u32::try_from(mode).ok())
    }

    fn size(&self) -> Option<u64> {
        number(&self.0[124..136])
    }

    /// Times before 1970 and malformed ones become 0: nothing depends on them.
    fn mtime(&self) -> i64 {
        number(&self.0[136..148]).and_then(|time| i64::try_from(time).ok()).unwrap_or(0)
    }

    fn checksum_good(&self) -> bool {
        let sum: u64 = self
            .0
            .iter()
            .enumerate()
            .map(|(at, &byte)| u64::from(if (148..156).contains(&at) { b' ' } else { byte }))
            .sum();
        number(&self.0[148..156]) == Some(sum)
    }
}

/// An octal number, padded with spaces and zeros, or GNU's base 256. Negative ones are refused.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (first, rest) = field.split_first()?;
        return rest
            .iter()
            .try_fold(u64::from(first & 0x7f), |sum, &byte| sum.checked_mul(256)?.checked_add(u64::from(byte)));
    }
    let end = field.iter().position(|&c| c == 0).unwrap_or(field.len());
    let digits = field[..end].trim_ascii();
    digits.iter().try_fold(0_u64, |sum, &digit| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The whole seconds of a PAX time; `None` (keep the header's) for what is malformed or before 1970.
fn seconds(text: &[u8]) -> Option<i64> {
    let whole = text.split(|&c| c == b'.').next()?;
    decimal(whole).and_then(|seconds| i64::try_from(seconds).ok())
}

/// The records `LENGTH KEY=VALUE\n` of a PAX header; `None` for a malformed one, then nothing more.
struct PaxRecords<'a>(&'a [u8]);

impl<'a> Iterator for PaxRecords<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = self.split();
        if record.is_none() {
            self.0 = b"";
        }
        Some(record)
    }
}

impl<'a> PaxRecords<'a> {
    fn split(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let space = self.0.iter().position(|&c| c == b' ')?;
        let length = usize::try_from(decimal(&self.0[..space])?).ok()?;
        if length > self.0.len() || length < space + 2 {
            return None;
        }
        let (record, rest) = self.0.split_at(length);
        let record = record[space + 1..].strip_suffix(b"\n")?;
        let equals = record.iter().position(|&c| c == b'=')?;
        self.0 = rest;
        Some((&record[..equals], &record[equals + 1..]))
    }
}

fn refused(kind: &'static str, raw: &[u8]) -> LayerError {
    LayerError::Refused { kind, path: shown(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"        "), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 1, 0]), Some(256));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"0000648\0"), None);
    }

    #[test]
    fn pax_records() {
        let all = |bytes| PaxRecords(bytes).collect::<Vec<_>>();
        assert_eq!(all(b"11 path=ab\n8 k=v=\n\n"), [Some((&b"path"[..], &b"ab"[..])), Some((&b"k"[..], &b"v=\n"[..]))]);
        for bad in
            [&b"x"[..], b"5 a=b", b"99 path=ab\n", b"0 a=b\n", b"2 \n", b"18446744073709551616 a=b\n", b"6 path\n"]
        {
            assert_eq!(all(bad).last(), Some(&None), "{bad:?}");
        }
    }

    #[test]
    fn size_rounds_up_to_blocks() {
        let mut empty = io::empty();
        let mut entries = Entries::new(&mut empty);
        for (size, padding) in [(0, 0), (1, 511), (512, 0), (513, 511), (u64::MAX, 1)] {
            entries.expect_data(size);
            assert_eq!(entries.padding, padding, "{size}");
        }
    }
}
