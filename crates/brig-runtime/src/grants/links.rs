//! Finds the other names (hard links) of files that are treated apart: masking one name of a
//! secret leaves the others readable.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use brig_engine::launch::Treat;
use brig_policy::floor::Identity;
use rustix::fs::{FileType, OFlags};

use super::open;
use super::report::{Treated, Why};
use super::scan::{Found, Scan};
use super::survey::identity;
use super::tree::{self, WalkError};

/// Treats every other name of a treated file alike, and masks names of floor files. Only when
/// such a file has further names at all is the tree walked again, and every file looked at.
pub(super) fn treat_further_names(scan: Scan<'_>, found: &mut Found) -> Result<(), WalkError> {
    let wanted = wanted(scan, found)?;
    if wanted.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<PathBuf> = found.treated.iter().map(|part| part.path.clone()).collect();
    let mut further = Vec::new();
    tree::walk(scan.root, (), |folder, listing| -> Result<_, WalkError> {
        let mut next: Vec<(OsString, ())> = Vec::new();
        let Ok((fd, entries)) = listing else {
            return Ok(next);
        };
        for entry in entries {
            if entry.kind == FileType::Directory {
                let path = folder.path.join(&entry.name);
                if !scan.submounts.contains_key(&path) {
                    next.push((entry.name, ()));
                }
            } else if entry.kind == FileType::RegularFile
                && let Ok(facts) = open::facts_at(fd.as_fd(), &entry.name)
                && facts.links > 1
                && let Some((treat, why)) = wanted.get(&identity(facts.id))
            {
                let path = folder.path.join(&entry.name);
                if !known.contains(&path) {
                    further.push(Treated { path, treat: *treat, why: Why::SameFile(why) });
                }
            }
        }
        Ok(next)
    })?;
    found.treated.extend(further);
    Ok(())
}

/// The treated files, and those of the floor, that have further names on this file system.
fn wanted(scan: Scan<'_>, found: &Found) -> Result<HashMap<Identity, (Treat, &'static str)>, WalkError> {
    let mut wanted: HashMap<Identity, (Treat, &'static str)> = HashMap::new();
    for part in &found.treated {
        let (Why::Secret(why) | Why::HostRun(why) | Why::LedToBy(_, why)) = part.why else {
            continue;
        };
        let Ok(facts) = open::below(scan.root, &part.path, OFlags::PATH).and_then(open::facts) else {
            continue;
        };
        if facts.kind == FileType::RegularFile && facts.links > 1 {
            let entry = wanted.entry(identity(facts.id)).or_insert((part.treat, why));
            if part.treat == Treat::Mask {
                *entry = (part.treat, why);
            }
        }
    }
    let grant =
        open::facts(scan.root).map_err(|errno| WalkError::Look { path: PathBuf::new(), source: errno.into() })?;
    for (id, why) in scan.linked {
        if id.dev == grant.id.dev {
            wanted.insert(*id, (Treat::Mask, why));
        }
    }
    Ok(wanted)
}
