//! The door over real sockets, all of them on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use brig_egress::decide::{Grant, Refused, Rules, Way};
use brig_egress::door::{self, Door, Event, HeadError, Patience};
use brig_egress::endpoint::Endpoint;

const SHORT: Patience =
    Patience { head: Duration::from_millis(400), idle: Duration::from_millis(800), whole: Duration::from_secs(10) };

fn resolve_to_loopback(name: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    assert!(name.ends_with(".granted.example"), "{name} must never be resolved");
    Ok(vec![([127, 0, 0, 1], port).into()])
}

/// A server that answers every connection's first bytes with `answer:` and those bytes, then ends.
fn far_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut bytes = vec![0; 64 * 1024];
                let count = stream.read(&mut bytes).unwrap_or(0);
                let _ = stream.write_all(b"answer:");
                let _ = stream.write_all(&bytes[..count]);
            });
        }
    });
    port
}

fn open_door(port: u16, way: Way) -> (Door, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let place = Endpoint::parse(&format!("a.granted.example:{port}"), None).unwrap();
    let rules = Rules::new([Grant { place, way }]);
    (door::open_with(listener, rules, resolve_to_loopback, SHORT).unwrap(), address)
}

fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    read_all(&mut stream)
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn greeting(name: &str) -> Vec<u8> {
    let u16 = |value: usize| u16::try_from(value).unwrap().to_be_bytes();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend(u16(name.len() + 9));
    body.extend([0, 0]);
    body.extend(u16(name.len() + 5));
    body.extend(u16(name.len() + 3));
    body.push(0);
    body.extend(u16(name.len()));
    body.extend(name.as_bytes());
    let mut bytes = vec![22, 3, 1];
    bytes.extend(u16(body.len() + 4));
    bytes.extend([1, 0]);
    bytes.extend(u16(body.len()));
    bytes.extend(body);
    bytes
}

fn open_tunnel(address: SocketAddr, port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "CONNECT a.granted.example:{port} HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = [0; 39];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 Connection Established\r\n\r\n");
    stream
}

fn only_event(door: Door) -> Event {
    let record = door.close();
    assert_eq!(record.events.len(), 1, "{record:?}");
    record.events[0].0.clone()
}

#[test]
fn a_granted_tunnel_carries_the_greeting_as_it_came() {
    let port = far_server();
    let (door, address) = open_door(port, Way::Tls);
    let mut stream = open_tunnel(address, port);
    let hello = greeting("a.granted.example");
    // In two pieces, to see that both arrive.
    stream.write_all(&hello[..30]).unwrap();
    thread::sleep(Duration::from_millis(20));
    stream.write_all(&hello[30..]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, [b"answer:", &hello[..]].concat());
    assert!(matches!(only_event(door), Event::Served(place) if place.port == port));
}

