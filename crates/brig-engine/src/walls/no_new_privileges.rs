//! No program that the box starts gains anything by being started.

use std::io;

use super::Wall;

pub(crate) const WALL: Wall = Wall {
    id: "no-new-privileges",
    title: "no new privileges",
    keeps: "what set-user-id programs and file capabilities would give",
};

/// Sets no_new_privs, which cannot be unset (prctl(2)).
pub(crate) fn raise() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}
