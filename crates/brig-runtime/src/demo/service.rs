//! A stand-in for a service of this machine: one HTTP answer, on loopback, for whoever asks.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::DemoError;

/// How often it looks for a caller and for its end.
const SLICE: Duration = Duration::from_millis(2);
/// How long one caller may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// How much of a request is read; what it says does not matter.
const MAX_REQUEST: usize = 4096;

/// A service that answers until it is dropped.
#[derive(Debug)]
pub(super) struct Service {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Listens on a free port of `address`, which must be a loopback one, and answers with `body`.
    pub(super) fn start(address: SocketAddr, body: &str) -> Result<Self, DemoError> {
        let failed = |source| DemoError::Listen { address, source };
        if !address.ip().is_loopback() {
            return Err(failed(io::Error::from(io::ErrorKind::AddrNotAvailable)));
        }
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let own = listener.local_addr().map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let answer =
            format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    // A caller who leaves early is not told; that is all.
                    Ok((stream, _)) => drop(tell(stream, &answer)),
                    Err(_) => std::thread::sleep(SLICE),
                }
            }
        });
        Ok(Self { address: own, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It cannot panic, and if it did, it has stopped as well.
            let _stopped = thread.join();
        }
    }
}

fn tell(mut stream: TcpStream, answer: &str) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; MAX_REQUEST];
    let _read = stream.read(&mut request)?;
    stream.write_all(answer.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_on_loopback_alone_and_ends_when_dropped() {
        let service = Service::start("127.169.254.169:0".parse().unwrap(), "body").unwrap();
        let address = service.address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nbody"), "{answer}");
        drop(service);
        assert!(TcpStream::connect(address).is_err());
        for elsewhere in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
            assert!(Service::start(elsewhere.parse().unwrap(), "").is_err(), "{elsewhere}");
        }
    }
}
