//! The floor of one machine: its paths, and what is known of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Candidate, HOME, Identity, Line, MACHINE, MountPoint, OWN, Reach, Relation, home};

/// The floor of one machine and one caller, with all that is known about its paths.
#[derive(Debug, Clone)]
pub struct Ground {
    stakes: Vec<Stake>,
    homes: Vec<PathBuf>,
    mounts: Vec<MountPoint>,
    marks: HashMap<Identity, Mark>,
}

/// One floor path of this machine.
#[derive(Debug, Clone)]
pub struct Stake {
    /// Absolute.
    pub path: PathBuf,
    /// The line that put it here.
    pub line: &'static Line,
}

/// What an identity on the floor stands for.
#[derive(Debug, Clone, Copy)]
struct Mark {
    stake: usize,
    position: Position,
}

/// Where an identity lies, seen from a floor path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// It is what the floor path names.
    There,
    /// It is a folder above it.
    Above,
}

/// A floor path that a source hits.
pub(super) struct Hit {
    pub(super) line: &'static Line,
    pub(super) floor: PathBuf,
    pub(super) relation: Relation,
}

impl Ground {
    /// The floor for these homes and these folders of brig's own, all of them real paths.
    #[must_use]
    pub fn new(homes: Vec<PathBuf>, own: Vec<PathBuf>, mounts: Vec<MountPoint>) -> Self {
        let mut stakes = Vec::new();
        for path in own {
            stakes.push(Stake { path, line: &OWN });
        }
        for line in MACHINE {
            stakes.push(Stake { path: line.path.into(), line });
        }
        for home in &homes {
            for line in HOME.iter().filter(|line| !line.path.is_empty()) {
                stakes.push(Stake { path: home.join(line.path), line });
            }
        }
        for home in &homes {
            stakes.push(Stake { path: home.clone(), line: home::whole() });
        }
        Self { stakes, homes, mounts, marks: HashMap::new() }
    }

    /// All floor paths; the position in this list names one in [`Ground::mark`].
    #[must_use]
    pub fn stakes(&self) -> &[Stake] {
        &self.stakes
    }

    /// The caller's homes.
    #[must_use]
    pub fn homes(&self) -> &[PathBuf] {
        &self.homes
    }

    /// The table of mounts that this was made with.
    #[must_use]
    pub fn mounts(&self) -> &[MountPoint] {
        &self.mounts
    }

    /// Adds a hidden entry that was found directly below a home, and says how to name it.
    pub fn hidden(&mut self, path: PathBuf) -> usize {
        if let Some(known) = self.stakes.iter().position(|stake| stake.path == path) {
            return known;
        }
        self.stakes.push(Stake { path, line: home::hidden() });
        self.stakes.len() - 1
    }

    /// Says which file a floor path names, or which folders lie above it. The first word on an
    /// identity stays, except that "is" is stronger than "is above".
    pub fn mark(&mut self, stake: usize, position: Position, identity: Identity) {
        let new = Mark { stake, position };
        let mark = self.marks.entry(identity).or_insert(new);
        if position == Position::There && mark.position == Position::Above {
            *mark = new;
        }
    }

    /// What the source hits first: the most exact name for it, then the floor inside it.
    pub(super) fn hit(&self, source: &Candidate<'_>) -> Option<Hit> {
        let mut homes = self.homes.clone();
        homes.extend(home_by_custom(source.path));
        self.by_path(source)
            .or_else(|| self.by_home(source, &homes))
            .or_else(|| self.by_identity(source))
            .or_else(|| self.by_containment(source, &homes))
    }

    /// The innermost floor path that the source is, or lies under.
    fn by_path(&self, source: &Candidate<'_>) -> Option<Hit> {
        let mut best: Option<&Stake> = None;
        for stake in &self.stakes {
            let relation = self.relate(source.path, stake);
            if relation.is_some_and(|relation| counts(stake.line, relation, source))
                && relation != Some(Relation::Contains)
                && best.is_none_or(|best| stake.path.as_os_str().len() > best.path.as_os_str().len())
            {
                best = Some(stake);
            }
        }
        let stake = best?;
        Some(Hit { line: stake.line, floor: stake.path.clone(), relation: self.relate(source.path, stake)? })
    }

    /// A home as a whole, or a hidden entry directly below it.
    fn by_home(&self, source: &Candidate<'_>, homes: &[PathBuf]) -> Option<Hit> {
        for home in homes {
            let below = source
                .path
                .strip_prefix(home)
                .ok()
                .map(Path::to_path_buf)
                .or_else(|| self.below_by_place(source.path, home));
            let Some(below) = below else { continue };
            let Some(first) = below.components().next() else {
                return Some(Hit { line: home::whole(), floor: home.clone(), relation: Relation::Is });
            };
            if first.as_os_str().as_encoded_bytes().starts_with(b".") {
                let relation = match below.components().count() {
                    1 => Relation::Is,
                    _ => Relation::Under,
                };
                return Some(Hit { line: home::hidden(), floor: home.join(first), relation });
            }
        }
        None
    }

