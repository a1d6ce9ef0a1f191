//! Every host file that the box shows, opened and cloned before its root is built.
//!
//! A path is resolved once, without links, and the file found there must be the one that the planner
//! judged. What is mounted later is the clone, so nothing can be swapped in between.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, statat};

use super::{files, mounts};
use crate::handover::{Broken, Step};
use crate::launch::{Bind, Launch, Root, What};
use crate::walls::devices;

/// Clones of host mounts, not attached anywhere yet.
pub(super) struct Sources {
    /// One for each layer of the root, topmost first.
    pub(super) layers: Vec<OwnedFd>,
    /// One for each mount of the launch, in its order.
    pub(super) mounts: Vec<Source>,
    /// One for each of [`devices::NAMES`].
    pub(super) devices: Vec<OwnedFd>,
}

/// What one mount is made of.
pub(super) enum Source {
    /// A clone to attach.
    Bind { clone: OwnedFd, folder: bool },
    /// Nothing of the host.
    Memory,
    /// A clone to show, and the clone of the folder that holds `upper` and `work`.
    Overlay { lower: OwnedFd, changes: OwnedFd },
}

/// Opens all of them. `mapping` shows the caller's files as the box's own, when brig runs as root.
pub(super) fn open(launch: &Launch, mapping: Option<BorrowedFd<'_>>) -> Result<Sources, Broken> {
    let layers = match &launch.root {
        Root::Empty => Vec::new(),
        Root::Layers(layers) => layers.iter().map(|layer| open_layer(layer, mapping)).collect::<Result<_, _>>()?,
    };
    let mounts = launch.mounts.iter().map(|mount| open_mount(&mount.what, mapping)).collect::<Result<_, _>>()?;
    let devices = devices::NAMES.iter().map(|name| open_device(name)).collect::<Result<_, _>>()?;
    Ok(Sources { layers, mounts, devices })
}

fn open_layer(path: &Path, mapping: Option<BorrowedFd<'_>>) -> Result<OwnedFd, Broken> {
    let step = || format!("open the image layer {}", path.display());
    let clone = files::at_real_path(path).and_then(|found| mounts::clone(found.as_fd())).step(step)?;
    mounts::restrict(clone.as_fd(), false).step(step)?;
    map(&clone, mapping).step(step)?;
    Ok(clone)
}

fn open_mount(what: &What, mapping: Option<BorrowedFd<'_>>) -> Result<Source, Broken> {
    match what {
        What::Tmpfs { .. } => Ok(Source::Memory),
        What::Bind(bind) => {
            let (clone, folder) = open_bind(bind, mapping)?;
            Ok(Source::Bind { clone, folder })
        }
        What::Overlay { lower, upper, .. } => {
            let (lower, _) = open_bind(lower, mapping)?;
            let holder = upper.parent().unwrap_or(upper);
            let step = || format!("open the staging folder {}", holder.display());
            let changes = files::at_real_path(holder).and_then(|found| mounts::clone(found.as_fd())).step(step)?;
            mounts::restrict(changes.as_fd(), true).step(step)?;
            map(&changes, mapping).step(step)?;
            Ok(Source::Overlay { lower, changes })
        }
    }
}

fn open_bind(bind: &Bind, mapping: Option<BorrowedFd<'_>>) -> Result<(OwnedFd, bool), Broken> {
    let step = || format!("open {}", bind.source.display());
    let found = files::at_real_path(&bind.source).step(step)?;
    if files::id(found.as_fd()).step(step)? != bind.expect {
        let step = format!("{} was replaced while the box started; start it again", bind.source.display());
        return Err(Broken { step, errno: 0 });
    }
    let folder = files::is_folder(found.as_fd()).step(step)?;
    let clone = mounts::clone(found.as_fd()).step(step)?;
    mounts::restrict(clone.as_fd(), bind.writable).step(step)?;
    if bind.owned {
        map(&clone, mapping).step(step)?;
    }
    Ok((clone, folder))
}

fn open_device(name: &str) -> Result<OwnedFd, Broken> {
    let step = || format!("open /dev/{name}");
    let found = files::at_real_path(&Path::new("/dev").join(name)).step(step)?;
    let clone = mounts::clone(found.as_fd()).step(step)?;
    mounts::restrict_device(clone.as_fd()).step(step)?;
    Ok(clone)
}

/// Shows root's files as the box's own; those of anybody else stay as they are. A file system that
/// cannot be mapped stays unmapped: less is then reachable, never more.
fn map(clone: &OwnedFd, mapping: Option<BorrowedFd<'_>>) -> std::io::Result<()> {
    let Some(mapping) = mapping else { return Ok(()) };
    if statat(clone, "", AtFlags::EMPTY_PATH)?.st_uid == 0 {
        mounts::map_owners(clone.as_fd(), mapping)?;
    }
    Ok(())
}
