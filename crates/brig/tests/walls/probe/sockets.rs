//! Probes of sockets.

use std::io::Read;
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use super::{done, outcome, say};

/// Reads what a listener on loopback says.
pub(super) fn tcp(words: &[String]) {
    let port: u16 = words[0].parse().unwrap();
    say("said", outcome(TcpStream::connect(("127.0.0.1", port)).and_then(everything)));
}

/// Reads what the listener with this abstract name says.
pub(super) fn abstract_name(words: &[String]) {
    let address = SocketAddr::from_abstract_name(&words[0]).unwrap();
    say("said", outcome(UnixStream::connect_addr(&address).and_then(everything)));
}

/// Waits for a socket to appear in a folder, and reads what it says.
pub(super) fn unix_later(words: &[String]) {
    println!("ready");
    let start = Instant::now();
    while !std::fs::exists(&words[0]).unwrap() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    say("there", std::fs::exists(&words[0]).unwrap());
    say("said", outcome(UnixStream::connect(&words[0]).and_then(everything)));
}

/// Sockets of its own, which need nobody else.
pub(super) fn unix(_: &[String]) {
    say("pair", done(UnixStream::pair()));
    let own = UnixListener::bind("/tmp/own.sock").and_then(|listener| {
        let _client = UnixStream::connect("/tmp/own.sock")?;
        listener.accept().map(|_| "")
    });
    say("own", outcome(own));
}

fn everything(mut stream: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}
