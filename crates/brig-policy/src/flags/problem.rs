//! What can be wrong with a command line. No message shows the value of an environment variable,
//! of an unknown flag, or of a volume option, for each may be a password.

use std::fmt;

use super::flag::{Asset, Disposition};
use super::size::NotANumber;

/// Exit status for a command line that cannot be used.
pub const EXIT_USAGE: u8 = 2;
/// Exit status for a command line that asks for what is refused.
pub const EXIT_REFUSED: u8 = 77;

/// The most of a value that a message shows: enough to recognise a path.
const SHOWN: usize = 120;

/// Why a command line was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// `--help` was among the flags: no error, but no run either.
    #[error("help was asked for")]
    HelpAsked,
    /// There are more than [`super::ARGUMENTS_MOST`] arguments.
    #[error("{count} arguments are more than {most}", most = super::ARGUMENTS_MOST)]
    TooManyArguments {
        /// How many there are.
        count: usize,
    },
    /// An argument is longer than [`super::ARGUMENT_LENGTH_MOST`] bytes.
    #[error("argument {position} is {length} bytes long")]
    ArgumentTooLong {
        /// Which, counted from 1.
        position: usize,
        /// Its length in bytes.
        length: usize,
    },
    /// An argument holds a NUL byte, which no program could be given.
    #[error("argument {position} holds a NUL byte")]
    ArgumentWithNul {
        /// Which, counted from 1.
        position: usize,
    },
    /// No such flag.
    #[error("unknown flag {flag}")]
    UnknownFlag {
        /// As it was spelt, without a value.
        flag: String,
        /// The known flag that is spelt most like it.
        closest: Option<String>,
    },
    /// A flag that takes a value is the last argument.
    #[error("{flag} is not followed by a value")]
    ValueMissing {
        /// The flag.
        flag: String,
        /// What should follow.
        shape: &'static str,
    },
    /// There is neither an image nor a program.
    #[error("neither an image nor a program is named")]
    NothingToRun,
    /// Flags that were understood but not taken, all of them.
    #[error("{}", lines(.0))]
    NotTaken(Vec<Problem>),
}

/// One flag that was understood but not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It asks for less safety.
    Refused {
        /// The flag and its value, as far as it may be shown.
        flag: String,
        /// What a malicious server would reach with it.
        gives_away: &'static [Asset],
        /// How it would reach that.
        why: &'static str,
        /// The safe way to the same end.
        instead: &'static str,
    },
    /// It means nothing to a box, or not yet.
    NotServed {
        /// The flag and its value, as far as it may be shown.
        flag: String,
        /// What to type instead.
        instead: &'static str,
    },
    /// Its value cannot be used.
    Wrong {
        /// The flag and its value, as far as it may be shown.
        flag: String,
        /// What is wrong with it.
        wrong: WrongValue,
    },
}

