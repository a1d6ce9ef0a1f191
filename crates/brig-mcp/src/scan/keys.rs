//! Whether an object holds the same key twice: for objects of any size, in time that grows no
//! faster than sorting, and in at most 8 bytes of memory a key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use super::text;

/// Up to here every pair is compared; above, keys are sorted.
const PAIRS: usize = 12;
/// From here on an object is also checked while it grows, at each doubling, so that a flood of
/// equal keys is noticed before it takes memory.
const CHECK_WHILE_GROWING: usize = 1024;

/// The keys of all objects that are open, innermost last.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<Key>,
    /// Drawn once: hashes must not be predictable by who writes the keys.
    seed: u64,
}

/// One key: its hash, and the byte after its opening quote.
#[derive(Debug, Clone, Copy)]
struct Key {
    hash: u32,
    at: u32,
}

/// Two keys of one object that are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twice {
    /// Where the later one stands.
    pub(super) at: usize,
    /// Whether they are equal byte for byte once unescaped; else they differ in case.
    pub(super) exactly: bool,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            seed: RandomState::new().hash_one(0u8),
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.keys.capacity()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Forgets the keys from `first` on.
    pub(super) fn truncate(&mut self, first: usize) {
        self.keys.truncate(first);
    }

    /// Lets memory go that one large message needed; what ordinary ones need stays.
    pub(super) fn give_back(&mut self) {
        self.keys.clear();
        self.keys.shrink_to(CHECK_WHILE_GROWING);
    }

    /// Adds the key whose inside begins at `at`; `content` is what is compared (unescaped, and
    /// folded where case is ignored). True says: this object has doubled, check it now.
    pub(super) fn push(&mut self, first: usize, at: u32, content: &[u8]) -> bool {
        let hash = self.hash(content);
        self.keys.push(Key { hash, at });
        let count = self.keys.len() - first;
        count >= CHECK_WHILE_GROWING && count.is_power_of_two()
    }

    /// Looks for two equal keys among those from `first` on.
    pub(super) fn twice(&mut self, first: usize, bytes: &[u8], fold: bool) -> Option<Twice> {
        let keys = &mut self.keys[first..];
        if keys.len() <= PAIRS {
            return pairs(keys, bytes, fold);
        }
        // Equal hashes are rare, so the keys themselves are hardly ever read.
        keys.sort_unstable_by(|a, b| {
            a.hash.cmp(&b.hash).then_with(|| {
                if a.at == b.at {
                    Ordering::Equal
                } else {
                    content(bytes, *a, fold).cmp(&content(bytes, *b, fold))
                }
            })
        });
        keys.windows(2)
            .find_map(|pair| same(pair[0], pair[1], bytes, fold))
    }

    /// A keyed multiply-and-fold over 8 bytes at a time.
    fn hash(&self, content: &[u8]) -> u32 {
        let mut state = self.seed ^ content.len() as u64;
        for chunk in content.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = fold_multiply(
                state ^ u64::from_le_bytes(word),
                self.seed.rotate_left(32) | 1,
            );
        }
        (state >> 32) as u32
    }
}

fn fold_multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

fn pairs(keys: &[Key], bytes: &[u8], fold: bool) -> Option<Twice> {
    keys.iter().enumerate().find_map(|(n, a)| {
        keys[n + 1..]
            .iter()
            .filter(|b| b.hash == a.hash)
            .find_map(|b| same(*a, *b, bytes, fold))
    })
}

fn same(a: Key, b: Key, bytes: &[u8], fold: bool) -> Option<Twice> {
    if a.hash != b.hash || content(bytes, a, fold) != content(bytes, b, fold) {
        return None;
    }
    let exactly = content(bytes, a, false) == content(bytes, b, false);
    Some(Twice {
        at: a.at.max(b.at) as usize - 1,
        exactly,
    })
}

/// What is compared of a key. Its end is found again, which only keys of equal hash cost.
fn content(bytes: &[u8], key: Key, fold: bool) -> Cow<'_, [u8]> {
    let from = key.at as usize;
    let mut to = from;
    loop {
        to = text::plain(bytes, to);
        match bytes.get(to) {
            Some(b'"') | None => break,
            Some(b'\\') => to += 2,
            Some(_) => to += 1,
        }
    }
    let content = text::unescaped(&bytes[from..to.min(bytes.len())]);
    if !fold {
        return content;
    }
    Cow::Owned(text::folded(&content).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(keys: &[&str], fold: bool) -> Option<Twice> {
        let mut bytes = Vec::new();
        let mut list = Keys::new();
        for key in keys {
            bytes.push(b'"');
            let at = u32::try_from(bytes.len()).unwrap();
            bytes.extend_from_slice(key.as_bytes());
            bytes.extend_from_slice(b"\":0,");
            let content = text::unescaped(key.as_bytes()).into_owned();
            let content = if fold {
                text::folded(&content).into_owned()
            } else {
                content
            };
            list.push(0, at, &content);
        }
        list.twice(0, &bytes, fold)
    }

    #[test]
    fn equal_keys_are_found_in_small_and_large_objects_and_only_there() {
        for count in [2, PAIRS, PAIRS + 1, 5000] {
            let names: Vec<String> = (0..count).map(|n| format!("key{n}")).collect();
            let mut keys: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(find(&keys, false), None, "{count}");
            keys.push(r"ke\u00791");
            let twice = find(&keys, false).unwrap();
            assert!(twice.exactly && twice.at > 6, "{count}");
        }
    }

    #[test]
    fn case_counts_only_where_it_is_asked_for() {
        assert_eq!(find(&["path", "Path"], false), None);
        assert!(!find(&["path", "Path"], true).unwrap().exactly);
        assert!(find(&["Path", "Path"], true).unwrap().exactly);
    }

    #[test]
    fn keys_of_equal_hash_that_differ_are_told_apart() {
        let bytes = br#""a":0,"b":0"#;
        let keys = [Key { hash: 7, at: 1 }, Key { hash: 7, at: 7 }];
        assert_eq!(pairs(&keys, bytes, false), None);
    }
}
