//! A network namespace without route, bridge or door to the host.

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "network",
    proofs: &[
        Proof::both("host_loopback", host_loopback),
        Proof::both("interfaces", interfaces),
        Proof::beside("abstract_sockets", abstract_sockets),
    ],
};

/// Tells a token to the first one who connects. The thread ends with this program if nobody does.
pub(super) fn tell_everybody<S: Write>(token: &str, accept: impl Fn() -> io::Result<S> + Send + 'static) {
    let token = token.to_owned();
    std::thread::spawn(move || accept().and_then(|mut stream| stream.write_all(token.as_bytes())));
}

/// A service on the laptop's loopback.
fn host_loopback(scene: &Scene<'_>) -> Outcome {
    let token = token();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    tell_everybody(&token, move || listener.accept().map(|(stream, _)| stream));
    let told = scene.boxed().probe(&["tcp", &port]);
    assert_eq!(told.of("said"), if scene.held { "ECONNREFUSED".to_owned() } else { format!("ok {token}") });
    Ok(())
}

/// The kernel's own list: loopback alone, or what the host has.
fn interfaces(scene: &Scene<'_>) -> Outcome {
    let names = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_owned()).collect()
    };
    let told = scene.boxed().run(&["cat", "/proc/self/net/dev"]);
    let host = names(&std::fs::read_to_string("/proc/self/net/dev").unwrap());
    assert_eq!(names(&told.out), if scene.held { vec!["lo".to_owned()] } else { host }, "{told:?}");
    Ok(())
}

/// Abstract unix sockets belong to a network namespace.
fn abstract_sockets(scene: &Scene<'_>) -> Outcome {
    let (name, token) = (token(), token());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    tell_everybody(&token, move || listener.accept().map(|(stream, _)| stream));
    let told = scene.boxed().beside(&["landlock"]).probe(&["abstract", &name]);
    assert_eq!(told.of("said"), if scene.held { "ECONNREFUSED".to_owned() } else { format!("ok {token}") });
    Ok(())
}