/// What is wrong with the value of a flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongValue {
    /// A number was expected.
    #[error("the number is {0}")]
    Number(#[from] NotANumber),
    /// The flag takes no value but a truth.
    #[error("it takes no value but true or false")]
    NotATruth,
    /// One of a few values was expected.
    #[error("it is none of the values that the flag takes")]
    NotOneOf {
        /// Those that it takes.
        expects: &'static str,
    },
    /// Nothing follows the `=`, or the next argument is empty.
    #[error("the value is empty")]
    Empty,
    /// A path in the box does not begin with `/`.
    #[error("the path in the box, {}, is not absolute", shown(path))]
    NotAbsolute {
        /// The path.
        path: String,
    },
    /// A path in the box holds `..`.
    #[error("the path in the box, {}, holds `..`", shown(path))]
    Upwards {
        /// The path.
        path: String,
    },
    /// A path is longer than the kernel takes (4096 bytes).
    #[error("a path is longer than 4096 bytes")]
    PathTooLong,
    /// A mount on `/`.
    #[error("nothing can be mounted on the root of the box")]
    RootTarget,
    /// A mount without a path in the box.
    #[error("it names no path in the box")]
    NoTarget,
    /// A mount without a source that needs one.
    #[error("it names no source")]
    NoSource,
    /// Two mounts on one path.
    #[error("something else is mounted on {} already", shown(path))]
    TargetTwice {
        /// The path.
        path: String,
    },
    /// More mounts than [`super::MOUNTS_MOST`].
    #[error("there are more than {most} mounts", most = super::MOUNTS_MOST)]
    TooManyMounts,
    /// More than three parts between colons.
    #[error("it has more than three parts between colons")]
    TooManyColons,
    /// Nothing between two colons, or at an end.
    #[error("a part between colons is empty")]
    EmptyPart,
    /// A `~` that no shell has expanded.
    #[error("`~` was not expanded by a shell")]
    Tilde,
    /// Neither a path nor a volume's name.
    #[error("{} is neither a path nor a volume's name", shown(name))]
    VolumeName {
        /// What was given.
        name: String,
    },
    /// `-v /path` before a host program: an empty volume, or a grant?
    #[error("without a second path it does not say whether to grant {path} or to hide it", path = shown(path))]
    GrantOrVolume {
        /// The path.
        path: String,
    },
    /// An option that mounts do not have.
    #[error("{} is no option of this mount", shown(option))]
    UnknownOption {
        /// The option, without its value.
        option: String,
        /// Those that there are.
        known: &'static str,
    },
    /// Read-only and writable at once.
    #[error("it asks for read-only and for writing")]
    ReadOnlyAndWritable,
    /// `staged` for something that is no host folder.
    #[error("only a host folder can be staged")]
    StagedNoFolder,
    /// A read-only tmpfs.
    #[error("memory that is read-only stays empty")]
    ReadOnlyMemory,
    /// A tmpfs mode beyond permissions and the sticky bit.
    #[error("the mode is not octal, or above 1777")]
    Mode,
    /// The quotes of `--mount` are not those of CSV.
    #[error("the quotes are not closed, or stand in the middle of a field")]
    Quotes,
    /// No name before the `=` of a variable.
    #[error("the variable has no name")]
    EnvName,
    /// A name that would be no host name and no folder's name.
    #[error("the name is not 1 to 63 letters, digits, `_`, `.`, `-`, beginning with a letter or digit")]
    BoxName,
    /// Not `os/arch` or `os/arch/variant`.
    #[error("it is not spelt os/arch")]
    Platform,
    /// Not `name=soft` or `name=soft:hard`.
    #[error("it is not spelt NAME=N")]
    Ulimit,
    /// A soft limit above the hard one.
    #[error("the soft limit is above the hard one")]
    SoftAboveHard,
    /// The flag is about images, and a host program is to run.
    #[error("it is about images, and a program of this host is to run")]
    OnlyForImages,
    /// The flag is about host programs, and an image is to run.
    #[error("it is about programs of this host, and an image is to run")]
    OnlyForPrograms,
    /// Processors were limited in two ways.
    #[error("it contradicts --cpus")]
    CpusTwice,
    /// A period of processor time that the kernel does not take.
    #[error("a period is 1000 to 1000000 microseconds")]
    CpuPeriod,
}

/// Why a setting was not taken, before the flag's name is put to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Its value cannot be used.
    Wrong(WrongValue),
    /// Some part of it is refused, or not served.
    Judged(Disposition),
}

impl From<WrongValue> for Trouble {
    fn from(wrong: WrongValue) -> Self {
        Self::Wrong(wrong)
    }
}

impl FlagError {
    /// The exit status of `brig run`: 77 when anything was refused, 0 for the help, 2 otherwise.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::HelpAsked => 0,
            Self::NotTaken(problems) if problems.iter().any(|p| matches!(p, Problem::Refused { .. })) => EXIT_REFUSED,
            _ => EXIT_USAGE,
        }
    }

    /// What to type next: one line for each problem.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::HelpAsked => None,
            Self::TooManyArguments { .. } | Self::ArgumentTooLong { .. } => {
                Some("pass what is long in a file, and grant it: -v FILE:/path".to_owned())
            }
            Self::ArgumentWithNul { .. } => Some("take the NUL byte out".to_owned()),
            Self::UnknownFlag { closest: Some(known), .. } => {
                Some(format!("did you mean {known}? brig run --help lists all"))
            }
            Self::UnknownFlag { closest: None, .. } => {
                Some("brig run --help lists all; flags of the server follow its image".to_owned())
            }
            Self::ValueMissing { flag, .. } if flag == "-h" => {
                Some("-h NAME is Docker's host name; for the help type --help".to_owned())
            }
            Self::ValueMissing { flag, shape } => Some(format!("{flag} {shape}")),
            Self::NothingToRun => {
                Some("brig run [flags] IMAGE [ARGS…] or brig run [flags] -- PROGRAM [ARGS…]".to_owned())
            }
            Self::NotTaken(problems) => {
                let hints: Vec<String> = problems.iter().filter_map(Problem::hint).collect();
                (!hints.is_empty()).then(|| hints.join("\n"))
            }
        }
    }
}

