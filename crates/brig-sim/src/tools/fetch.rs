//! `fetch`: asks for any plain HTTP address that the system lets it reach.
//!
//! Names are looked up in `/etc/hosts` alone: a static binary that asked the C library for a name
//! inside someone else's root would load that root's lookup libraries.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Context, Kind, Outcome, Pace, Param, Tool, text};
use crate::json::Value;

/// How long a connection may take to be made: generous on one machine.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the whole exchange may take.
const EXCHANGE: Duration = Duration::from_secs(5);
/// How often a cancellation is noticed.
const SLICE: Duration = Duration::from_millis(50);
/// How much of an answer is read.
const MAX_BODY: usize = 1024 * 1024;
/// How much of `/etc/hosts` is read.
const MAX_HOSTS: u64 = 256 * 1024;

pub(crate) const TOOL: Tool = Tool {
    name: "fetch",
    title: "Fetch a page",
    about: "Sends one HTTP GET and returns the answer, status line and headers included: at most its first 1 MiB.",
    read_only: true,
    open_world: true,
    params: &[Param {
        name: "url",
        kind: Kind::Text,
        required: true,
        about: "An http:// address. The host is an IP address or a name from /etc/hosts.",
    }],
    pace: Pace::Slow,
    call,
};

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("not an address that can be fetched: {why}")]
    Url { why: &'static str },
    #[error("the name {host} is not in /etc/hosts, and no other look-up is made")]
    Unknown { host: String },
    #[error("cannot connect to {to}: {source}")]
    Connect { to: SocketAddr, source: io::Error },
    #[error("cannot talk to {to}: {source}")]
    Talk { to: SocketAddr, source: io::Error },
    #[error("{to} did not finish its answer in time")]
    TooLate { to: SocketAddr },
    #[error("cancelled")]
    Cancelled,
}

fn call(arguments: &Value, context: &Context<'_>) -> Outcome {
    let target = Target::parse(text(arguments, "url"))?;
    let hosts = || {
        let mut text = String::new();
        // Without a readable file there are no names but localhost.
        let _unreadable =
            std::fs::File::open("/etc/hosts").and_then(|file| file.take(MAX_HOSTS).read_to_string(&mut text));
        text
    };
    let ip = target.resolve(hosts)?;
    let answer = get(SocketAddr::new(ip, target.port), &target, context)?;
    Ok(String::from_utf8_lossy(&answer).into_owned().into())
}

/// An address, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Target<'a> {
    /// Without the brackets of an IPv6 address.
    host: &'a str,
    /// Host and port as they were spelt.
    authority: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Target<'a> {
    fn parse(url: &'a str) -> Result<Self, FetchError> {
        let wrong = |why| FetchError::Url { why };
        if url.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(wrong("it holds a space, a control character or a letter beyond ASCII"));
        }
        let rest = url.strip_prefix("http://").ok_or_else(|| wrong("it does not begin with http://"))?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(cut);
        if authority.contains('@') {
            return Err(wrong("it holds a user name"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => inner.split_once(']').ok_or_else(|| wrong("a bracket is not closed"))?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => digits.parse().map_err(|_| wrong("its port is not a number"))?,
            None if port.is_empty() => 80,
            None => return Err(wrong("something follows the bracket")),
        };
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        Ok(Self { host, authority, port, path })
    }

    fn resolve(&self, hosts: impl FnOnce() -> String) -> Result<IpAddr, FetchError> {
        if let Ok(ip) = self.host.parse::<Ipv4Addr>() {
            return Ok(ip.into());
        }
        if let Ok(ip) = self.host.parse::<Ipv6Addr>() {
            return Ok(ip.into());
        }
        if self.host.eq_ignore_ascii_case("localhost") {
            return Ok(Ipv4Addr::LOCALHOST.into());
        }
        for line in hosts().lines() {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let ip = words.next().and_then(|word| word.parse().ok());
            if let Some(ip) = ip
                && words.any(|name| name.eq_ignore_ascii_case(self.host))
            {
                return Ok(ip);
            }
        }
        Err(FetchError::Unknown { host: self.host.to_owned() })
    }
}

