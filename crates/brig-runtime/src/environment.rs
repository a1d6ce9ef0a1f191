//! The environment of a box: built from nothing, then what was asked for, without real credentials.
//!
//! Pure: the caller's variables and the files' contents are passed in. A value that looks like a
//! credential never gets further than this module; what goes in is an obvious placeholder of the same
//! length, so that the server starts and lists its tools.

use std::collections::BTreeMap;

use brig_policy::request::EnvRequest;

/// A variable whose value was replaced, or that the caller does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It looked like a credential.
    Replaced {
        /// The variable.
        name: String,
        /// What it looked like.
        kind: String,
    },
    /// `-e NAME` of a variable that the caller does not have: it is not set, as with Docker.
    Unset {
        /// The variable.
        name: String,
    },
}

/// Names and values, as a program gets them.
pub type Variables = Vec<(String, String)>;

/// Adds what was asked for to what a program starts with. Later ones win.
pub fn extend(
    base: BTreeMap<String, String>,
    asked: &[EnvRequest],
    caller: &BTreeMap<String, String>,
) -> (Variables, Vec<Change>) {
    let (mut env, mut changes) = (BTreeMap::new(), Vec::new());
    // An image's own variables may hold a credential that was baked in.
    for (name, value) in &base {
        set(&mut env, &mut changes, (name, value));
    }
    for one in asked {
        match one {
            EnvRequest::Literal { name, value } => set(&mut env, &mut changes, (name, value)),
            EnvRequest::FromCaller { name } => match caller.get(name) {
                Some(value) => set(&mut env, &mut changes, (name, value)),
                None => changes.push(Change::Unset { name: name.clone() }),
            },
        }
    }
    (env.into_iter().collect(), changes)
}

fn set(env: &mut BTreeMap<String, String>, changes: &mut Vec<Change>, (name, value): (&str, &str)) {
    let value = match brig_secret::mask(name, value) {
        None => value.to_owned(),
        Some(masked) => {
            let change = Change::Replaced { name: name.to_owned(), kind: masked.kind.to_string() };
            if !changes.contains(&change) {
                changes.push(change);
            }
            masked.value
        }
    };
    env.insert(name.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

    fn literal(name: &str, value: &str) -> EnvRequest {
        EnvRequest::Literal { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn what_looks_real_is_replaced_wherever_it_comes_from() {
        let caller = BTreeMap::from([("GITHUB_TOKEN".to_owned(), TOKEN.to_owned())]);
        let asked =
            [EnvRequest::FromCaller { name: "GITHUB_TOKEN".to_owned() }, literal("OTHER", TOKEN), literal("LANG", "C")];
        let (env, changes) = extend(BTreeMap::new(), &asked, &caller);
        assert!(env.iter().all(|(_, value)| value != TOKEN), "{env:?}");
        assert!(env.iter().any(|(name, value)| name == "GITHUB_TOKEN" && value.len() == TOKEN.len()));
        assert!(env.contains(&("LANG".to_owned(), "C".to_owned())));
        assert_eq!(changes.len(), 2);
    }

    #[test]
    fn what_an_image_holds_is_replaced_too() {
        let base = BTreeMap::from([("TOKEN".to_owned(), TOKEN.to_owned()), ("A".to_owned(), "1".to_owned())]);
        let (env, changes) = extend(base, &[], &BTreeMap::new());
        assert!(env.contains(&("A".to_owned(), "1".to_owned())));
        assert!(env.iter().all(|(_, value)| value != TOKEN));
        assert_eq!(changes.len(), 1);
    }

    #[test]
    fn what_the_caller_lacks_is_said_and_nothing_else_of_the_caller_enters() {
        let caller = BTreeMap::from([("SECRET".to_owned(), "x".to_owned())]);
        let (env, changes) = extend(BTreeMap::new(), &[EnvRequest::FromCaller { name: "ABSENT".to_owned() }], &caller);
        assert!(env.is_empty());
        assert_eq!(changes, [Change::Unset { name: "ABSENT".to_owned() }]);
    }
}
