//! Finds the rule for a name quickly: a granted tree may have many thousand entries.

use std::collections::HashMap;

use super::{LONGEST_NAME, Name, Rule};

/// A table of rules, arranged for look-up.
#[derive(Debug)]
pub(super) struct Index {
    names: HashMap<&'static [u8], Vec<&'static Rule>>,
    /// By what follows the last dot, the dot included.
    endings: HashMap<&'static [u8], Vec<&'static Rule>>,
    starts: Vec<&'static Rule>,
}

impl Index {
    pub(super) fn new(rules: &'static [Rule]) -> Self {
        let mut index = Self { names: HashMap::new(), endings: HashMap::new(), starts: Vec::new() };
        for rule in rules {
            match rule.name {
                Name::Is(name) | Name::In(_, name) => {
                    index.names.entry(name.as_bytes()).or_default().push(rule);
                }
                Name::Ends(ending) => {
                    let last = last_ending(ending.as_bytes()).unwrap_or(ending.as_bytes());
                    index.endings.entry(last).or_default().push(rule);
                }
                Name::Starts(..) => index.starts.push(rule),
            }
        }
        index
    }

    /// The first rule that means this name; both names in any case, `name` at most 255 bytes.
    pub(super) fn find(&self, parent: &[u8], name: &[u8]) -> Option<&'static Rule> {
        let mut lower = [0_u8; LONGEST_NAME];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let lower = &*lower;
        let named = self.names.get(lower).into_iter().flatten();
        let ending = last_ending(lower).and_then(|ending| self.endings.get(ending));
        named
            .chain(&self.starts)
            .chain(ending.into_iter().flatten())
            .find(|rule| means(rule.name, parent, lower))
            .copied()
    }
}

/// Whether a rule means this name, which is in lower case.
fn means(rule: Name, parent: &[u8], name: &[u8]) -> bool {
    match rule {
        Name::Is(is) => name == is.as_bytes(),
        Name::In(folder, is) => name == is.as_bytes() && parent.eq_ignore_ascii_case(folder.as_bytes()),
        Name::Starts(start, except) => {
            name.starts_with(start.as_bytes()) && !except.iter().any(|end| name.ends_with(end.as_bytes()))
        }
        Name::Ends(ending) => name.len() > ending.len() && name.ends_with(ending.as_bytes()),
    }
}

fn last_ending(name: &[u8]) -> Option<&[u8]> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    name.get(dot..)
}
