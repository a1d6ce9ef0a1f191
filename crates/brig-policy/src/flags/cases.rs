//! What becomes of the flags that depend on their value. One list per flag; `table.rs` names it.

use super::flag::Asset::{BoxSecrets, HostCredentials, HostFiles, Machine};
use super::flag::Disposition::{Harmless, NotServed, Refused, Wrong};
use super::flag::When::{Any, NoCase, OneOf, Pair, PairBool, StartsWith};
use super::flag::{Asset, Case, Disposition, When};

/// What every network flag says until boxes get doors to the outside.
pub(super) const LOOPBACK: &str = "leave the flag out: for now a box has its own loopback and nothing else";

const fn case(when: When, then: Disposition) -> Case {
    Case { when, then }
}

const fn harmless(because: &'static str) -> Disposition {
    Harmless { because }
}

const fn refused(gives_away: &'static [Asset], why: &'static str, instead: &'static str) -> Disposition {
    Refused { gives_away, why, instead }
}

pub(super) const ATTACH: &[Case] = &[
    case(NoCase(&["stdin", "stdout", "stderr"]), harmless("stdin, stdout and stderr are always connected")),
    case(Any, Wrong { expects: "stdin, stdout or stderr" }),
];

pub(super) const CAP_ADD: &[Case] = &[
    case(
        NoCase(&["SYS_ADMIN", "CAP_SYS_ADMIN"]),
        refused(
            &[HostCredentials, HostFiles],
            "CAP_SYS_ADMIN may mount file systems and undo most walls from inside",
            "leave it out; a browser in the box starts with --no-sandbox, since the box is its sandbox",
        ),
    ),
    case(
        NoCase(&["NET_BIND_SERVICE", "CAP_NET_BIND_SERVICE"]),
        refused(
            &[HostCredentials, HostFiles],
            "a box has no capability at all, and one is where an escape begins",
            "let the server listen on a port above 1023",
        ),
    ),
    case(
        Any,
        refused(
            &[HostCredentials, HostFiles],
            "a capability is a part of root's power, and where an escape to the host begins",
            "leave it out; run the one program that needs it outside the box",
        ),
    ),
];

pub(super) const CGROUPNS: &[Case] = &[
    case(OneOf(&["", "private"]), harmless("a box always has a cgroup namespace of its own")),
    case(
        OneOf(&["host"]),
        refused(
            &[HostFiles, Machine],
            "the box would see the host's control groups, and with them what else runs here",
            "leave it out; the box has a cgroup namespace of its own",
        ),
    ),
    case(Any, Wrong { expects: "private" }),
];

pub(super) const CONTENT_TRUST: &[Case] = &[
    case(OneOf(&["true"]), harmless("it is Docker's default, and Docker dropped content trust")),
    case(Any, NotServed { instead: "name the image by its digest: IMAGE@sha256:…" }),
];

pub(super) const DETACH: &[Case] = &[
    case(OneOf(&["false"]), harmless("a box always runs in the foreground")),
    case(Any, NotServed { instead: "leave it out: a box lives as long as the client that talks to it" }),
];

pub(super) const INTERACTIVE: &[Case] = &[
    case(OneOf(&["true"]), harmless("stdin is always connected")),
    case(Any, harmless("stdin is always connected, since MCP comes through it")),
];

pub(super) const IPC: &[Case] = &[
    case(
        OneOf(&["", "none", "private", "shareable"]),
        harmless("a box always has an IPC namespace of its own, and nobody else joins it"),
    ),
    case(
        OneOf(&["host"]),
        refused(
            &[HostCredentials, BoxSecrets],
            "the box could read and change the shared memory of other programs",
            "leave it out; more shared memory comes with --shm-size 1g",
        ),
    ),
    case(
        StartsWith("container:"),
        refused(
            &[BoxSecrets],
            "the box could read and change the shared memory of another container",
            "leave it out, and let the two talk through a named volume: -v NAME:/path",
        ),
    ),
    case(Any, Wrong { expects: "private, none or shareable" }),
];

pub(super) const ISOLATION: &[Case] = &[
    case(OneOf(&["", "default"]), harmless("it is the default")),
    case(Any, NotServed { instead: "leave it out: it chooses between kinds of Windows containers" }),
];

pub(super) const LOG_DRIVER: &[Case] = &[
    case(
        OneOf(&["", "none", "json-file", "local"]),
        harmless("what the server writes to stderr comes out of brig's stderr and is not stored"),
    ),
    case(Any, NotServed { instead: "redirect brig's stderr: 2>server.log, or 2> >(logger -t NAME)" }),
];