#[test]
fn another_server_name_or_no_tls_reaches_nothing() {
    let port = far_server();
    for (bytes, name) in [(greeting("b.granted.example"), true), (b"GET / HTTP/1.1\r\n\r\n".to_vec(), false)] {
        let (door, address) = open_door(port, Way::Tls);
        let mut stream = open_tunnel(address, port);
        stream.write_all(&bytes).unwrap();
        assert_eq!(read_all(&mut stream), "");
        match only_event(door) {
            Event::Refused(Refused::ServerName { named, .. }) => {
                assert!(name);
                assert_eq!(named.as_deref(), Some("b.granted.example"));
            }
            Event::Refused(Refused::NotTls(_)) => assert!(!name),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn other_names_ports_and_addresses_are_refused_unresolved() {
    let port = far_server();
    for target in [
        format!("b.other.example:{port}"),
        "a.granted.example:1".to_owned(),
        format!("127.0.0.1:{port}"),
        "169.254.169.254:80".to_owned(),
        format!("[::ffff:127.0.0.1]:{port}"),
    ] {
        let (door, address) = open_door(port, Way::Tls);
        let answer = talk(address, format!("CONNECT {target} HTTP/1.1\r\n\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{target}: {answer}");
        assert!(answer.contains("is not granted") || answer.contains("not granted by number"), "{answer}");
        assert!(matches!(only_event(door), Event::Refused(_)));
    }
}

#[test]
fn a_clear_registry_is_fetched_from_with_a_rebuilt_head() {
    let port = far_server();
    let (door, address) = open_door(port, Way::Clear);
    let request = format!(
        "GET http://a.granted.example:{port}/pkg HTTP/1.1\r\nHost: a.granted.example:{port}\r\nProxy-Authorization: x\r\n\r\n"
    );
    assert_eq!(
        talk(address, request.as_bytes()),
        format!("answer:GET /pkg HTTP/1.1\r\nHost: a.granted.example:{port}\r\nConnection: close\r\n\r\n")
    );
    // The same place through a tunnel was not granted.
    let answer = talk(address, format!("CONNECT a.granted.example:{port} HTTP/1.1\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(door.close().events.len(), 2);
}

#[test]
fn a_second_request_behind_the_first_is_refused_whole() {
    let port = far_server();
    let (door, address) = open_door(port, Way::Clear);
    let first = format!("GET http://a.granted.example:{port}/ HTTP/1.1\r\n\r\n");
    let answer = talk(address, format!("{first}GET http://b.other.example/ HTTP/1.1\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(only_event(door), Event::Early);

    // Sent later, it has no reader: only the first is answered.
    let (door, address) = open_door(port, Way::Clear);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(50));
    let _ = stream.write_all(b"GET http://b.other.example/ HTTP/1.1\r\n\r\n");
    let answer = read_all(&mut stream);
    assert!(answer.starts_with("answer:GET / HTTP/1.1"), "{answer}");
    assert!(!answer.contains("other.example"), "{answer}");
    assert!(matches!(only_event(door), Event::Served(_)));
}

#[test]
fn a_giant_head_and_a_malformed_one_are_refused() {
    let port = far_server();
    let (door, address) = open_door(port, Way::Tls);
    let giant = format!("CONNECT a.granted.example:{port} HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(20_000));
    assert!(talk(address, giant.as_bytes()).starts_with("HTTP/1.1 431"));
    assert!(talk(address, b"CONNECT a.granted.example:443 HTTP/1.1\n\n\r\n\r\n").starts_with("HTTP/1.1 400"));
    // Each connection has a thread of its own, so the order is theirs.
    let events = door.close().events;
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.contains(&(Event::TooLarge, 1)), "{events:?}");
    assert!(events.contains(&(Event::Malformed(HeadError::Bytes), 1)), "{events:?}");
}

#[test]
fn a_slow_head_is_cut_whatever_it_trickles() {
    let (door, address) = open_door(1, Way::Tls);
    let mut stream = TcpStream::connect(address).unwrap();
    let start = Instant::now();
    let mut writer = stream.try_clone().unwrap();
    let trickle = thread::spawn(move || {
        while writer.write_all(b"C").is_ok() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let answer = read_all(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(60), "it hung: {:?}", start.elapsed());
    drop(stream);
    trickle.join().unwrap();
    assert_eq!(only_event(door), Event::TooSlow);
}

#[test]
fn a_flood_waits_and_the_granted_one_is_still_served() {
    let port = far_server();
    let (door, address) = open_door(port, Way::Clear);
    let idle: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let request = format!("GET http://a.granted.example:{port}/ HTTP/1.1\r\n\r\n");
    assert!(talk(address, request.as_bytes()).starts_with("answer:"));
    drop(idle);
    let record = door.close();
    assert!(record.events.iter().any(|(event, _)| matches!(event, Event::Served(_))), "{record:?}");
}

#[test]
fn one_that_sends_more_than_requests_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![0; 64 * 1024];
        while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
    let (door, address) = open_door(port, Way::Tls);
    let mut stream = open_tunnel(address, port);
    stream.write_all(&greeting("a.granted.example")).unwrap();
    let chunk = vec![0; 64 * 1024];
    let sent = (0..1024).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 1024, "64 MiB went out");
    let events = door.close().events;
    assert!(events.iter().any(|(event, _)| matches!(event, Event::TooMuch(_))), "{events:?}");
}

#[test]
fn what_is_granted_but_dead_says_so_and_closing_is_quick() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (door, address) = open_door(dead, Way::Tls);
    let answer = talk(address, format!("CONNECT a.granted.example:{dead} HTTP/1.1\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    let _waiting = TcpStream::connect(address).unwrap();
    let start = Instant::now();
    assert!(matches!(only_event(door), Event::Unreachable(_, why) if why.contains("cannot connect")));
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}
