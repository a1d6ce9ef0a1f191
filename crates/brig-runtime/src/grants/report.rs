//! What was done to a grant, for people and for the journal.

use std::fmt;
use std::path::PathBuf;

use brig_engine::launch::Treat;

/// What was found in a granted folder and how it is treated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What the box does not see, or does not write, with the reason; parents first.
    pub treated: Vec<Treated>,
    /// What cannot be enforced, or is not as people may expect.
    pub notes: Vec<Note>,
    /// How many files and folders were looked at.
    pub entries: usize,
}

/// One part of a grant that is treated apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treated {
    /// Relative to the grant.
    pub path: PathBuf,
    /// How: masked or read-only.
    pub treat: Treat,
    /// Why.
    pub why: Why,
}

/// Why a part of a grant is treated apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its name (and content, where that decides) says that it holds a secret.
    Secret(&'static str),
    /// The host runs or obeys it later.
    HostRun(&'static str),
    /// Another name (a hard link) of such a file.
    SameFile(&'static str),
    /// What a link with such a name leads to.
    LedToBy(PathBuf, &'static str),
    /// A unix socket: whoever sees it can connect, read-only or not.
    Socket,
    /// A FIFO: whoever sees it can talk to whoever reads it.
    Fifo,
    /// A device node.
    Device,
    /// Another file system is mounted there, of this type.
    Submount(String),
    /// It could not be looked into, and its owner could open it from inside.
    Unreadable,
}

/// Something to be said about a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A live writable grant: protection holds only for what existed at start.
    LiveIsWeaker,
    /// A link whose name the host obeys: the box can replace the link itself.
    ReplaceableLink(PathBuf),
    /// A setuid or setgid file; the bits have no effect in the box.
    Setuid(PathBuf),
    /// It vanished while the grant was looked at.
    Vanished(PathBuf),
}

impl Report {
    /// How many parts the box does not see.
    #[must_use]
    pub fn masked(&self) -> usize {
        self.count(Treat::Mask)
    }

    /// How many parts of a writable grant the box does not write.
    #[must_use]
    pub fn read_only(&self) -> usize {
        self.count(Treat::ReadOnly)
    }

    /// Why the wall around a writable grant is weaker than it could be, if it is.
    #[must_use]
    pub fn weaker(&self) -> Option<&'static str> {
        self.notes.contains(&Note::LiveIsWeaker).then_some(
            "writes reach the folder at once, so files that the host runs are protected only if \
             they existed at start; `rw,staged` filters all writes",
        )
    }

    fn count(&self, treat: Treat) -> usize {
        self.treated.iter().filter(|part| part.treat == treat).count()
    }
}

impl fmt::Display for Treated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.treat {
            Treat::Mask => "masked",
            Treat::ReadOnly => "read-only",
            Treat::Hold => "held",
        };
        write!(f, "{} is {how}: it {}", self.path.display(), self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(why) | Self::HostRun(why) => f.write_str(why),
            Self::SameFile(why) => write!(f, "is another name of a file that {why}"),
            Self::LedToBy(link, why) => {
                write!(f, "is what {} leads to, which {why}", link.display())
            }
            Self::Socket => f.write_str("is a socket, which even a read-only folder hands out"),
            Self::Fifo => f.write_str("is a FIFO, which leads to a process of the host"),
            Self::Device => f.write_str("is a device"),
            Self::Submount(kind) => write!(
                f,
                "is another file system ({kind}) mounted there; grant it with a -v of its own if it is needed"
            ),
            Self::Unreadable => f.write_str("could not be looked into for secrets"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LiveIsWeaker => f.write_str(
                "writes reach the folder at once: a file that the host runs and that does not \
                 exist yet cannot be protected, only quarantined; `rw,staged` filters all writes",
            ),
            Self::ReplaceableLink(path) => write!(
                f,
                "{} is a link that the host obeys and that the box can replace; it is checked at exit",
                path.display()
            ),
            Self::Setuid(path) => write!(f, "{} is setuid or setgid, which has no effect in the box", path.display()),
            Self::Vanished(path) => write!(f, "{} vanished while the grant was looked at", path.display()),
        }
    }
}
