//! Builds the root that the box will see, under a scratch folder that disappears with the old root.

use std::ffi::CString;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat, symlinkat};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::fchdir;

use super::sources::{Source, Sources};
use super::{files, mounts};
use crate::handover::{Broken, Order, Step};
use crate::launch::{Entry, Inside, Launch, Root, Treat, What};
use crate::walls::{devices, tmp};

/// Where the scratch folder is mounted, in the box's own mount namespace: every Linux has one of
/// them, and what lies below it was cloned before.
const SCRATCH: &[&str] = &["/tmp", "/mnt", "/run", "/usr"];
/// The folders that every root has, to be mounted on.
const ALWAYS: &[&str] = &["/proc", "/dev", "/tmp"];
/// Links that programs expect in `/dev`.
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];
/// Room for `/dev` itself: a handful of empty files.
const DEVICES_SIZE: u64 = 64 * 1024;

/// Builds everything but `/proc`, which must be mounted from inside the new pid namespace. Returns
/// the root's top folder.
pub(super) fn build(order: &Order, sources: &Sources) -> Result<OwnedFd, Broken> {
    // Nothing mounted from here on may reach the host, whatever the host shares.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .step(|| "make the mounts private".to_owned())?;
    let scratch = scratch()?;
    let root = match &order.launch.root {
        Root::Empty => empty_root(&scratch, &order.launch, sources)?,
        Root::Layers(_) => layered_root(&scratch, &order.launch, sources)?,
    };
    devices_folder(root.as_fd(), order, sources)?;
    let tmp_size = if order.leaves_out(&tmp::WALL) { 0 } else { order.launch.limits.tmp };
    memory_at(root.as_fd(), Path::new("/tmp"), tmp_size, 0o1777)?;
    for (index, (mount, source)) in order.launch.mounts.iter().zip(&sources.mounts).enumerate() {
        mount_one(&scratch, root.as_fd(), (index, &mount.target, &mount.what), source)?;
    }
    Ok(root)
}

