//! Finds out from the first bytes how a stream is packed, and unpacks it.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How much is read at once: large enough that hashing and system calls are amortised.
const BUFFER: usize = 128 * 1024;
/// Largest window of a zstd frame, which is memory: `zstd --ultra -22` needs 128 MiB, no builder of
/// images goes beyond level 19 (8 MiB).
const ZSTD_WINDOW: u64 = 32 << 20;

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
    None,
}

impl Packing {
    /// Seen from the first four bytes.
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip, // RFC 1952, 2.3.1
            // RFC 8878, 3.1.1 and 3.1.2
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// Whether a stream that begins so is packed in one of the ways that layers are.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    Packing::of(head) != Packing::None
}

/// A stream with its packing removed.
pub(crate) struct Decoded<'a> {
    /// What was inside.
    pub(crate) reader: Box<dyn Read + 'a>,
    /// Whether nothing had to be removed.
    pub(crate) plain: bool,
}

/// Looks at the first bytes of `source` and unpacks gzip or zstd; anything else is passed through.
pub(crate) fn open<'a>(mut source: impl Read + 'a) -> io::Result<Decoded<'a>> {
    let mut first = Vec::with_capacity(4);
    source.by_ref().take(4).read_to_end(&mut first)?;
    let packing = Packing::of(&first);
    let source = BufReader::with_capacity(BUFFER, io::Cursor::new(first).chain(source));
    let plain = packing == Packing::None;
    let reader: Box<dyn Read + 'a> = match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Packing::Zstd => Box::new(ZstdFrames { source, frame: None }),
        Packing::None => Box::new(source),
    };
    Ok(Decoded { reader, plain })
}

/// A zstd stream is a sequence of frames, some of which (seek tables, for one) are to be skipped.
struct ZstdFrames<R> {
    source: R,
    frame: Option<Box<FrameDecoder>>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(frame) = &mut self.frame else {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.frame = next_frame(&mut self.source)?;
                continue;
            };
            while frame.can_collect() == 0 && !frame.is_finished() {
                frame
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            }
            let n = frame.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            self.frame = None;
        }
    }
}

/// Begins the next frame; `None` if it was one to be skipped.
fn next_frame(source: &mut impl BufRead) -> io::Result<Option<Box<FrameDecoder>>> {
    let mut frame = Box::new(FrameDecoder::new());
    frame.set_max_window_size(ZSTD_WINDOW);
    match frame.init(&mut *source) {
        Ok(()) => Ok(Some(frame)),
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
            let wanted = u64::from(length);
            if io::copy(&mut source.take(wanted), &mut io::sink())? < wanted {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(None)
        }
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}
