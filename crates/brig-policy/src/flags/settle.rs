//! From flags with values to a request: each honoured flag sets its part, every other is answered.

use super::flag::{Asset, Disposition, Flag, Setting, Takes};
use super::mounts;
use super::note::Note;
use super::problem::{Problem, Trouble, WrongValue, shown};
use super::scan::Given;
use super::size::{self, NotANumber};
use crate::limits::MEMORY_LEAST;
use crate::mount::Access;
use crate::request::{EnvRequest, Program, Pull, Request, Stdio};

/// The longest name of a box: a host name has at most 64 bytes, and a folder's name more.
const NAME_LENGTH: usize = 63;
/// What `--cpu-quota` is a share of when nothing is said: Docker's and the kernel's default.
const CPU_PERIOD: u64 = 100_000;

const NO_LIMIT: Disposition = Disposition::Refused {
    gives_away: &[Asset::Machine],
    why: "one server without a limit can take all of the laptop",
    instead: "write a number, as large as the server needs, or leave it out for the default",
};
const CORE_DUMP: Disposition = Disposition::Refused {
    gives_away: &[Asset::BoxSecrets],
    why: "a core dump puts the server's memory, its secrets included, on the disk",
    instead: "leave it out; a box never dumps core",
};
const OTHER_ULIMIT: Disposition =
    Disposition::NotServed { instead: "leave it out; there are --ulimit nofile=N, fsize=N and nproc=N" };
const ONE_ULIMIT: &str = "soft and hard limit are both the soft one";
const NO_CORE: &str = "a box never dumps core";

/// A request while its flags are read.
#[derive(Debug)]
pub(super) struct Draft {
    pub request: Request,
    pub notes: Vec<Note>,
    pub problems: Vec<Problem>,
    pub quiet: bool,
    pub verbose: bool,
    cpus: Option<u32>,
    cpu_quota: Option<u64>,
    cpu_period: Option<u64>,
}

impl Draft {
    pub(super) fn new(program: Program) -> Self {
        Self {
            request: Request::new(program),
            notes: Vec::new(),
            problems: Vec::new(),
            quiet: false,
            verbose: false,
            cpus: None,
            cpu_quota: None,
            cpu_period: None,
        }
    }

    /// Takes one flag: sets what it sets, or keeps what there is to say about it.
    pub(super) fn take(&mut self, given: &Given) {
        let outcome = if given.flag.takes == Takes::Nothing && !is_truth(&given.value) {
            Err(WrongValue::NotATruth.into())
        } else {
            match given.flag.judge(&given.value) {
                Disposition::Honoured { sets, .. } => self.set(sets, given),
                Disposition::Harmless { because } => {
                    self.note(Note::Harmless { flag: given.flag, because });
                    Ok(())
                }
                judged => Err(Trouble::Judged(judged)),
            }
        };
        if let Err(trouble) = outcome {
            self.problem(named(given), trouble);
        }
    }

    /// Says something once.
    pub(super) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn problem(&mut self, flag: String, trouble: Trouble) {
        let problem = match trouble {
            Trouble::Wrong(wrong) => Problem::Wrong { flag, wrong },
            Trouble::Judged(Disposition::Refused { gives_away, why, instead }) => {
                Problem::Refused { flag, gives_away, why, instead }
            }
            Trouble::Judged(Disposition::NotServed { instead }) => Problem::NotServed { flag, instead },
            Trouble::Judged(Disposition::Wrong { expects }) => {
                Problem::Wrong { flag, wrong: WrongValue::NotOneOf { expects } }
            }
            // The table's tests keep these from being a case's answer; deny by default.
            Trouble::Judged(Disposition::Honoured { .. } | Disposition::Harmless { .. } | Disposition::ByValue(_)) => {
                Problem::Wrong { flag, wrong: WrongValue::NotOneOf { expects: "another value" } }
            }
        };
        self.problems.push(problem);
    }

