//! The caller's supplementary groups are dropped.

use super::{Exception, Wall};

pub(crate) const WALL: Wall = Wall {
    id: "groups",
    title: "no other groups",
    keeps: "a group such as docker or disk opens what the caller alone may not",
};

/// How it stands for a caller with these supplementary groups beside `gid`.
pub(crate) fn standing(others: &[u32]) -> Option<Exception> {
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = others.iter().map(u32::to_string).collect();
    let how = format!("the kernel lets nobody but root drop groups; the box keeps {}", names.join(", "));
    Some(Exception::weaker(&WALL, how, Some("leave groups that open what you would not give to a server")))
}
