//! Unpacks one layer, in a single pass, into a folder of the store.
//!
//! Every byte of a layer is foreign. Names are parsed into a type that cannot lead out, every write is
//! made relative to a folder's descriptor with `openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)`, and
//! both digests (of the blob as it is served, of the tar inside) are computed from the very bytes that
//! are unpacked. Nothing unpacked counts before [`unpack`] has returned.
//!
//! What the image's root could read, the box's one user can: folders get `u+rwx`, files `u+r`. Never
//! kept: owners, setuid and setgid bits, devices, extended attributes (file capabilities among them,
//! and the ones by which overlayfs would be steered).

mod decode;
mod entry;
mod name;
mod write;

use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use crate::digest::{Digest, Hashing};

pub(crate) use decode::{is_packed, open as decode};
pub(crate) use entry::{Entries, Kind};
pub use name::{NAME_DEPTH, NameError};
pub(crate) use name::{Name, shown};
pub use write::Owner;
use write::Writer;
pub(crate) use write::{is_opaque, is_whiteout};

/// Largest unpacked layer: the largest machine-learning images have one of about 10 GiB.
pub const LAYER_BYTES: u64 = 16 << 30;
/// Most entries of one layer: a monorepo's `node_modules` has about 300,000.
pub const LAYER_ENTRIES: u64 = 1_000_000;
/// How many times larger than its compressed form a layer may be. Text packs 10 times, debug
/// information 20; only zeros reach the 1000 of gzip.
pub const RATIO: u64 = 200;
/// How much may be unpacked before [`RATIO`] counts: a small layer of zeros harms nobody.
pub const RATIO_GRACE: u64 = 64 << 20;

/// The limits of one layer. The default is this module's constants.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the tar inside.
    pub bytes: u64,
    /// Entries of it.
    pub entries: u64,
    /// Times its compressed size.
    pub ratio: u64,
    /// Bytes before `ratio` counts.
    pub ratio_grace: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: LAYER_BYTES, entries: LAYER_ENTRIES, ratio: RATIO, ratio_grace: RATIO_GRACE }
    }
}

/// What the bytes must hash to, as far as it is known before they come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    /// The blob as it is served.
    pub(crate) blob: Option<Digest>,
    /// The tar inside it.
    pub(crate) diff: Option<Digest>,
}

/// An unpacked layer.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// What the tar inside it hashed to.
    pub(crate) diff: Digest,
    /// Bytes of the tar inside it.
    pub(crate) bytes: u64,
    /// Device nodes and FIFOs below `/dev` and `/run` that were left out.
    pub(crate) dropped: u64,
    /// Whether the layer hides everything below it.
    pub(crate) opaque: bool,
}

/// Why a layer was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The source of the bytes failed.
    #[error("the layer cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The compressed stream is broken.
    #[error("the layer cannot be decompressed: {0}")]
    Decode(#[source] io::Error),
    /// The bytes end in the middle of an entry.
    #[error("the layer is truncated")]
    Truncated,
    /// A header with a wrong checksum or a malformed number.
    #[error("the layer's entry {0} has a malformed tar header")]
    Header(u64),
    /// An extended header (PAX, GNU) that is too long, malformed or contradicts the entry.
    #[error("the layer's entry {entry} has a bad extended header: {why}")]
    Extended {
        /// Which entry, counted from 0.
        entry: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// A name that leads out, or is too long or too deep.
    #[error("the layer's entry {entry} has a bad name: {source}")]
    Name {
        /// Which entry, counted from 0.
        entry: u64,
        /// What is wrong with it.
        source: NameError,
    },
    /// An entry of a kind that no box needs.
    #[error("the layer has a {kind} at {path:?}")]
    Refused {
        /// What it is.
        kind: &'static str,
        /// Where.
        path: String,
    },
    /// A name that is written to through a symbolic link.
    #[error("the layer writes to {0:?} through a symbolic link")]
    ThroughLink(String),
    /// A name below something that is no folder.
    #[error("the layer has {0:?} below something that is not a folder")]
    BelowFile(String),
    /// A second entry of one name.
    #[error("the layer has {0:?} twice")]
    Duplicate(String),
    /// A hard link to something that the layer does not have.
    #[error("the layer has a hard link at {path:?} to {target:?}, which the layer does not have")]
    HardLink {
        /// Where.
        path: String,
        /// To what.
        target: String,
    },
    /// More than [`Limits::bytes`].
    #[error("the layer unpacks to more than {0} bytes")]
    Bytes(u64),
    /// More than [`Limits::entries`].
    #[error("the layer has more than {0} entries")]
    Entries(u64),
    /// Above [`Limits::ratio`].
    #[error("the layer unpacks to more than {0} times its compressed size")]
    Ratio(u64),
    /// Served bytes that are not the ones asked for.
    #[error("the {what} hashes to {found}, not to {wanted}")]
    Digest {
        /// Blob or tar.
        what: &'static str,
        /// What was asked for.
        wanted: Digest,
        /// What came.
        found: Digest,
    },
    /// The store could not be written.
    #[error("{path:?} cannot be written to the store: {source}")]
    Write {
        /// Which entry.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl LayerError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Write { source, .. } => match source.raw_os_error() {
                // ENOSPC, EDQUOT
                Some(28 | 122) => Some("make room with brig prune, or on the disk itself".to_owned()),
                // ENOSYS
                Some(38) => Some("brig needs Linux 5.11 or later".to_owned()),
                // EOPNOTSUPP
                Some(95) => Some(
                    "the store's file system has no user extended attributes: \
                     put the store on ext4, xfs or btrfs"
                        .to_owned(),
                ),
                _ => None,
            },
            Self::Read(_) | Self::Truncated => {
                Some("fetch the image again; a pull continues where it stopped".to_owned())
            }
            _ => Some("the image is damaged or hostile: rebuild it, or choose another".to_owned()),
        }
    }
}

