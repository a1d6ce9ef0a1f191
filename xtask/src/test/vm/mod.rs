//! `cargo xtask test --vm`: what this machine's kernel or init cannot show, in virtual machines.
//!
//! Debian's own kernel boots under qemu, emulated, so that it works where no virtualisation can be
//! had. The disk is made by mmdebstrap; the brig binary and the integration tests are copied in; a
//! machine runs one case, writes its output to the serial console and switches itself off.

mod cases;
mod disk;
mod kernel;
mod machine;

use std::path::Path;

use anyhow::{Result, bail};

use super::leg::Leg;
use super::{built, debian};
use crate::{process, screen};

/// One leg for each case.
pub(super) fn legs(root: &Path) -> Result<Vec<Leg>> {
    if !process::is_root() {
        bail!("the disks of the virtual machines are made as root; run `sudo cargo xtask test --vm`");
    }
    let missing = debian::ensure(debian::FOR_VM)?;
    if !missing.is_empty() {
        bail!("the virtual machines need these Debian packages: {}", missing.join(" "));
    }
    let programs = built::integration_tests(root)?;
    let kernel = kernel::prepare()?;
    let mut legs = Vec::new();
    for case in cases::ALL {
        screen::heading(&format!("virtual machine: {} ({})", case.id, case.shows));
        let disk = disk::prepare(root, case, &programs)?;
        legs.push(machine::run(case, &kernel, &disk)?);
    }
    Ok(legs)
}
