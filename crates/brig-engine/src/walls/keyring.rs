//! A session keyring of its own.

use std::io;

use super::Wall;
use crate::sys;

pub(crate) const WALL: Wall =
    Wall { id: "keyring", title: "own keyring", keeps: "keys that the caller's session holds in the kernel" };

/// Leaves the caller's session keyring. A kernel without keyrings has none to leave.
pub(crate) fn raise() -> io::Result<()> {
    match sys::new_session_keyring() {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => Ok(()),
        done => done,
    }
}