    fn set(&mut self, setting: Setting, given: &Given) -> Result<(), Trouble> {
        let value = given.value.as_str();
        let request = &mut self.request;
        match setting {
            Setting::AllowInstallScripts => {
                host_only(request)?;
                request.allow_install_scripts = value == "true";
            }
            Setting::CpuPeriod => self.cpu_period = Some(count(value)?),
            Setting::CpuQuota => self.cpu_quota = Some(count(value)?),
            Setting::Cpus => self.cpus = Some(limit(size::milli_cpus(value))?),
            Setting::Entrypoint => set_entrypoint(request, value)?,
            Setting::Env => request.env.push(variable(value)?),
            Setting::EnvFile => request.env_files.push(not_empty(value)?),
            Setting::FileSize => request.limits.file_size = limit(size::bytes(value))?,
            // The scanner answered it; `--help=false` asks for nothing.
            Setting::Help => {}
            Setting::Here => request.here = Some(here(value)?),
            Setting::Memory => request.limits.memory = memory(value)?,
            Setting::Mount => mounts::mount(value, self)?,
            Setting::Name => request.name = Some(name(value)?),
            Setting::OpenFiles => request.limits.open_files = count32(value)?,
            Setting::Platform => {
                image_only(request)?;
                request.platform = Some(platform(value)?);
            }
            Setting::Proc => request.full_proc = one_of(value, &[("full", true)], "full")?,
            Setting::Processes => request.limits.processes = count32(value)?,
            Setting::Pull => {
                image_only(request)?;
                let all = [("always", Pull::Always), ("missing", Pull::Missing), ("never", Pull::Never)];
                request.pull = one_of(value, &all, "always, missing or never")?;
            }
            Setting::Quiet => self.quiet = value == "true",
            Setting::Shm => request.limits.shm = limit(size::bytes(value))?,
            Setting::Stdio => {
                let all = [("mcp", Stdio::Mcp), ("raw", Stdio::Raw)];
                request.stdio = one_of(value, &all, "mcp or raw")?;
            }
            Setting::Strict => request.strict = value == "true",
            Setting::TmpSize => request.limits.tmp = limit(size::bytes(value))?,
            Setting::Tmpfs => mounts::tmpfs(value, self)?,
            Setting::Ulimit => self.ulimit(given)?,
            Setting::User => {
                let asked = not_empty(value)?;
                request.user = Some(asked.clone());
                self.note(Note::UserMapped { asked });
            }
            Setting::Verbose => self.verbose = value == "true",
            Setting::Volume => mounts::volume(value, self)?,
            Setting::Workdir => request.workdir = Some(mounts::path_in_box(value)?),
        }
        Ok(())
    }

    /// `name=soft` or `name=soft:hard`; the smaller of the two is the limit.
    fn ulimit(&mut self, given: &Given) -> Result<(), Trouble> {
        let (name, both) = given.value.split_once('=').ok_or(WrongValue::Ulimit)?;
        let (soft, hard) = both.split_once(':').unwrap_or((both, both));
        let because = if name == "core" { NO_CORE } else { ONE_ULIMIT };
        match name {
            "core" if soft == "0" && hard == "0" => {}
            "core" => return Err(Trouble::Judged(CORE_DUMP)),
            "nofile" | "fsize" | "nproc" => {
                let (lower, upper) = (count(soft)?, count(hard)?);
                if lower > upper {
                    return Err(WrongValue::SoftAboveHard.into());
                }
                let limits = &mut self.request.limits;
                match name {
                    "nofile" => limits.open_files = count32(soft)?,
                    "nproc" => limits.processes = count32(soft)?,
                    _ => limits.file_size = limit(size::bytes(soft))?,
                }
                if lower == upper {
                    return Ok(());
                }
            }
            "as" | "cpu" | "data" | "locks" | "memlock" | "msgqueue" | "nice" | "rss" | "rtprio" | "rttime"
            | "sigpending" | "stack" => {
                return Err(Trouble::Judged(OTHER_ULIMIT));
            }
            _ => return Err(WrongValue::Ulimit.into()),
        }
        self.note(Note::Harmless { flag: given.flag, because });
        Ok(())
    }

    /// Settles what only all flags together say.
    pub(super) fn settle(&mut self) {
        if let Err((flag, trouble)) = self.settle_cpus() {
            self.problem(flag.to_owned(), trouble);
        }
    }

    fn settle_cpus(&mut self) -> Result<(), (&'static str, Trouble)> {
        let period = self.cpu_period.unwrap_or(CPU_PERIOD);
        if !(1000..=1_000_000).contains(&period) {
            return Err(("--cpu-period", WrongValue::CpuPeriod.into()));
        }
        self.request.limits.milli_cpus = match (self.cpus, self.cpu_quota, self.cpu_period) {
            (Some(_), Some(_), _) => return Err(("--cpu-quota", WrongValue::CpusTwice.into())),
            (Some(_), None, Some(_)) => return Err(("--cpu-period", WrongValue::CpusTwice.into())),
            (cpus, None, _) => cpus,
            (None, Some(quota), _) => Some(limit(size::quota(quota, period)).map_err(|t| ("--cpu-quota", t))?),
        };
        Ok(())
    }
}