pub(super) const MEMORY_SWAP: &[Case] = &[
    case(
        OneOf(&["-1"]),
        refused(
            &[Machine],
            "without a bound on swap one server can fill the disk and stall the laptop",
            "leave it out, and give what the server needs with -m 4g",
        ),
    ),
    case(Any, harmless("--memory bounds the box, and no swap is granted on top")),
];

pub(super) const NETWORK: &[Case] = &[
    case(OneOf(&["none", "name=none"]), harmless("a box has its own loopback and nothing else")),
    case(
        OneOf(&["host", "name=host"]),
        refused(
            &[HostCredentials, BoxSecrets],
            "the box could reach every service of this machine and the cloud's metadata address",
            LOOPBACK,
        ),
    ),
    case(
        StartsWith("container:"),
        refused(&[BoxSecrets], "the box could listen to and talk as another container", LOOPBACK),
    ),
    case(Any, NotServed { instead: LOOPBACK }),
];

pub(super) const OOM_KILL_DISABLE: &[Case] = &[
    case(OneOf(&["false"]), harmless("the kernel may always end a box that is out of memory")),
    case(
        Any,
        refused(
            &[Machine],
            "a box out of memory would hang for ever, and the laptop with it",
            "leave it out, and give what the server needs with -m 4g",
        ),
    ),
];

pub(super) const OOM_SCORE_ADJ: &[Case] = &[
    case(
        StartsWith("-"),
        refused(
            &[Machine],
            "the kernel would end your other programs before the box",
            "leave it out, and give what the server needs with -m 4g",
        ),
    ),
    case(Any, harmless("a box out of memory is ended by its own limit")),
];

pub(super) const PID: &[Case] = &[
    case(OneOf(&["", "private"]), harmless("a box always sees its own processes only")),
    case(
        OneOf(&["host"]),
        refused(
            &[HostCredentials, BoxSecrets],
            "the box could see your processes, and read the secrets in their environment",
            "leave it out; look at processes from outside the box",
        ),
    ),
    case(
        StartsWith("container:"),
        refused(
            &[BoxSecrets],
            "the box could read the environment of another container's processes",
            "leave it out, and let the two talk through a named volume: -v NAME:/path",
        ),
    ),
    case(Any, Wrong { expects: "no value but Docker's own (host or container:NAME, both refused)" }),
];

pub(super) const PRIVILEGED: &[Case] = &[
    case(OneOf(&["false"]), harmless("a box is never privileged")),
    case(
        Any,
        refused(
            &[HostCredentials, BoxSecrets, HostFiles],
            "a privileged container can mount the host's disks and load code into its kernel",
            "leave it out, and grant what the server needs by name: -v FOLDER:/path:rw",
        ),
    ),
];

pub(super) const PUBLISH_ALL: &[Case] =
    &[case(OneOf(&["false"]), harmless("a box publishes no port")), case(Any, NotServed { instead: LOOPBACK })];

pub(super) const READ_ONLY: &[Case] = &[
    case(OneOf(&["true"]), harmless("the root of a box is always read-only")),
    case(
        Any,
        refused(
            &[BoxSecrets, HostFiles],
            "a writable root lets what gets in change the server that runs next",
            "leave it out; what the server writes gets a place of its own: --tmpfs /path or -v NAME:/path",
        ),
    ),
];

pub(super) const RESTART: &[Case] = &[
    case(OneOf(&["", "no"]), harmless("a box is never restarted")),
    case(Any, NotServed { instead: "leave it out: MCP clients start their server again themselves" }),
];

pub(super) const RM: &[Case] = &[
    case(OneOf(&["true"]), harmless("nothing of a box is left when it ends")),
    case(Any, harmless("nothing of a box is left when it ends; what is to last goes to -v NAME:/path")),
];

pub(super) const RUNTIME: &[Case] = &[
    case(
        OneOf(&["", "runc", "crun", "io.containerd.runc.v2"]),
        harmless("brig starts the box itself, in namespaces as this runtime would"),
    ),
    case(
        StartsWith("nvidia"),
        refused(
            &[HostFiles],
            "its hook runs as root and mounts device nodes and host libraries into the box",
            "leave it out; run the model outside and let the server ask it",
        ),
    ),
    case(Any, NotServed { instead: "leave it out: brig starts the box itself" }),
];

const SECCOMP: &str = "the box's own list of system calls always holds";
const NO_LABEL: &str = "leave it out: brig's walls do not rest on SELinux or AppArmor";
const UNCONFINED_INSTEAD: &str =
    "leave it out; when brig's list stops a program that you need, report which call it made";

