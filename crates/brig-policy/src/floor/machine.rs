//! The floor paths of the machine: absolute, the same for every caller.

use super::{Asset, Exception, Line, Reach};

const DOCKER: &str = "let the box call its own tools; no box is ever handed a container runtime";
const ONE_FOLDER: &str = "grant the one project folder that the server needs";
const COPY: &str = "copy the one file that the server needs into a folder and grant that folder";

/// Certificates and the time zone are public, and programs of images ask for them by these names.
const ETC: &[Exception] = &[
    public("/etc/ssl/certs", "public certificates"),
    public("/etc/pki/ca-trust", "public certificates"),
    public("/etc/ca-certificates", "public certificates"),
    public("/etc/localtime", "the time zone"),
    public("/etc/timezone", "the time zone"),
];

/// Where desktops mount removable disks.
const MEDIA: &[Exception] = &[Exception { path: "/run/media", writable: true, why: "removable disks of the user" }];

/// Every floor path of the machine.
pub const MACHINE: &[Line] = &[
    tree("/run/docker.sock", Asset::HostFiles, "hands out root on this machine", DOCKER),
    tree("/run/docker", Asset::HostFiles, "holds Docker's own sockets", DOCKER),
    tree("/run/containerd", Asset::HostFiles, "holds containerd's socket, which hands out root", DOCKER),
    tree("/run/podman", Asset::HostFiles, "holds Podman's socket, which hands out root", DOCKER),
    tree("/run/crio", Asset::HostFiles, "holds CRI-O's socket, which hands out root", DOCKER),
    tree("/run/user", Asset::HostCredentials, "holds the user's sockets: keyring, D-Bus, agents, Podman", COPY),
    tree(
        "/var/lib/docker",
        Asset::HostFiles,
        "holds the files of every Docker container",
        "use a named volume of brig",
    ),
    tree("/var/lib/containerd", Asset::HostFiles, "holds the files of every container", "use a named volume of brig"),
    tree(
        "/var/lib/containers",
        Asset::HostFiles,
        "holds the files of every Podman container",
        "use a named volume of brig",
    ),
    tree("/var/lib/kubelet", Asset::HostCredentials, "holds the tokens of every pod", ONE_FOLDER),
    tree("/var/lib/rancher", Asset::HostCredentials, "holds a cluster's keys", ONE_FOLDER),
    tree("/var/lib/machines", Asset::HostFiles, "holds whole systems", ONE_FOLDER),
    tree("/var/lib/libvirt", Asset::HostFiles, "holds disks and sockets of virtual machines", ONE_FOLDER),
    tree("/var/lib/lxc", Asset::HostFiles, "holds whole systems", ONE_FOLDER),
    tree("/var/lib/lxd", Asset::HostFiles, "holds whole systems and a socket that hands out root", ONE_FOLDER),
    tree("/var/lib/incus", Asset::HostFiles, "holds whole systems and a socket that hands out root", ONE_FOLDER),
    tree("/var/lib/systemd", Asset::HostCredentials, "holds the machine's state and credentials", COPY),
    tree("/var/lib/private", Asset::HostFiles, "holds the private state of services", COPY),
    tree("/var/lib/cloud", Asset::HostCredentials, "holds what the cloud told this machine, keys included", COPY),
    tree("/var/lib/sss", Asset::HostCredentials, "holds cached logins", COPY),
    tree("/var/lib/bluetooth", Asset::HostCredentials, "holds pairing keys", COPY),
    tree("/var/lib/NetworkManager", Asset::HostCredentials, "holds network credentials", COPY),
    tree("/var/snap", Asset::HostFiles, "holds the state of snaps, Docker's among them", ONE_FOLDER),
    tree("/var/log", Asset::HostFiles, "holds the logs of every program", COPY),
    tree("/var/spool", Asset::HostFiles, "holds scheduled commands and mail", ONE_FOLDER),
    tree("/var/mail", Asset::HostFiles, "holds mail", ONE_FOLDER),
    tree("/var/backups", Asset::HostCredentials, "holds copies of password files", ONE_FOLDER),
    whole("/var/lib", "holds the state of every service", ONE_FOLDER),
    whole("/var/tmp", "holds the files of every program", "grant one folder inside it"),
    whole("/var", "holds the state of every service", ONE_FOLDER),
    Line {
        path: "/etc",
        reach: Reach::Tree,
        asset: Asset::HostCredentials,
        why: "holds the machine's configuration and keys",
        instead: COPY,
        except: ETC,
    },
    Line {
        path: "/run",
        reach: Reach::Tree,
        asset: Asset::HostFiles,
        why: "holds the sockets of every service",
        instead: COPY,
        except: MEDIA,
    },
    tree("/proc", Asset::HostCredentials, "shows every process and its environment", "the box has a /proc of its own"),
    tree("/sys", Asset::HostFiles, "controls the machine's hardware", "leave it out; a box has no /sys"),
    tree(
        "/dev",
        Asset::HostFiles,
        "holds the machine's devices",
        "the box has a /dev of its own; for shared memory use --shm-size",
    ),
    tree("/boot", Asset::HostFiles, "holds what this machine starts with", ONE_FOLDER),
    tree("/efi", Asset::HostFiles, "holds what this machine starts with", ONE_FOLDER),
    tree("/lost+found", Asset::HostFiles, "holds files of anyone", ONE_FOLDER),
    prefix("/tmp/.X11-unix", Asset::HostFiles, "holds the screen's sockets: keys can be read and typed through them"),
    prefix("/tmp/.ICE-unix", Asset::HostFiles, "holds the desktop session's sockets"),
    prefix("/tmp/ssh-", Asset::HostCredentials, "holds the SSH agent's socket"),
    prefix("/tmp/tmux-", Asset::HostFiles, "holds the terminal's sockets: commands can be typed through them"),
    prefix("/tmp/dbus-", Asset::HostFiles, "is a socket of the desktop session"),
    whole(
        "/tmp",
        "holds the files and sockets of every program",
        "grant one folder inside it; the box has a /tmp of its own",
    ),
    written("/usr", "holds the programs that the host runs"),
    written("/bin", "holds the programs that the host runs"),
    written("/sbin", "holds the programs that the host runs"),
    written("/lib", "holds the libraries that the host runs"),
    written("/lib32", "holds the libraries that the host runs"),
    written("/lib64", "holds the libraries that the host runs"),
    written("/opt", "holds programs that the host runs"),
    written("/nix", "holds the programs that the host runs"),
    written("/snap", "holds the programs that the host runs"),
    written("/gnu", "holds the programs that the host runs"),
    whole("/root", "is the home of root", "grant one folder inside it that is not hidden"),
    whole("/home", "holds the homes of all users", "grant one folder inside your home"),
    whole("/", "is the whole machine", ONE_FOLDER),
];

const fn tree(path: &'static str, asset: Asset, why: &'static str, instead: &'static str) -> Line {
    Line { path, reach: Reach::Tree, asset, why, instead, except: &[] }
}

const fn whole(path: &'static str, why: &'static str, instead: &'static str) -> Line {
    Line { path, reach: Reach::Whole, asset: Asset::HostFiles, why, instead, except: &[] }
}

const fn prefix(path: &'static str, asset: Asset, why: &'static str) -> Line {
    Line {
        path,
        reach: Reach::Prefix,
        asset,
        why,
        instead: "leave it out; no box is handed a socket of the host",
        except: &[],
    }
}

const fn written(path: &'static str, why: &'static str) -> Line {
    Line {
        path,
        reach: Reach::Written,
        asset: Asset::HostFiles,
        why,
        instead: "grant it read-only, or write to a folder of your own",
        except: &[],
    }
}

const fn public(path: &'static str, why: &'static str) -> Exception {
    Exception { path, writable: false, why }
}
