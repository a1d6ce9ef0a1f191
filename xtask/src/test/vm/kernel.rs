//! Debian's cloud kernel, downloaded and unpacked but never installed, and the little folder that a
//! kernel unpacks first: busybox and the modules for the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{cache, process};

/// The package that always depends on the newest one.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// The modules for the disk and for overlayfs.
const MODULES: &[&str] = &[
    "kernel/drivers/virtio/virtio.ko",
    "kernel/drivers/virtio/virtio_ring.ko",
    "kernel/drivers/virtio/virtio_pci_modern_dev.ko",
    "kernel/drivers/virtio/virtio_pci_legacy_dev.ko",
    "kernel/drivers/virtio/virtio_pci.ko",
    "kernel/drivers/block/virtio_blk.ko",
    "kernel/fs/overlayfs/overlay.ko",
];

/// The first program: load what the disk needs, then hand over.
const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
for round in 1 2 3 4; do # each round loads what needed a module that came later
    for module in /modules/*.ko; do /bin/busybox insmod $module 2>/dev/null; done
done
until [ -b /dev/vda ]; do /bin/busybox usleep 20000; done
/bin/busybox mount -t ext4 /dev/vda /root || exec /bin/busybox sh
/bin/busybox umount /proc
/bin/busybox mount --move /dev /root/dev
init=/vm/init
for word in $(/bin/busybox cat /root/vm/first); do init=$word; done
exec /bin/busybox switch_root /root $init
";

/// What qemu needs to boot.
pub(super) struct Kernel {
    pub(super) image: PathBuf,
    pub(super) first: PathBuf,
}

/// Downloads and unpacks the kernel where it is missing.
pub(super) fn prepare() -> Result<Kernel> {
    let name = newest()?;
    let folder = cache::part("vm-kernel", &format!("{name} {INIT} {}", MODULES.join(" ")), |folder| {
        process::run(process::command("apt-get", folder).args(["-qq", "download", &name]))?;
        let package = only_entry(folder, ".deb")?;
        process::run(process::command("dpkg", folder).arg("-x").arg(package).arg("unpacked"))?;
        fs::rename(only_entry(&folder.join("unpacked/boot"), "vmlinuz")?, folder.join("vmlinuz"))?;
        let modules = only_entry(&folder.join("unpacked/lib/modules"), "")?;
        pack_first(folder, &modules)?;
        fs::remove_dir_all(folder.join("unpacked")).context("cannot remove what was unpacked")
    })?;
    Ok(Kernel { image: folder.join("vmlinuz"), first: folder.join("first.cpio") })
}

/// The package that holds the newest kernel's files.
fn newest() -> Result<String> {
    let text = process::output(Command::new("apt-cache").args(["depends", PACKAGE]))?;
    let name = text.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    name.map(str::to_owned).with_context(|| format!("apt knows no {PACKAGE}; run `apt-get update`"))
}

fn only_entry(folder: &Path, part: &str) -> Result<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
    names.retain(|it| it.to_string_lossy().contains(part));
    match names.as_slice() {
        [one] => Ok(one.clone()),
        several => bail!("{} holds {} entries with {part:?}, not one", folder.display(), several.len()),
    }
}

fn pack_first(folder: &Path, modules: &Path) -> Result<()> {
    let first = folder.join("first");
    for name in ["bin", "proc", "dev", "root", "modules"] {
        fs::create_dir_all(first.join(name))?;
    }
    fs::copy("/bin/busybox", first.join("bin/busybox")).context("busybox-static is not installed")?;
    for (number, module) in MODULES.iter().enumerate() {
        let file = modules.join(module);
        let short = Path::new(module).file_name().unwrap_or_default().to_string_lossy();
        fs::copy(&file, first.join(format!("modules/{number}-{short}")))
            .with_context(|| format!("the kernel has no module {}", file.display()))?;
    }
    fs::write(first.join("init"), INIT)?;
    process::run(process::command("chmod", &first).args(["755", "init", "bin/busybox"]))?;
    let pack = "find . -print0 | cpio --null --create --format=newc --quiet > ../first.cpio";
    let mut command = process::command("sh", &first);
    process::run(command.args(["-c", pack]).stderr(Stdio::inherit()))?;
    fs::remove_dir_all(&first).context("cannot remove what was packed")
}
