//! Landlock: the mounts' rules once more, by another part of the kernel.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use super::network::tell_everybody;
use crate::runner::{Case, Outcome, Proof};
use crate::scene::{Scene, token};

pub(super) const CASE: Case = Case {
    wall: "landlock",
    proofs: &[Proof::both("device_calls", device_calls), Proof::beside("abstract_sockets", abstract_sockets)],
};

/// ioctl on a device: refused by Landlock, else answered by the device, which knows no such call.
fn device_calls(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["terminal-call"]);
    assert_eq!(told.of("tcgetattr"), if scene.held { "EACCES" } else { "EINVAL" });
    Ok(())
}

/// With the host's network, its abstract sockets are still out of reach.
fn abstract_sockets(scene: &Scene<'_>) -> Outcome {
    let (name, token) = (token(), token());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    tell_everybody(&token, move || listener.accept().map(|(stream, _)| stream));
    let told = scene.boxed().beside(&["network"]).probe(&["abstract", &name]);
    assert_eq!(told.of("said"), if scene.held { "EPERM".to_owned() } else { format!("ok {token}") });
    Ok(())
}