/// Unpacks `source` into the folder `into`, which must be empty and nobody else's.
pub(crate) fn unpack(
    source: &mut dyn Read,
    expected: Expected,
    into: (BorrowedFd<'_>, Option<Owner>),
    limits: &Limits,
) -> Result<Unpacked, LayerError> {
    let mut compressed = Hashing::new(source);
    let counter = compressed.counter();
    let mut writer = Writer::new(into.0, into.1);
    writer.prepare()?;
    let (bytes, diff) = {
        let decoded = decode(&mut compressed).map_err(LayerError::Read)?;
        let plain = decoded.plain;
        let bounded = Bounded { inner: decoded.reader, compressed: counter, limits, seen: 0 };
        // A plain tar is its own blob: one hash serves both.
        let mut hashed = if plain { Hashing::counting(bounded) } else { Hashing::new(bounded) };
        write_entries(&mut hashed, &mut writer, limits)?;
        // What follows the end marker belongs to the digest as well.
        io::copy(&mut hashed, &mut io::sink()).map_err(read_error)?;
        (hashed.count(), hashed.finish())
    };
    io::copy(&mut compressed, &mut io::sink()).map_err(LayerError::Read)?;
    let blob = compressed.finish().unwrap_or_else(|| Digest::of(b""));
    let diff = diff.unwrap_or(blob);
    check("blob", expected.blob, blob)?;
    check("layer", expected.diff, diff)?;
    let (dropped, opaque) = writer.finish();
    Ok(Unpacked { diff, bytes, dropped, opaque })
}

fn write_entries(source: &mut dyn Read, writer: &mut Writer<'_>, limits: &Limits) -> Result<(), LayerError> {
    let mut entries = Entries::new(source);
    while let Some(entry) = entries.next()? {
        if entries.count() > limits.entries {
            return Err(LayerError::Entries(limits.entries));
        }
        writer.write(&entry, &mut entries)?;
    }
    Ok(())
}

fn check(what: &'static str, wanted: Option<Digest>, found: Digest) -> Result<(), LayerError> {
    match wanted {
        Some(wanted) if wanted != found => Err(LayerError::Digest { what, wanted, found }),
        _ => Ok(()),
    }
}

/// Sorts what a reader in the chain said into the error that it means.
fn read_error(error: io::Error) -> LayerError {
    match error.downcast::<OverLimit>() {
        Ok(OverLimit::Bytes(limit)) => LayerError::Bytes(limit),
        Ok(OverLimit::Ratio(limit)) => LayerError::Ratio(limit),
        Err(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof => LayerError::Truncated,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => LayerError::Decode(error),
            _ => LayerError::Read(error),
        },
    }
}

/// Stops a stream that unpacks to too much, before it is written.
struct Bounded<'a, R> {
    inner: R,
    compressed: crate::digest::Counter,
    limits: &'a Limits,
    seen: u64,
}

#[derive(Debug, thiserror::Error)]
enum OverLimit {
    #[error("more than {0} bytes")]
    Bytes(u64),
    #[error("more than {0} times its compressed size")]
    Ratio(u64),
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.seen += n as u64;
        if self.seen > self.limits.bytes {
            return Err(io::Error::other(OverLimit::Bytes(self.limits.bytes)));
        }
        let fair = self.compressed.get().saturating_mul(self.limits.ratio);
        if self.seen > fair.max(self.limits.ratio_grace) {
            return Err(io::Error::other(OverLimit::Ratio(self.limits.ratio)));
        }
        Ok(n)
    }
}
