//! The known flag that is spelt most like an unknown one.

use super::flag::Flag;
use super::table::FLAGS;

/// No flag's name is longer, so a longer word is none that was misspelt.
pub(super) const NAME_LENGTH: usize = 32;

/// The closest flag, when it is close enough to be meant.
pub(super) fn to(name: &str) -> Option<&'static Flag> {
    if name.len() > NAME_LENGTH {
        return None;
    }
    let name = name.to_ascii_lowercase().replace('_', "-");
    let allowed = (name.len() / 3).max(1);
    FLAGS
        .iter()
        .map(|flag| (distance(&name, flag.long), flag))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, flag)| flag)
}

/// How many letters must be put in, taken out or changed to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = before + usize::from(a != *b);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        for (slip, meant) in [
            ("volum", "volume"),
            ("enviroment-file", "env-file"),
            ("read_only", "read-only"),
            ("privleged", "privileged"),
            ("Mount", "mount"),
            ("netwrok", "network"),
        ] {
            let found = to(slip).map(|flag| flag.long);
            if slip == "enviroment-file" {
                assert_eq!(found, None, "too far to be a slip");
            } else {
                assert_eq!(found, Some(meant), "{slip}");
            }
        }
        assert_eq!(to("zzzzzz"), None);
        assert_eq!(to(&"v".repeat(100)), None);
    }

    #[test]
    fn distance_is_symmetric_and_zero_for_equals() {
        assert_eq!(distance("mount", "mount"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), distance("sitting", "kitten"));
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
