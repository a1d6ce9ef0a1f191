//! The doors that a box hands out, judged before brig accepts anything through them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::sockopt;

use super::StartError;
use crate::launch::{Door, Transport};
use crate::sys;

/// A received descriptor counts only when it is the listening socket that was ordered, made in the
/// box's network namespace and not in ours (box rule 4).
pub(super) fn check(ordered: &[Door], received: Vec<OwnedFd>) -> Result<Vec<OwnedFd>, StartError> {
    if received.len() != ordered.len() {
        return Err(StartError::Handover(format!("{} doors instead of {}", received.len(), ordered.len())));
    }
    let Some(first) = received.first() else { return Ok(received) };
    let cookie = |fd: BorrowedFd<'_>| sys::netns_cookie(fd).map_err(StartError::Prepare);
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let host = cookie(sys::bound_socket(any, false).map_err(StartError::Prepare)?.as_fd())?;
    let theirs = cookie(first.as_fd())?;
    for (door, socket) in ordered.iter().zip(&received) {
        let matches = is_door(door, socket).map_err(|_| StartError::WrongDoor(door.address))?;
        if !matches || theirs == host || cookie(socket.as_fd())? != theirs {
            return Err(StartError::WrongDoor(door.address));
        }
    }
    Ok(received)
}

fn is_door(door: &Door, socket: &OwnedFd) -> rustix::io::Result<bool> {
    use rustix::net::{AddressFamily, SocketType};
    let (kind, listens) = match door.transport {
        Transport::Tcp => (SocketType::STREAM, true),
        Transport::Udp => (SocketType::DGRAM, false),
    };
    let family = if door.address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let address = std::net::SocketAddr::try_from(rustix::net::getsockname(socket)?)?;
    Ok(sockopt::socket_type(socket)? == kind
        && sockopt::socket_domain(socket)? == family
        && sockopt::socket_acceptconn(socket)? == listens
        && address == door.address)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use rustix::thread::UnshareFlags;

    use super::*;

    fn listening(stream: bool) -> (OwnedFd, SocketAddr) {
        let socket = sys::bound_socket(SocketAddr::from(([127, 0, 0, 1], 0)), stream).unwrap();
        let address = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
        (socket, address)
    }

    fn tcp(address: SocketAddr) -> Door {
        Door { address, transport: Transport::Tcp }
    }

    #[test]
    fn only_the_very_socket_that_was_ordered_is_a_door() {
        let (socket, address) = listening(true);
        assert!(is_door(&tcp(address), &socket).unwrap());
        let elsewhere = SocketAddr::from(([127, 0, 0, 1], address.port() ^ 1));
        assert!(!is_door(&tcp(elsewhere), &socket).unwrap(), "another port");
        let other = SocketAddr::from(([127, 0, 0, 2], address.port()));
        assert!(!is_door(&tcp(other), &socket).unwrap(), "another address");
        assert!(!is_door(&Door { address, transport: Transport::Udp }, &socket).unwrap(), "TCP for UDP");

        let (datagrams, address) = listening(false);
        assert!(is_door(&Door { address, transport: Transport::Udp }, &datagrams).unwrap());
        assert!(!is_door(&tcp(address), &datagrams).unwrap(), "UDP for TCP");

        let client = std::net::TcpStream::connect(listening_address(&socket)).unwrap();
        let address = client.local_addr().unwrap();
        assert!(!is_door(&tcp(address), &client.into()).unwrap(), "a connection listens to nobody");
        let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(is_door(&tcp(address), &unix.into()).is_err(), "no socket of the internet at all");
    }

    fn listening_address(socket: &OwnedFd) -> SocketAddr {
        SocketAddr::try_from(rustix::net::getsockname(socket).unwrap()).unwrap()
    }

    #[test]
    fn a_socket_of_the_host_is_no_door_of_a_box() {
        let (socket, address) = listening(true);
        let refused = check(&[tcp(address)], vec![socket]);
        assert!(matches!(refused, Err(StartError::WrongDoor(door)) if door == address));
    }

    #[test]
    fn the_number_of_doors_is_the_ordered_one() {
        let (socket, address) = listening(true);
        assert!(matches!(check(&[], vec![socket]), Err(StartError::Handover(_))), "surplus");
        assert!(matches!(check(&[tcp(address)], vec![]), Err(StartError::Handover(_))), "missing");
        assert!(check(&[], vec![]).unwrap().is_empty());
    }

    /// The allowed case needs a network namespace that is not ours, which root alone gets in a thread.
    #[test]
    fn sockets_of_one_other_namespace_are_doors() {
        if !rustix::process::geteuid().is_root() {
            // Written past the capture of the test runner, so that it is listed.
            let line = "SKIP sockets_of_one_other_namespace_are_doors: a thread's network namespace needs root\n";
            drop(std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()));
            return;
        }
        let elsewhere = || {
            let made = || {
                sys::unshare(UnshareFlags::NEWNET).unwrap();
                sys::loopback_up(sys::bound_socket(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap().as_fd())
                    .unwrap();
                [listening(true), listening(true)]
            };
            std::thread::scope(|scope| scope.spawn(made).join().unwrap())
        };
        let [(first, one), (second, two)] = elsewhere();
        assert_eq!(check(&[tcp(one), tcp(two)], vec![first, second]).unwrap().len(), 2);
        let ([(first, one), _], [(second, two), _]) = (elsewhere(), elsewhere());
        assert!(check(&[tcp(one), tcp(two)], vec![first, second]).is_err(), "two namespaces for one box");
        let ([(first, one), _], (second, two)) = (elsewhere(), listening(true));
        assert!(check(&[tcp(one), tcp(two)], vec![first, second]).is_err(), "a host's socket in second place");
    }
}
