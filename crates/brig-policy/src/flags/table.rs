//! Every flag of `brig run`, in the order of its name: all of `docker run` (CLI 28, and the hidden
//! ones), and brig's own. A test compares it with the help of a real `docker run`.

use super::cases;
use super::cases::LOOPBACK;
use super::flag::Asset::{BoxSecrets, HostCredentials, HostFiles};
use super::flag::Disposition::{ByValue, Harmless, Honoured, NotServed, Refused};
use super::flag::Takes::{Maybe, Nothing, Value};
use super::flag::{Disposition, Flag, Setting};

const fn sets(sets: Setting, about: &'static str) -> Disposition {
    Honoured { sets, about }
}

const fn harmless(because: &'static str) -> Disposition {
    Harmless { because }
}

const fn not_served(instead: &'static str) -> Disposition {
    NotServed { instead }
}

const LABELS: &str = "labels are for Docker's own lists; a box keeps none";
const HEALTH: &str = "nothing but the server runs in a box; its client sees whether it answers";
const WINDOWS: &str = "leave it out (it is for Windows); --cpus N limits processors";
const CPU_SHARE: &str = "limit processors by number: --cpus 1.5";
const DISK_RATE: &str = "leave it out: a box has no limit on disk speed; --file-size limits files";
const REAL_TIME: &str = "leave it out: a box never runs with real-time priority";