/// The flag and its value, as far as it may be shown: no message may hold a credential.
fn named(given: &Given) -> String {
    let Given { flag, spelt, value } = given;
    if hides_value(flag, value) || value.is_empty() {
        return spelt.clone();
    }
    match flag.takes {
        Takes::Nothing if value == "true" => spelt.clone(),
        Takes::Nothing | Takes::Maybe { .. } => format!("{spelt}={}", shown(value)),
        Takes::Value(_) => format!("{spelt} {}", shown(value)),
    }
}

/// Whether a value may hold a credential. Volume options do: `o=username=…,password=…`.
fn hides_value(flag: &Flag, value: &str) -> bool {
    match flag.disposition {
        Disposition::Honoured { sets: Setting::Env, .. } => true,
        Disposition::Honoured { sets: Setting::Mount, .. } => {
            value.contains('=') && value.to_ascii_lowercase().contains("volume-opt")
        }
        _ => false,
    }
}

fn is_truth(value: &str) -> bool {
    value == "true" || value == "false"
}

/// No limit is refused; a bad number is a mistake.
pub(super) fn limit<T>(number: Result<T, NotANumber>) -> Result<T, Trouble> {
    number.map_err(|wrong| match wrong {
        NotANumber::Unlimited => Trouble::Judged(NO_LIMIT),
        other => WrongValue::Number(other).into(),
    })
}

fn count(value: &str) -> Result<u64, Trouble> {
    limit(size::count(value))
}

fn count32(value: &str) -> Result<u32, Trouble> {
    u32::try_from(count(value)?).map_err(|_| WrongValue::Number(NotANumber::TooLarge).into())
}

fn memory(value: &str) -> Result<u64, Trouble> {
    match limit(size::bytes(value))? {
        bytes if bytes < MEMORY_LEAST => Err(WrongValue::Number(NotANumber::TooSmall).into()),
        bytes => Ok(bytes),
    }
}

fn one_of<T: Copy>(value: &str, all: &[(&str, T)], expects: &'static str) -> Result<T, WrongValue> {
    let found = all.iter().find(|(word, _)| *word == value);
    found.map(|(_, meant)| *meant).ok_or(WrongValue::NotOneOf { expects })
}

fn here(value: &str) -> Result<Access, WrongValue> {
    let all = [
        ("ro", Access::ReadOnly),
        ("rw", Access::ReadWrite),
        ("staged", Access::Staged),
        ("rw,staged", Access::Staged),
    ];
    one_of(value, &all, "ro, rw or staged")
}

fn not_empty(value: &str) -> Result<String, WrongValue> {
    if value.is_empty() { Err(WrongValue::Empty) } else { Ok(value.to_owned()) }
}

/// `NAME=value`, or `NAME` for the caller's own.
pub(super) fn variable(text: &str) -> Result<EnvRequest, WrongValue> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let name = if name.is_empty() { Err(WrongValue::EnvName) } else { Ok(name.to_owned()) }?;
    Ok(match value {
        Some(value) => EnvRequest::Literal { name, value: value.to_owned() },
        None => EnvRequest::FromCaller { name },
    })
}

/// A word that may be a host name and a folder's name.
fn name(value: &str) -> Result<String, WrongValue> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let begins = value.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && value.len() <= NAME_LENGTH && value.bytes().all(allowed) {
        Ok(value.to_owned())
    } else {
        Err(WrongValue::BoxName)
    }
}

/// `os/arch` or `os/arch/variant`, in lower case.
fn platform(value: &str) -> Result<String, WrongValue> {
    let value = value.to_ascii_lowercase();
    let parts: Vec<&str> = value.split('/').collect();
    let word = |part: &&str| {
        !part.is_empty() && part.len() <= NAME_LENGTH && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if (2..=3).contains(&parts.len()) && parts.iter().all(word) { Ok(value) } else { Err(WrongValue::Platform) }
}

fn set_entrypoint(request: &mut Request, value: &str) -> Result<(), WrongValue> {
    match &mut request.program {
        Program::Image { entrypoint, .. } => {
            *entrypoint = Some(value.to_owned());
            Ok(())
        }
        Program::Host { .. } => Err(WrongValue::OnlyForImages),
    }
}

fn image_only(request: &Request) -> Result<(), WrongValue> {
    match request.program {
        Program::Image { .. } => Ok(()),
        Program::Host { .. } => Err(WrongValue::OnlyForImages),
    }
}

fn host_only(request: &Request) -> Result<(), WrongValue> {
    match request.program {
        Program::Host { .. } => Ok(()),
        Program::Image { .. } => Err(WrongValue::OnlyForPrograms),
    }
}
