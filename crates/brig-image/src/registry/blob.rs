//! One blob, read as if it came without interruption.
//!
//! What comes is kept in a file beside the store while it is read; a broken connection, and the next
//! brig after a killed one, continue where the file ends. What is read is judged by its digest, so a file
//! that somebody else wrote, or a registry that continues with other bytes, gains nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::session::Session;
use super::{OnProgress, Progress, PullError};
use crate::http::Body;
use crate::lock::Lock;
use crate::manifest::Descriptor;
use crate::store::{Import, io_error};

/// How often in a row a connection may bring nothing before the pull fails.
const ATTEMPTS: u32 = 5;
/// The pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// Slowest blob, in bytes a second: a stalled registry ends, a slow mobile link does not.
const SLOWEST: u64 = 8 * 1024;
/// What a blob may take in any case.
const LEAST_TIME: Duration = Duration::from_secs(300);
/// How often progress is told, in bytes.
const TOLD_EVERY: u64 = 256 * 1024;

/// A blob being fetched.
pub(super) struct Resumable<'a> {
    session: &'a Session<'a>,
    blob: &'a Descriptor,
    progress: OnProgress<'a>,
    part: File,
    path: PathBuf,
    lock: Option<Lock>,
    /// Bytes in the file.
    have: u64,
    /// Bytes read by the caller.
    read: u64,
    told: u64,
    body: Option<Body>,
    attempts: u32,
    deadline: Instant,
    /// Why reading failed, where it was the network's fault.
    pub(super) failure: Option<PullError>,
}

impl<'a> Resumable<'a> {
    /// Opens what an interrupted pull left, or begins anew.
    pub(super) fn open(
        import: &Import<'_>,
        session: &'a Session<'a>,
        blob: &'a Descriptor,
        progress: OnProgress<'a>,
    ) -> Result<Self, PullError> {
        let hex = blob.digest.hex();
        let path = import.partial().join(&hex);
        let lock = import.lock(&format!("partial-{hex}"))?;
        let part = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(io_error("open", &path))?;
        let mut have = part.metadata().map_err(io_error("look at", &path))?.len();
        if have > blob.size {
            part.set_len(0).map_err(io_error("cut", &path))?;
            have = 0;
        }
        let time = LEAST_TIME + Duration::from_secs(blob.size / SLOWEST);
        Ok(Self {
            session,
            blob,
            progress,
            part,
            path,
            lock: Some(lock),
            have,
            read: 0,
            told: 0,
            body: None,
            attempts: 0,
            deadline: Instant::now() + time,
            failure: None,
        })
    }

    /// Removes what was kept: it is in the store now, or it is of no use.
    pub(super) fn forget(mut self) {
        let _ = fs::remove_file(&self.path);
        if let Some(lock) = self.lock.take() {
            lock.remove_quietly();
        }
    }

    fn fetch(&mut self, buf: &mut [u8]) -> Result<usize, PullError> {
        loop {
            if Instant::now() > self.deadline {
                return Err(self.broke_off(io::ErrorKind::TimedOut.into()));
            }
            let came = match &mut self.body {
                None => {
                    self.connect()?;
                    continue;
                }
                Some(body) => body.read(buf),
            };
            match came {
                Ok(n) if n > 0 => {
                    self.attempts = 0;
                    return self.keep(&buf[..n]);
                }
                Ok(_) => self.pause(io::ErrorKind::UnexpectedEof.into())?,
                Err(error) => self.pause(error)?,
            }
        }
    }

    /// Asks for what is missing.
    fn connect(&mut self) -> Result<(), PullError> {
        let response = match self.session.blob(self.blob.digest, self.have) {
            Ok(response) => response,
            Err(PullError::Http(error)) if self.attempts + 1 < ATTEMPTS => {
                return self.pause(io::Error::other(error));
            }
            Err(error) => return Err(error),
        };
        let mut body = response.body;
        let starts = match response.status {
            206 => range_start(response.headers.get("content-range")),
            _ => Some(0),
        };
        match starts {
            Some(at) if at == self.have => {}
            // A registry that cannot continue sends all of it again: what is known is skipped.
            Some(0) => {
                let skipped = io::copy(&mut (&mut body).take(self.have), &mut io::sink());
                if !skipped.is_ok_and(|n| n == self.have) {
                    return self.pause(io::ErrorKind::UnexpectedEof.into());
                }
            }
            _ => return Err(self.broke_off(io::ErrorKind::InvalidData.into())),
        }
        self.body = Some(body);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<usize, PullError> {
        let n = bytes.len() as u64;
        if self.have + n > self.blob.size {
            return Err(PullError::TooLarge(self.blob.digest.to_string()));
        }
        self.part.write_all(bytes).map_err(io_error("write", &self.path))?;
        self.have += n;
        Ok(bytes.len())
    }

    fn pause(&mut self, error: io::Error) -> Result<(), PullError> {
        self.body = None;
        self.attempts += 1;
        if self.attempts >= ATTEMPTS {
            return Err(self.broke_off(error));
        }
        std::thread::sleep(PAUSE * 2_u32.pow(self.attempts - 1));
        Ok(())
    }

    fn broke_off(&self, source: io::Error) -> PullError {
        PullError::Body {
            what: format!("{} after {} of {} bytes", self.blob.digest, self.have, self.blob.size),
            source,
        }
    }

    fn tell(&mut self) {
        let done = self.read;
        if done == self.blob.size || done >= self.told + TOLD_EVERY {
            self.told = done;
            (self.progress)(Progress { blob: self.blob.digest, done, total: self.blob.size });
        }
    }
}

impl Read for Resumable<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || self.read == self.blob.size {
            return Ok(0);
        }
        let n = if self.read < self.have {
            let most = usize::try_from(self.have - self.read).unwrap_or(usize::MAX);
            let most = most.min(buf.len());
            self.part.read_at(&mut buf[..most], self.read)?
        } else {
            self.fetch(buf).map_err(|error| {
                let shown = io::Error::other(error.to_string());
                self.failure = Some(error);
                shown
            })?
        };
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read += n as u64;
        self.tell();
        Ok(n)
    }
}

/// The first byte of `bytes FIRST-LAST/SIZE` (RFC 9110, 14.4).
fn range_start(header: Option<&hyper::header::HeaderValue>) -> Option<u64> {
    let text = header?.to_str().ok()?;
    let first = text.strip_prefix("bytes ")?.split('-').next()?;
    first.parse().ok()
}