impl Problem {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { flag, instead, .. } | Self::NotServed { flag, instead } => {
                Some(format!("instead of {flag}: {instead}"))
            }
            Self::Wrong { flag, wrong } => wrong.hint().map(|hint| format!("{flag}: {hint}")),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { flag, gives_away, why, .. } => {
                let assets: Vec<String> = gives_away.iter().map(Asset::to_string).collect();
                let assets = assets.join(", ");
                write!(f, "{flag} is refused, since it would give away {assets}: {why}")
            }
            Self::NotServed { flag, .. } => write!(f, "{flag} is not served"),
            Self::Wrong { flag, wrong } => write!(f, "{flag}: {wrong}"),
        }
    }
}

impl WrongValue {
    /// What to type instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::Number(_) => "write a positive number, such as 512m for a size",
            Self::NotATruth => "write the flag alone, or =true or =false behind it",
            Self::NotOneOf { expects } => return Some(format!("it takes {expects}")),
            Self::Empty => "write a value, or leave the flag out",
            Self::NotAbsolute { .. } => "begin it with /; relative paths are for the host's side",
            Self::Upwards { .. } => "write the path that is meant, without ..",
            Self::PathTooLong => "choose a shorter path",
            Self::RootTarget => "choose a path below it: -v FOLDER:/data",
            Self::NoTarget => "add dst=/path",
            Self::NoSource => "add src=/path, or src=NAME for a volume",
            Self::TargetTwice { .. } => "leave out one of the two",
            Self::TooManyMounts => "grant the folder that holds them",
            Self::TooManyColons => "a path with a colon is granted by --mount type=bind,src=…,dst=…",
            Self::EmptyPart => "write FROM:TO or FROM:TO:OPTIONS",
            Self::Tilde => "write the path in full, such as /home/NAME/folder",
            Self::VolumeName { .. } => {
                "put ./ or / before a path; a volume's name has letters, digits, `_`, `.` and `-`"
            }
            Self::GrantOrVolume { path } => {
                let path = shown(path);
                return Some(format!(
                    "-v {path}:{path} grants it, -v {path}:{path}:rw to write, --tmpfs {path} hides it"
                ));
            }
            Self::UnknownOption { known, .. } => return Some(format!("there are {known}")),
            Self::ReadOnlyAndWritable => "leave out one of the two",
            Self::StagedNoFolder => "leave out staged; a volume is writable and brig's own anyway",
            Self::ReadOnlyMemory => "leave out ro",
            Self::Mode => "write it as 1777 or 700",
            Self::Quotes => "quote a whole field: --mount 'type=bind,\"src=/a,b\",dst=/c'",
            Self::EnvName => "write NAME=VALUE, or NAME alone to pass your own value",
            Self::BoxName => "choose another name",
            Self::Platform => "write it as linux/amd64 or linux/arm64",
            Self::Ulimit => "--ulimit nofile=1024, or fsize or nproc; core is always 0",
            Self::SoftAboveHard => "write one number",
            Self::OnlyForImages => "leave it out",
            Self::OnlyForPrograms => "leave it out, or run a program: brig run -- npx …",
            Self::CpusTwice => "leave it out",
            Self::CpuPeriod => "leave it out, and write --cpus 1.5",
        };
        Some(fixed.to_owned())
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// A value as a message shows it: short, on one line, quoted when it is not a plain word.
pub(super) fn shown(value: &str) -> String {
    let mut short: String = value.chars().take(SHOWN).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    let plain = !short.is_empty() && short.chars().all(|c| c == '…' || c.is_ascii_graphic());
    if plain { short } else { format!("{short:?}") }
}
