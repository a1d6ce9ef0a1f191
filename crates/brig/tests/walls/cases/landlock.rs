//! Landlock: the mounts' rules once more, by another part of the kernel.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use super::network::tell_everybody;
use crate::runner::{Case, Outcome, Proof, Skip};
use crate::scene::{Scene, Told, token};

pub(super) const CASE: Case = Case {
    wall: "landlock",
    proofs: &[Proof::both("device_calls", device_calls), Proof::beside("abstract_sockets", abstract_sockets)],
};

/// ioctl on a device: refused by Landlock, else answered by the device, which knows no such call.
fn device_calls(scene: &Scene<'_>) -> Outcome {
    let told = scene.boxed().probe(&["terminal-call"]);
    whole_here(scene, &told)?;
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
    whole_here(scene, &told)?;
    assert_eq!(told.of("said"), if scene.held { "EPERM".to_owned() } else { format!("ok {token}") });
    Ok(())
}

/// Whether this kernel has all of Landlock that the engine asks for; if not, it must say so.
fn whole_here(scene: &Scene<'_>, told: &Told) -> Outcome {
    if !scene.held || kernel_has_it() {
        assert_eq!(told.wall("landlock"), "enforced");
        return Ok(());
    }
    assert!(
        told.wall("landlock").starts_with("weaker: ") || told.wall("landlock").starts_with("missing: "),
        "{told:?}"
    );
    Err(Skip("this kernel is older than Linux 6.15 or runs without Landlock".to_owned()))
}

/// Judged by the kernel's version and its list of security modules, not by Landlock's own answer.
pub(crate) fn kernel_has_it() -> bool {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    // Seen where securityfs is mounted.
    let modules = std::fs::read_to_string("/sys/kernel/security/lsm");
    version >= (6, 15) && modules.map_or(true, |modules| modules.contains("landlock"))
}