/// The scratch folder, with what covers masked files and folders.
fn scratch() -> Result<OwnedFd, Broken> {
    let place = SCRATCH.iter().find_map(|path| files::at_real_path(Path::new(path)).ok());
    let Some(place) = place else {
        return Err(Broken { step: "find a folder to build the root in".to_owned(), errno: libc::ENOENT });
    };
    let step = || "mount a scratch folder".to_owned();
    let memory = mounts::skeleton().step(step)?;
    mounts::attach(memory.as_fd(), place.as_fd()).step(step)?;
    // The descriptor of the mount is now that of its top folder.
    let file = files::new_file(memory.as_fd(), Path::new("mask/file")).step(step)?;
    rustix::fs::fchmod(&file, Mode::empty()).step(step)?;
    files::folders(memory.as_fd(), Path::new("mask/folder")).step(step)?;
    let folder = openat(&memory, "mask/folder", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step(step)?;
    rustix::fs::fchmod(&folder, Mode::empty()).step(step)?;
    files::folders(memory.as_fd(), Path::new("root")).step(step)?;
    Ok(memory)
}

fn empty_root(scratch: &OwnedFd, launch: &Launch, sources: &Sources) -> Result<OwnedFd, Broken> {
    let step = || "mount the root".to_owned();
    let root = mounts::skeleton().step(step)?;
    let place = files::below(scratch.as_fd(), Path::new("root")).step(step)?;
    mounts::attach(root.as_fd(), place.as_fd()).step(step)?;
    write_skeleton(root.as_fd(), launch, sources)?;
    Ok(root)
}

/// The layers under a topmost one that holds the skeleton, read-only by having no upper folder.
fn layered_root(scratch: &OwnedFd, launch: &Launch, sources: &Sources) -> Result<OwnedFd, Broken> {
    let step = || "mount the image's layers".to_owned();
    let skeleton = files::folders(scratch.as_fd(), Path::new("skeleton")).step(step)?;
    write_skeleton(skeleton.as_fd(), launch, sources)?;
    let mut lower = "skeleton".to_owned();
    for (number, layer) in sources.layers.iter().enumerate() {
        let name = number.to_string();
        let place = files::folders(scratch.as_fd(), Path::new(&name)).step(step)?;
        mounts::attach(layer.as_fd(), place.as_fd()).step(step)?;
        lower = format!("{lower}:{name}");
    }
    // Names relative to the scratch folder keep the option short: the kernel takes one page of it.
    fchdir(scratch).step(step)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    overlay(Path::new("root"), flags, &format!("userxattr,lowerdir={lower}")).step(step)?;
    files::below(scratch.as_fd(), Path::new("root")).step(step)
}

/// Writes what lies on top of the root, and a place for each mount.
fn write_skeleton(top: BorrowedFd<'_>, launch: &Launch, sources: &Sources) -> Result<(), Broken> {
    for path in ALWAYS {
        files::folders(top, Path::new(path)).step(|| format!("make {path}"))?;
    }
    for entry in &launch.skeleton {
        match entry {
            Entry::Dir { path } => drop(files::folders(top, path).step(|| format!("make {}", path.display()))?),
            Entry::File { path, text } => {
                let step = || format!("write {}", path.display());
                let file = files::new_file(top, path).step(step)?;
                std::fs::File::from(file).write_all(text.as_bytes()).step(step)?;
            }
            Entry::Link { path, to } => link(top, path, to).step(|| format!("link {}", path.display()))?,
        }
    }
    for (mount, source) in launch.mounts.iter().zip(&sources.mounts) {
        let folder = !matches!(source, Source::Bind { folder: false, .. });
        let made = files::mount_point(top, &mount.target, folder);
        // What lies below another mount is looked for again when that mount is there.
        drop(made.ok());
    }
    Ok(())
}

fn link(top: BorrowedFd<'_>, path: &Path, to: &Path) -> std::io::Result<()> {
    let parent = files::folders(top, path.parent().unwrap_or(Path::new("/")))?;
    let name = path.file_name().ok_or_else(|| std::io::Error::from_raw_os_error(libc::EINVAL))?;
    Ok(symlinkat(to, parent, name)?)
}

/// `/dev`: five devices, four links, and shared memory.
fn devices_folder(root: BorrowedFd<'_>, order: &Order, sources: &Sources) -> Result<(), Broken> {
    let step = || "mount /dev".to_owned();
    if order.leaves_out(&devices::WALL) {
        let host = files::at_real_path(Path::new("/dev")).and_then(|dev| mounts::clone(dev.as_fd())).step(step)?;
        let place = files::below(root, Path::new("/dev")).step(step)?;
        return mounts::attach(host.as_fd(), place.as_fd()).step(step);
    }
    let folder = memory_at(root, Path::new("/dev"), DEVICES_SIZE, 0o755)?;
    for (name, device) in devices::NAMES.iter().zip(&sources.devices) {
        let place = files::mount_point(folder.as_fd(), Path::new(name), false).step(step)?;
        mounts::attach(device.as_fd(), place.as_fd()).step(step)?;
    }
    for (name, to) in DEVICE_LINKS {
        link(folder.as_fd(), Path::new(name), Path::new(to)).step(step)?;
    }
    memory_at(folder.as_fd(), Path::new("shm"), order.launch.limits.shm, 0o1777)?;
    mounts::seal(folder.as_fd()).step(step)
}

fn memory_at(root: BorrowedFd<'_>, path: &Path, size: u64, mode: u32) -> Result<OwnedFd, Broken> {
    let step = || format!("mount memory at {}", path.display());
    let memory = mounts::memory(size, mode).step(step)?;
    let place = files::mount_point(root, path, true).step(step)?;
    mounts::attach(memory.as_fd(), place.as_fd()).step(step)?;
    Ok(memory)
}

/// Attaches one mount of the launch.
fn mount_one(
    scratch: &OwnedFd,
    root: BorrowedFd<'_>,
    (index, target, what): (usize, &PathBuf, &What),
    source: &Source,
) -> Result<(), Broken> {
    let step = || format!("mount {}", target.display());
    match (what, source) {
        (What::Tmpfs { size, mode }, _) => memory_at(root, target, *size, *mode).map(drop),
        (What::Bind(bind), Source::Bind { clone, folder }) => {
            let place = files::mount_point(root, target, *folder).step(step)?;
            mounts::attach(clone.as_fd(), place.as_fd()).step(step)?;
            treat(scratch, clone.as_fd(), &bind.inside)
        }
        (What::Overlay { lower, upper, work }, Source::Overlay { lower: shown, changes }) => {
            let below = |path: &Path, what: &str| -> Result<String, Broken> {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(what);
                Ok(format!("staged{index}/changes/{name}"))
            };
            let options = format!(
                "userxattr,lowerdir=staged{index}/lower,upperdir={},workdir={}",
                below(upper, "upper")?,
                below(work, "work")?
            );
            for (name, clone) in [("lower", shown), ("changes", changes)] {
                let place = PathBuf::from(format!("staged{index}")).join(name);
                let place = files::folders(scratch.as_fd(), &place).step(step)?;
                mounts::attach(clone.as_fd(), place.as_fd()).step(step)?;
            }
            let place = files::mount_point(root, target, true).step(step)?;
            fchdir(scratch).step(step)?;
            let path = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd()));
            overlay(&path, MountFlags::NOSUID | MountFlags::NODEV, &options).step(step)?;
            let merged = files::below(root, target).step(step)?;
            treat(scratch, merged.as_fd(), &lower.inside)
        }
        _ => Err(Broken { step: step(), errno: libc::EINVAL }),
    }
}

/// Gives parts of a mount another treatment. Each is looked up anew from the mount's top, so that a
/// part below a held folder is found through the mount that now lies on that folder.
fn treat(scratch: &OwnedFd, top: BorrowedFd<'_>, inside: &[Inside]) -> Result<(), Broken> {
    for part in inside {
        let step = || format!("protect {} (did it change just now? start again)", part.path.display());
        let place = files::below(top, &part.path).step(step)?;
        let cover = match part.treat {
            Treat::Mask => {
                let mask = if files::is_folder(place.as_fd()).step(step)? { "mask/folder" } else { "mask/file" };
                let mask = files::below(scratch.as_fd(), Path::new(mask)).step(step)?;
                let cover = mounts::clone(mask.as_fd()).step(step)?;
                mounts::restrict(cover.as_fd(), false).step(step)?;
                cover
            }
            Treat::ReadOnly => {
                let cover = mounts::clone(place.as_fd()).step(step)?;
                mounts::restrict(cover.as_fd(), false).step(step)?;
                cover
            }
            Treat::Hold => mounts::clone(place.as_fd()).step(step)?,
        };
        mounts::attach(cover.as_fd(), place.as_fd()).step(step)?;
    }
    Ok(())
}

/// mount(2) and not the newer calls: those take option values of 255 bytes at most.
fn overlay(at: &Path, flags: MountFlags, options: &str) -> std::io::Result<()> {
    let options = CString::new(options)?;
    Ok(mount("overlay", at, "overlay", flags, Some(options.as_c_str()))?)
}
