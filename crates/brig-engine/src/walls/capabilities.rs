//! All capabilities dropped, and none to be had again.

use std::io;

use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits,
};

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "capabilities",
    title: "no capabilities",
    keeps: "mounts, interfaces and everything else that the namespaces' owner could change",
};

/// More than any kernel has; the first number that the kernel does not know ends the loop.
const LAST_POSSIBLE: u32 = 63;

/// Empties every set of this process. Needs CAP_SETPCAP, so it comes before nothing else is left.
pub(crate) fn raise() -> io::Result<()> {
    for number in 0..=LAST_POSSIBLE {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Err(rustix::io::Errno::INVAL) => break,
            done => done?,
        }
    }
    // A process of uid 0 would regain capabilities at execve; there is no uid 0, but the lock is free.
    set_capabilities_secure_bits(
        CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED,
    )?;
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(())
}