    /// The same file under another name (a bind mount, a hard link).
    fn by_identity(&self, source: &Candidate<'_>) -> Option<Hit> {
        let of = |identity: &Identity, relation: Relation| {
            let mark = self.marks.get(identity)?;
            let stake = self.stakes.get(mark.stake)?;
            let relation = match (mark.position, relation) {
                (Position::There, relation) => relation,
                (Position::Above, Relation::Is) => Relation::Contains,
                (Position::Above, _) => return None,
            };
            counts(stake.line, relation, source).then(|| Hit { line: stake.line, floor: stake.path.clone(), relation })
        };
        of(&source.itself, Relation::Is).or_else(|| source.parents.iter().find_map(|up| of(up, Relation::Under)))
    }

    /// The first floor path that lies inside the source.
    fn by_containment(&self, source: &Candidate<'_>, homes: &[PathBuf]) -> Option<Hit> {
        let inside = self.stakes.iter().find(|stake| {
            self.relate(source.path, stake) == Some(Relation::Contains)
                && counts(stake.line, Relation::Contains, source)
        });
        let hit = inside.map(|stake| (stake.line, stake.path.clone()));
        let home = || {
            let home = homes.iter().find(|home| home.starts_with(source.path))?;
            Some((home::whole(), home.clone()))
        };
        let (line, floor) = hit.or_else(home)?;
        Some(Hit { line, floor, relation: Relation::Contains })
    }

    /// How a source lies to a floor path: by name, else by place in the file system.
    fn relate(&self, source: &Path, stake: &Stake) -> Option<Relation> {
        if stake.line.reach == Reach::Prefix {
            return prefix_relation(source, &stake.path);
        }
        relation(source, &stake.path).or_else(|| {
            let (device, source) = self.place(source)?;
            let (other, floor) = self.place(&stake.path)?;
            (device == other).then(|| relation(&source, &floor))?
        })
    }

    /// What remains of `path` below `base` when both are seen as places in one file system.
    fn below_by_place(&self, path: &Path, base: &Path) -> Option<PathBuf> {
        let (device, path) = self.place(path)?;
        let (other, base) = self.place(base)?;
        (device == other).then_some(())?;
        path.strip_prefix(base).ok().map(Path::to_path_buf)
    }

    /// The place that a path names: the file system, and the path within it.
    fn place(&self, path: &Path) -> Option<((u32, u32), PathBuf)> {
        // Of mounts on one point the last in the table lies on top.
        let mount = self
            .mounts
            .iter()
            .filter(|mount| path.starts_with(&mount.point))
            .max_by_key(|mount| mount.point.components().count())?;
        let below = path.strip_prefix(&mount.point).ok()?;
        Some((mount.device, mount.root.join(below)))
    }
}

/// Whether a line speaks about a source that lies so to it.
fn counts(line: &Line, relation: Relation, source: &Candidate<'_>) -> bool {
    let excepted = line
        .except
        .iter()
        .any(|exception| (exception.writable || !source.writable) && source.path.starts_with(exception.path));
    match (line.reach, relation) {
        (Reach::Written, _) => source.writable,
        (_, Relation::Contains) | (Reach::Whole | Reach::Tree | Reach::Prefix, Relation::Is) => !excepted,
        (Reach::Tree | Reach::Prefix, Relation::Under) => !excepted,
        (Reach::Whole, Relation::Under) => false,
    }
}

fn relation(source: &Path, floor: &Path) -> Option<Relation> {
    if source == floor {
        Some(Relation::Is)
    } else if source.starts_with(floor) {
        Some(Relation::Under)
    } else if floor.starts_with(source) {
        Some(Relation::Contains)
    } else {
        None
    }
}

/// The same for a floor path of which only the start of the last component is known.
fn prefix_relation(source: &Path, floor: &Path) -> Option<Relation> {
    let parent = floor.parent()?;
    if parent.starts_with(source) {
        return Some(Relation::Contains);
    }
    let mut below = source.strip_prefix(parent).ok()?.components();
    let first = below.next()?.as_os_str().as_encoded_bytes();
    first.starts_with(floor.file_name()?.as_encoded_bytes()).then(|| match below.next() {
        None => Relation::Is,
        Some(_) => Relation::Under,
    })
}

/// Folders that hold homes by custom: each entry is taken for one, whoever's it is.
const HOME_PARENTS: &[&str] = &["/home", "/var/home", "/Users"];

/// The home of someone that a path lies in, by where homes are by custom.
fn home_by_custom(path: &Path) -> Option<PathBuf> {
    HOME_PARENTS.iter().find_map(|parent| {
        let first = path.strip_prefix(parent).ok()?.components().next()?;
        Some(Path::new(parent).join(first))
    })
}
