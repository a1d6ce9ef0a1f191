//! A page that the server itself serves, so that `fetch` has something harmless to fetch where the
//! only network is the box's own loopback.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// How long the page waits for its one reader.
const WAIT: Duration = Duration::from_secs(5);
/// How often it looks whether somebody came.
const SLICE: Duration = Duration::from_millis(5);

/// Serves `text` on a free port of loopback to the first who asks, and tells the address.
pub(crate) fn serve_once(text: &str) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let answer = format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    std::thread::spawn(move || {
        let end = Instant::now() + WAIT;
        while Instant::now() < end {
            if let Ok((mut stream, _)) = listener.accept() {
                // A reader who leaves early misses the page; that is all.
                let _left = stream
                    .set_nonblocking(false)
                    .and_then(|()| stream.set_read_timeout(Some(WAIT)))
                    .and_then(|()| stream.read(&mut [0; 1024]))
                    .and_then(|_| stream.write_all(answer.as_bytes()));
                return;
            }
            std::thread::sleep(SLICE);
        }
    });
    Ok(format!("http://127.0.0.1:{port}/\n"))
}