/// Every flag of `brig run`.
pub const FLAGS: &[Flag] = &[
    Flag::docker("add-host", Value("HOST:IP"), not_served(LOOPBACK)),
    Flag::own(
        "allow-install-scripts",
        Nothing,
        sets(Setting::AllowInstallScripts, "let packages of npx and uvx run scripts when installed"),
    ),
    Flag::docker("annotation", Value("KEY=VALUE"), harmless(LABELS)),
    Flag::docker("attach", Value("STREAM"), ByValue(cases::ATTACH)).short('a'),
    Flag::docker("blkio-weight", Value("N"), not_served(DISK_RATE)),
    Flag::docker("blkio-weight-device", Value("DEVICE:N"), not_served(DISK_RATE)),
    Flag::docker("cap-add", Value("CAPABILITY"), ByValue(cases::CAP_ADD)),
    Flag::docker("cap-drop", Value("CAPABILITY"), harmless("a box never has any capability")),
    Flag::docker(
        "cgroup-parent",
        Value("CGROUP"),
        not_served("leave it out: brig makes the box's control group itself"),
    ),
    Flag::docker("cgroupns", Value("MODE"), ByValue(cases::CGROUPNS)),
    Flag::docker("cidfile", Value("FILE"), not_served("name the box yourself, and use that name: --name NAME")),
    Flag::docker("cpu-count", Value("N"), not_served(WINDOWS)),
    Flag::docker("cpu-percent", Value("N"), not_served(WINDOWS)),
    Flag::docker(
        "cpu-period",
        Value("MICROSECONDS"),
        sets(Setting::CpuPeriod, "what --cpu-quota is a share of (default 100000)"),
    ),
    Flag::docker(
        "cpu-quota",
        Value("MICROSECONDS"),
        sets(Setting::CpuQuota, "processor time in each --cpu-period; --cpus is simpler"),
    ),
    Flag::docker("cpu-rt-period", Value("MICROSECONDS"), not_served(REAL_TIME)),
    Flag::docker("cpu-rt-runtime", Value("MICROSECONDS"), not_served(REAL_TIME)),
    Flag::docker("cpu-shares", Value("N"), not_served(CPU_SHARE)).short('c'),
    Flag::docker("cpus", Value("N"), sets(Setting::Cpus, "processors, such as 1.5 (default: all)")),
    Flag::docker("cpuset-cpus", Value("LIST"), not_served(CPU_SHARE)),
    Flag::docker("cpuset-mems", Value("LIST"), not_served(CPU_SHARE)),
    Flag::docker("detach", Nothing, ByValue(cases::DETACH)).short('d'),
    Flag::docker("detach-keys", Value("KEYS"), harmless("a box is never detached from")),
    Flag::docker(
        "device",
        Value("DEVICE"),
        Refused {
            gives_away: &[HostCredentials, HostFiles],
            why: "a device node goes past every file permission, and a disk's holds all files",
            instead: "leave it out; run the one program that needs the device outside the box",
        },
    ),
    Flag::docker(
        "device-cgroup-rule",
        Value("RULE"),
        Refused {
            gives_away: &[HostCredentials, HostFiles],
            why: "the box could open devices that appear later, disks among them",
            instead: "leave it out; run the one program that needs the device outside the box",
        },
    ),
    Flag::docker("device-read-bps", Value("DEVICE:RATE"), not_served(DISK_RATE)),
    Flag::docker("device-read-iops", Value("DEVICE:RATE"), not_served(DISK_RATE)),
    Flag::docker("device-write-bps", Value("DEVICE:RATE"), not_served(DISK_RATE)),
    Flag::docker("device-write-iops", Value("DEVICE:RATE"), not_served(DISK_RATE)),
    Flag::docker("disable-content-trust", Nothing, ByValue(cases::CONTENT_TRUST)),
    Flag::docker("dns", Value("IP"), not_served(LOOPBACK)),
    Flag::docker("dns-option", Value("OPTION"), not_served(LOOPBACK)).also(&["dns-opt"]),
    Flag::docker("dns-search", Value("DOMAIN"), not_served(LOOPBACK)),
    Flag::docker("domainname", Value("NAME"), harmless("a box is on no network that could ask")),
    Flag::docker(
        "entrypoint",
        Value("PROGRAM"),
        sets(Setting::Entrypoint, "run this in place of the image's entry point"),
    ),
    Flag::docker(
        "env",
        Value("NAME[=VALUE]"),
        sets(Setting::Env, "set a variable; what looks like a real credential is replaced"),
    )
    .short('e'),
    Flag::docker("env-file", Value("FILE"), sets(Setting::EnvFile, "set variables from NAME=VALUE lines")),
    Flag::docker("expose", Value("PORT"), harmless("it only documents which port is meant")),
    Flag::own("file-size", Value("SIZE"), sets(Setting::FileSize, "the largest file that may be written (default 1g)")),
    Flag::docker(
        "gpus",
        Value("GPUS"),
        Refused {
            gives_away: &[HostFiles],
            why: "its hook runs as root, and the driver's device nodes lead into the host's kernel",
            instead: "leave it out; run the model outside and let the server ask it",
        },
    ),
    Flag::docker(
        "group-add",
        Value("GROUP"),
        Refused {
            gives_away: &[HostCredentials, HostFiles],
            why: "the box would have that group's files, and group docker is root by another name",
            instead: "leave it out; grant the files by name: -v FOLDER:/path",
        },
    ),
    Flag::docker("health-cmd", Value("COMMAND"), harmless(HEALTH)),
    Flag::docker("health-interval", Value("DURATION"), harmless(HEALTH)),
    Flag::docker("health-retries", Value("N"), harmless(HEALTH)),
    Flag::docker("health-start-interval", Value("DURATION"), harmless(HEALTH)),
    Flag::docker("health-start-period", Value("DURATION"), harmless(HEALTH)),
    Flag::docker("health-timeout", Value("DURATION"), harmless(HEALTH)),
    Flag::docker("help", Nothing, sets(Setting::Help, "show this")),
    Flag::own(
        "here",
        Maybe { shape: "ro|rw|staged", without: "ro" },
        sets(Setting::Here, "grant the working folder at its own path, read-only unless rw"),
    ),
    Flag::docker("hostname", Value("NAME"), harmless("the box's host name is its --name")).short('h'),
    Flag::docker("init", Nothing, harmless("a box always has an init, which is brig's")),
    Flag::docker("interactive", Nothing, ByValue(cases::INTERACTIVE)).short('i'),
    Flag::docker("io-maxbandwidth", Value("RATE"), not_served(WINDOWS)),
    Flag::docker("io-maxiops", Value("RATE"), not_served(WINDOWS)),
    Flag::docker("ip", Value("IP"), not_served(LOOPBACK)),
    Flag::docker("ip6", Value("IP"), not_served(LOOPBACK)),
    Flag::docker("ipc", Value("MODE"), ByValue(cases::IPC)),
    Flag::docker("isolation", Value("KIND"), ByValue(cases::ISOLATION)),
    Flag::docker("kernel-memory", Value("SIZE"), harmless("the kernel counts it in --memory")),
    Flag::docker("label", Value("KEY=VALUE"), harmless(LABELS)).short('l'),
    Flag::docker("label-file", Value("FILE"), harmless(LABELS)),
    Flag::docker(
        "link",
        Value("CONTAINER"),
        Refused {
            gives_away: &[BoxSecrets],
            why: "a link copies the other container's environment, its secrets included",
            instead: "leave it out, and let the two talk through a named volume: -v NAME:/path",
        },
    ),
    Flag::docker("link-local-ip", Value("IP"), not_served(LOOPBACK)),
    Flag::docker("log-driver", Value("DRIVER"), ByValue(cases::LOG_DRIVER)),
    Flag::docker(
        "log-opt",
        Value("KEY=VALUE"),
        harmless("what the server writes to stderr comes out of brig's stderr and is not stored"),
    ),
    Flag::docker("mac-address", Value("MAC"), not_served(LOOPBACK)),
    Flag::docker("memory", Value("SIZE"), sets(Setting::Memory, "memory of the box (default 2g)")).short('m'),
    Flag::docker("memory-reservation", Value("SIZE"), harmless("it is a wish; --memory is the limit that holds")),
    Flag::docker("memory-swap", Value("SIZE"), ByValue(cases::MEMORY_SWAP)),
    Flag::docker("memory-swappiness", Value("N"), harmless("--memory bounds the box, and no swap is granted on top")),
    Flag::docker(
        "mount",
        Value("KEY=VALUE,…"),
        sets(Setting::Mount, "type=bind|volume|tmpfs,src=…,dst=…[,rw|readonly|staged]"),
    ),
    Flag::docker("name", Value("NAME"), sets(Setting::Name, "name the box")),
    Flag::docker("network", Value("NETWORK"), ByValue(cases::NETWORK)).also(&["net"]),
    Flag::docker("network-alias", Value("NAME"), not_served(LOOPBACK)).also(&["net-alias"]),
    Flag::docker("no-healthcheck", Nothing, harmless(HEALTH)),
    Flag::own("nofile", Value("N"), sets(Setting::OpenFiles, "open files of each process (default 4096)")),
    Flag::docker("oom-kill-disable", Nothing, ByValue(cases::OOM_KILL_DISABLE)),
    Flag::docker("oom-score-adj", Value("N"), ByValue(cases::OOM_SCORE_ADJ)),
    Flag::docker("pid", Value("MODE"), ByValue(cases::PID)),
    Flag::docker("pids-limit", Value("N"), sets(Setting::Processes, "processes and threads of the box (default 512)")),
    Flag::docker(
        "platform",
        Value("OS/ARCH"),
        sets(Setting::Platform, "which build of the image, such as linux/arm64"),
    ),
    Flag::docker("privileged", Nothing, ByValue(cases::PRIVILEGED)),
    Flag::own("proc", Value("full"), sets(Setting::Proc, "full: /proc shows cpuinfo and meminfo too (a weaker wall)")),
    Flag::docker("publish", Value("PORT"), not_served(LOOPBACK)).short('p'),
    Flag::docker("publish-all", Nothing, ByValue(cases::PUBLISH_ALL)).short('P'),
    Flag::docker("pull", Value("WHEN"), sets(Setting::Pull, "fetch the image always, when missing (default) or never")),
    Flag::docker("quiet", Nothing, sets(Setting::Quiet, "say only what went wrong")).short('q'),
    Flag::docker("read-only", Nothing, ByValue(cases::READ_ONLY)),
    Flag::docker("restart", Value("POLICY"), ByValue(cases::RESTART)),
    Flag::docker("rm", Nothing, ByValue(cases::RM)),
    Flag::docker("runtime", Value("RUNTIME"), ByValue(cases::RUNTIME)),
    Flag::docker("security-opt", Value("OPTION"), ByValue(cases::SECURITY_OPT)),
    Flag::docker("shm-size", Value("SIZE"), sets(Setting::Shm, "size of /dev/shm (default 64m)")),
    Flag::docker("sig-proxy", Nothing, ByValue(cases::SIG_PROXY)),
    Flag::own(
        "stdio",
        Value("mcp|raw"),
        sets(Setting::Stdio, "what crosses stdin and stdout: mcp, judged (default), or raw bytes"),
    ),
    Flag::docker("stop-signal", Value("SIGNAL"), ByValue(cases::STOP_SIGNAL)),
    Flag::docker(
        "stop-timeout",
        Value("SECONDS"),
        harmless("a box ends by EOF, then TERM after 1.5 s, then KILL after 1.5 s"),
    ),
    Flag::docker(
        "storage-opt",
        Value("KEY=VALUE"),
        not_served("leave it out: a box's root is read-only; --file-size limits single files"),
    ),
    Flag::own("strict", Nothing, sets(Setting::Strict, "do not start unless every wall is enforced")),
    Flag::docker("sysctl", Value("KEY=VALUE"), not_served("leave it out: a box's kernel settings are brig's")),
    Flag::own("tmp-size", Value("SIZE"), sets(Setting::TmpSize, "size of /tmp (default 256m)")),
    Flag::docker(
        "tmpfs",
        Value("PATH[:OPTIONS]"),
        sets(Setting::Tmpfs, "put memory there; options size=64m, mode=1777"),
    ),
    Flag::docker("tty", Nothing, harmless("a box never has a terminal")).short('t'),
    Flag::docker(
        "ulimit",
        Value("NAME=N"),
        sets(Setting::Ulimit, "nofile, fsize or nproc, as --nofile, --file-size, --pids-limit"),
    ),
    Flag::docker("use-api-socket", Nothing, ByValue(cases::USE_API_SOCKET)),
    Flag::docker(
        "user",
        Value("USER[:GROUP]"),
        sets(Setting::User, "accepted; the box's one user is always you outside"),
    )
    .short('u'),
    Flag::docker("userns", Value("MODE"), ByValue(cases::USERNS)),
    Flag::docker("uts", Value("MODE"), ByValue(cases::UTS)),
    Flag::own("verbose", Nothing, sets(Setting::Verbose, "say what was accepted without effect")),
    Flag::docker(
        "volume",
        Value("[FROM:]TO[:OPTIONS]"),
        sets(Setting::Volume, "show a file, folder or named volume; a host path is read-only unless rw"),
    )
    .short('v'),
    Flag::docker("volume-driver", Value("DRIVER"), ByValue(cases::VOLUME_DRIVER)),
    Flag::docker(
        "volumes-from",
        Value("CONTAINER"),
        Refused {
            gives_away: &[BoxSecrets, HostFiles],
            why: "the box would get every mount of another container, none of them judged",
            instead: "name what the server needs: -v FOLDER:/path or -v NAME:/path",
        },
    ),
    Flag::docker("workdir", Value("PATH"), sets(Setting::Workdir, "the working folder in the box")).short('w'),
];

/// The flag of this long name, hidden names included.
pub(super) fn by_name(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name || flag.also.contains(&name))
}

/// The flag of this letter.
pub(super) fn by_letter(letter: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(letter))
}
