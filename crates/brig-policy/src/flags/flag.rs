//! The words of the flag table: what a flag is called, what it takes, and what becomes of it.

use std::fmt;

/// One flag of `brig run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Its name, without the two dashes.
    pub long: &'static str,
    /// Its letter, without the dash.
    pub short: Option<char>,
    /// Other long names that mean the same; Docker hides them from its help.
    pub also: &'static [&'static str],
    /// What follows it.
    pub takes: Takes,
    /// Whose flag it is.
    pub origin: Origin,
    /// What becomes of it.
    pub disposition: Disposition,
}

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, or `=true`, `=false` and Go's other spellings of them.
    Nothing,
    /// A value, after `=` or as the next argument; the word is for the help.
    Value(&'static str),
    /// A value after `=` only; without one it is `without`.
    Maybe {
        /// For the help.
        shape: &'static str,
        /// What the bare flag means.
        without: &'static str,
    },
}

/// Whose flag it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `docker run` has it too.
    Docker,
    /// Only `brig run` has it.
    Brig,
}

/// What becomes of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It sets something.
    Honoured {
        /// What.
        sets: Setting,
        /// For the help: one line in brig's words.
        about: &'static str,
    },
    /// It is accepted and changes nothing, which is said with `--verbose`.
    Harmless {
        /// Why nothing has to change.
        because: &'static str,
    },
    /// It asks for less safety (exit status 77).
    Refused {
        /// What a malicious server would reach with it; never empty.
        gives_away: &'static [Asset],
        /// How it would reach that.
        why: &'static str,
        /// The safe way to the same end.
        instead: &'static str,
    },
    /// It means nothing to a box, or not yet (exit status 2).
    NotServed {
        /// What to type instead.
        instead: &'static str,
    },
    /// Its value is none that the flag takes (exit status 2); only in a [`Case`].
    Wrong {
        /// The values that it takes.
        expects: &'static str,
    },
    /// It depends on the value: the first case that fits, the last of which fits always.
    ByValue(&'static [Case]),
}

/// What becomes of a flag with one kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Which values.
    pub when: When,
    /// What becomes of them; never [`Disposition::ByValue`].
    pub then: Disposition,
}

/// Which values a [`Case`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Exactly one of these. A flag without a value has `true` or `false`.
    OneOf(&'static [&'static str]),
    /// One of these in any case of letters.
    NoCase(&'static [&'static str]),
    /// All that begin so.
    StartsWith(&'static str),
    /// `key=value` or `key:value`, as `--security-opt` takes them.
    Pair(&'static str, &'static str),
    /// `key` alone, or with Go's spellings of this truth.
    PairBool(&'static str, bool),
    /// Every value.
    Any,
}

impl When {
    /// Whether `value` is meant.
    #[must_use]
    pub fn fits(self, value: &str) -> bool {
        match self {
            Self::OneOf(all) => all.contains(&value),
            Self::NoCase(all) => all.iter().any(|one| one.eq_ignore_ascii_case(value)),
            Self::StartsWith(start) => value.starts_with(start),
            Self::Pair(key, wanted) => pair(value) == (key, Some(wanted)),
            Self::PairBool(key, wanted) => match pair(value) {
                (k, None) => k == key && wanted,
                (k, Some(v)) => k == key && super::size::truth(v) == Some(wanted),
            },
            Self::Any => true,
        }
    }
}

/// Splits at the first `=`, or at the first `:` where there is none, as Docker does.
fn pair(value: &str) -> (&str, Option<&str>) {
    match value.split_once('=').or_else(|| value.split_once(':')) {
        Some((key, rest)) => (key, Some(rest)),
        None => (value, None),
    }
}

/// What a refused flag would give away. The first three are the assets of the threat model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asset {
    /// A01: credentials of the host, such as SSH keys, cloud and Git tokens.
    HostCredentials,
    /// A02: secrets given to a box, such as tokens and keys in its environment.
    BoxSecrets,
    /// A03: the file system of the host.
    HostFiles,
    /// No asset of the threat model: memory, processes and processors, which limits protect.
    Machine,
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostCredentials => "A01 (credentials of this host)",
            Self::BoxSecrets => "A02 (secrets given to a box)",
            Self::HostFiles => "A03 (files of this host)",
            Self::Machine => "the machine itself (its memory, processes and processors)",
        })
    }
}

/// What an honoured flag sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// `Request::allow_install_scripts`
    AllowInstallScripts,
    /// `Limits::milli_cpus`, together with the quota
    CpuPeriod,
    /// `Limits::milli_cpus`, together with the period
    CpuQuota,
    /// `Limits::milli_cpus`
    Cpus,
    /// The entry point of `Program::Image`
    Entrypoint,
    /// `Request::env`
    Env,
    /// `Request::env_files`
    EnvFile,
    /// `Limits::file_size`
    FileSize,
    /// Nothing: it asks for the help instead of a run
    Help,
    /// `Request::here`
    Here,
    /// `Limits::memory`
    Memory,
    /// `Request::mounts`
    Mount,
    /// `Request::name`
    Name,
    /// `Limits::open_files`
    OpenFiles,
    /// `Request::platform`
    Platform,
    /// `Request::full_proc`
    Proc,
    /// `Limits::processes`
    Processes,
    /// `Request::pull`
    Pull,
    /// `Reading::quiet`
    Quiet,
    /// `Limits::shm`
    Shm,
    /// `Request::stdio`
    Stdio,
    /// `Request::strict`
    Strict,
    /// `Limits::tmp`
    TmpSize,
    /// `Request::mounts`
    Tmpfs,
    /// Some of `Request::limits`
    Ulimit,
    /// `Request::user`
    User,
    /// `Reading::verbose`
    Verbose,
    /// `Request::mounts`
    Volume,
    /// `Request::workdir`
    Workdir,
}

impl Flag {
    /// A flag that `docker run` has too.
    pub(super) const fn docker(long: &'static str, takes: Takes, disposition: Disposition) -> Self {
        Self { long, short: None, also: &[], takes, origin: Origin::Docker, disposition }
    }

    /// A flag of brig's own.
    pub(super) const fn own(long: &'static str, takes: Takes, disposition: Disposition) -> Self {
        Self { long, short: None, also: &[], takes, origin: Origin::Brig, disposition }
    }

    /// The same with a letter.
    pub(super) const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// The same with other names.
    pub(super) const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }

    /// What becomes of the flag when it has this value; never [`Disposition::ByValue`].
    #[must_use]
    pub fn judge(&self, value: &str) -> Disposition {
        let Disposition::ByValue(cases) = self.disposition else {
            return self.disposition;
        };
        match cases.iter().find(|case| case.when.fits(value)) {
            Some(case) => case.then,
            // A list without a last `Any` is caught by a test; deny by default all the same.
            None => Disposition::Wrong { expects: "another value" },
        }
    }
}

impl fmt::Display for Flag {
    /// `-e, --env` or `--mount`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(letter) = self.short {
            write!(f, "-{letter}, ")?;
        }
        write!(f, "--{}", self.long)
    }
}