pub(super) const SECURITY_OPT: &[Case] = &[
    case(PairBool("no-new-privileges", true), harmless("no program in a box ever gains privileges")),
    case(
        PairBool("no-new-privileges", false),
        refused(
            &[HostCredentials, HostFiles],
            "a setuid program in the image could gain rights that the server does not have",
            "leave it out",
        ),
    ),
    case(Pair("seccomp", "default"), harmless(SECCOMP)),
    case(Pair("seccomp", "builtin"), harmless(SECCOMP)),
    case(
        Pair("seccomp", "unconfined"),
        refused(
            &[HostCredentials, HostFiles],
            "every system call of the kernel would be open to attack from the box",
            UNCONFINED_INSTEAD,
        ),
    ),
    case(StartsWith("seccomp"), NotServed { instead: "leave it out: brig's own list holds" }),
    case(
        Pair("apparmor", "docker-default"),
        harmless("the box's own walls stand where Docker's AppArmor profile would"),
    ),
    case(
        Pair("apparmor", "unconfined"),
        refused(
            &[HostFiles],
            "it takes away the profile that keeps a container from the host's kernel files",
            "leave it out",
        ),
    ),
    case(
        Pair("label", "disable"),
        refused(
            &[HostFiles],
            "it takes away the label that keeps a container from files which are not its own",
            "leave it out; grant the files by name: -v FOLDER:/path",
        ),
    ),
    case(
        Pair("label", "type:spc_t"),
        refused(
            &[HostFiles],
            "spc_t is SELinux's type for containers that are not confined at all",
            "leave it out; grant the files by name: -v FOLDER:/path",
        ),
    ),
    case(StartsWith("label"), NotServed { instead: NO_LABEL }),
    case(StartsWith("apparmor"), NotServed { instead: NO_LABEL }),
    case(
        Pair("systempaths", "unconfined"),
        refused(
            &[HostCredentials, HostFiles],
            "the host's kernel settings and memory would show in the box's /proc and /sys",
            "leave it out; --proc full shows what cpuinfo and meminfo say",
        ),
    ),
    case(PairBool("writable-cgroups", false), harmless("a box has no control groups to write")),
    case(
        PairBool("writable-cgroups", true),
        refused(
            &[Machine],
            "the box could lift its own limits",
            "leave it out, and give what the server needs with -m, --cpus and --pids-limit",
        ),
    ),
    case(Any, Wrong { expects: "no-new-privileges, seccomp=default or apparmor=docker-default" }),
];

pub(super) const SIG_PROXY: &[Case] = &[
    case(OneOf(&["true"]), harmless("signals are always passed on to the server")),
    case(Any, NotServed { instead: "leave it out: signals are always passed on to the server" }),
];

pub(super) const STOP_SIGNAL: &[Case] = &[
    case(
        NoCase(&["", "SIGTERM", "TERM", "15"]),
        harmless("a box ends by EOF, then TERM after 1.5 s, then KILL after 1.5 s"),
    ),
    case(Any, NotServed { instead: "leave it out: a box ends by EOF, then TERM after 1.5 s, then KILL after 1.5 s" }),
];

pub(super) const USE_API_SOCKET: &[Case] = &[
    case(OneOf(&["false"]), harmless("a box never gets a runtime's socket")),
    case(
        Any,
        refused(
            &[HostCredentials, BoxSecrets, HostFiles],
            "who talks to Docker's socket is root on this machine, and your registry logins go along",
            "leave it out; run the one program that needs Docker outside the box",
        ),
    ),
];

pub(super) const USERNS: &[Case] = &[
    case(
        OneOf(&["", "private", "keep-id"]),
        harmless("a box always has a user namespace of its own, in which its user is you"),
    ),
    case(
        OneOf(&["host"]),
        refused(
            &[HostCredentials, HostFiles],
            "root in the box would be root on the host",
            "leave it out; files that the box writes into a grant are yours anyway",
        ),
    ),
    case(Any, Wrong { expects: "private or keep-id" }),
];

pub(super) const UTS: &[Case] = &[
    case(OneOf(&["", "private"]), harmless("a box always has a host name of its own")),
    case(
        OneOf(&["host"]),
        refused(
            &[Machine],
            "the box would share the host's name, and with rights enough could change it",
            "leave it out; --name NAME names the box",
        ),
    ),
    case(Any, Wrong { expects: "private" }),
];

pub(super) const VOLUME_DRIVER: &[Case] = &[
    case(OneOf(&["", "local"]), harmless("brig keeps volumes in its own store on this machine")),
    case(Any, NotServed { instead: "mount it on the host, and grant the folder: -v FOLDER:/path" }),
];