fn get(to: SocketAddr, target: &Target<'_>, context: &Context<'_>) -> Result<Vec<u8>, FetchError> {
    let end = Instant::now() + EXCHANGE;
    let mut stream = TcpStream::connect_timeout(&to, CONNECT).map_err(|source| FetchError::Connect { to, source })?;
    let slash = if target.path.starts_with('/') { "" } else { "/" };
    let request = format!(
        "GET {slash}{} HTTP/1.0\r\nHost: {}\r\nUser-Agent: brig-sim\r\nConnection: close\r\n\r\n",
        target.path, target.authority
    );
    let talk = |source| FetchError::Talk { to, source };
    stream.set_write_timeout(Some(CONNECT)).map_err(talk)?;
    stream.set_read_timeout(Some(SLICE)).map_err(talk)?;
    stream.write_all(request.as_bytes()).map_err(talk)?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while answer.len() < MAX_BODY {
        if context.is_cancelled() {
            return Err(FetchError::Cancelled);
        }
        if Instant::now() > end {
            return Err(FetchError::TooLate { to });
        }
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&chunk[..n]),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) => {}
            // What came before a reset is an answer too.
            Err(_) if !answer.is_empty() => break,
            Err(source) => return Err(talk(source)),
        }
    }
    answer.truncate(MAX_BODY);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn parts(url: &str) -> Option<(&str, u16, &str)> {
        Target::parse(url).ok().map(|t| (t.host, t.port, t.path))
    }

    #[test]
    fn takes_addresses_apart() {
        assert_eq!(parts("http://a/b?c#d"), Some(("a", 80, "/b?c")));
        assert_eq!(parts("http://127.0.0.1:81"), Some(("127.0.0.1", 81, "")));
        assert_eq!(parts("http://[::1]:8080/x"), Some(("::1", 8080, "/x")));
        assert_eq!(parts("http://a?q"), Some(("a", 80, "?q")));
        for wrong in [
            "https://a/",
            "http://",
            "http://u@a/",
            "http://a:b/",
            "http://[::1",
            "http://[::1]x/",
            "http://a/ b",
            "http://a/\r\nHost: b",
            "http://a:99999/",
            "/etc/passwd",
        ] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn looks_names_up_in_the_hosts_file_alone() {
        let hosts = || "# names\n10.1.2.3 one two # three\n::1 six\nnonsense four\n".to_owned();
        let resolve =
            |host: &str| Target::parse(&format!("http://{host}/")).and_then(|target| target.resolve(hosts)).ok();
        assert_eq!(resolve("two"), "10.1.2.3".parse().ok());
        assert_eq!(resolve("SIX"), "::1".parse().ok());
        assert_eq!(resolve("localhost"), "127.0.0.1".parse().ok());
        assert_eq!(resolve("three"), None);
        assert_eq!(resolve("four"), None);
        assert_eq!(resolve("127.1"), None, "a spelling that only the C library reads");
    }

    #[test]
    fn fetches_and_can_be_cancelled() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let n = stream.read(&mut request).unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello").unwrap();
            drop(stream);
            // The second caller is never answered.
            let silent = listener.accept().unwrap();
            (String::from_utf8_lossy(&request[..n]).into_owned(), silent)
        });
        let arguments = crate::json::object([("url", format!("http://localhost:{port}/a?b").into())]);
        let go = AtomicBool::new(false);
        let context = Context { env: &[], cancelled: &go };
        let answer = call(&arguments, &context).unwrap().text;
        assert_eq!(answer, "HTTP/1.0 200 OK\r\n\r\nhello");
        let stop = AtomicBool::new(true);
        let context = Context { env: &[], cancelled: &stop };
        let why = call(&arguments, &context).unwrap_err().to_string();
        assert_eq!(why, "cancelled");
        let (request, _silent) = server.join().unwrap();
        assert!(request.starts_with("GET /a?b HTTP/1.0\r\nHost: localhost:"), "{request}");
    }
}
