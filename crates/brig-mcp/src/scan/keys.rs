//! Whether an object holds the same key twice: for objects of any size, in time that grows no
//! faster than sorting, and in at most 8 bytes of memory a key.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::text;

/// Up to here every pair is compared; above, keys are hashed and sorted.
const PAIRS: usize = 12;
/// From here on an object is also checked while it grows, each time that it has [`GROWTH`] times
/// as many keys, so that a flood of equal keys is noticed before it takes memory.
const CHECK_WHILE_GROWING: usize = 1024;
/// Few checks, so that all of them together cost little beside the last.
const GROWTH: usize = 8;

/// The keys of all objects that are open, innermost last.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<Key>,
    /// Drawn once: hashes must not be predictable by who writes the keys.
    seed: u64,
}

/// One key: above, 32 bits that differ where keys differ; below, the byte after its opening quote.
/// Packed, because numbers are sorted fastest.
///
/// In a small object the bits are a [`mark`], in a larger one a [`hash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u64);

impl Key {
    fn new(bits: u32, at: u32) -> Self {
        Self(u64::from(bits) << 32 | u64::from(at))
    }

    fn bits(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn at(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

/// What the newest key made of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grown {
    /// Nothing new.
    Little,
    /// It is large now: call [`Keys::rehash`].
    Large,
    /// It has grown much since it was last looked at: call [`Keys::twice`].
    Due,
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
        Self { keys: Vec::new(), seed: RandomState::new().hash_one(0u8) }
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

    /// Adds the key whose inside begins at `at` to the object whose keys begin at `first`;
    /// `content` is what is compared (unescaped, and folded where case is ignored).
    #[inline(always)]
    pub(super) fn push(&mut self, first: usize, at: u32, content: &[u8]) -> Grown {
        let count = self.keys.len() - first;
        let bits = if count <= PAIRS { mark(content) } else { hash(content, self.seed) };
        self.keys.push(Key::new(bits, at));
        match count {
            PAIRS => Grown::Large,
            CHECK_WHILE_GROWING.. if is_due(count) => Grown::Due,
            _ => Grown::Little,
        }
    }

    /// Replaces the marks of an object that became large by hashes. Marks may be equal for keys
    /// that differ, and their writer may see to it; hashes cannot be predicted.
    pub(super) fn rehash(&mut self, first: usize, bytes: &[u8], fold: bool) {
        for key in &mut self.keys[first..] {
            *key = Key::new(hash(&content(bytes, *key, fold), self.seed), key.at());
        }
    }

    /// Looks for two equal keys among those from `first` on.
    #[inline]
    pub(super) fn twice(&mut self, first: usize, bytes: &[u8], fold: bool) -> Option<Twice> {
        let keys = &mut self.keys[first..];
        if keys.len() <= PAIRS {
            return pairs(keys, bytes, fold);
        }
        keys.sort_unstable();
        if !keys.windows(2).any(|pair| pair[0].bits() == pair[1].bits()) {
            return None;
        }
        // Equal hashes: equal keys, or one pair in billions. Sorted by content to tell.
        keys.chunk_by_mut(|a, b| a.bits() == b.bits()).filter(|run| run.len() > 1).find_map(|run| {
            run.sort_unstable_by(|a, b| content(bytes, *a, fold).cmp(&content(bytes, *b, fold)));
            run.windows(2).find_map(|pair| same(pair[0], pair[1], bytes, fold))
        })
    }
}

/// Whether `count` is [`CHECK_WHILE_GROWING`] times a power of [`GROWTH`].
fn is_due(count: usize) -> bool {
    let exponent = (count / CHECK_WHILE_GROWING).trailing_zeros();
    count.is_power_of_two() && exponent.is_multiple_of(GROWTH.trailing_zeros())
}

/// Length, first, middle and last byte: enough to tell most keys of one object apart.
#[inline(always)]
fn mark(content: &[u8]) -> u32 {
    let (Some(first), Some(last)) = (content.first(), content.last()) else {
        return 0;
    };
    let middle = content[content.len() / 2];
    let [length, ..] = content.len().to_le_bytes();
    u32::from_le_bytes([length, *first, middle, *last])
}

/// A keyed multiply-and-fold over 8 bytes at a time.
fn hash(content: &[u8], seed: u64) -> u32 {
    let mut state = seed ^ content.len() as u64;
    for chunk in content.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = fold_multiply(state ^ u64::from_le_bytes(word), seed.rotate_left(32) | 1);
    }
    (state >> 32) as u32
}

fn fold_multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

fn pairs(keys: &[Key], bytes: &[u8], fold: bool) -> Option<Twice> {
    keys.iter().enumerate().find_map(|(n, a)| {
        keys[n + 1..].iter().filter(|b| b.bits() == a.bits()).find_map(|b| same(*a, *b, bytes, fold))
    })
}

fn same(a: Key, b: Key, bytes: &[u8], fold: bool) -> Option<Twice> {
    if content(bytes, a, fold) != content(bytes, b, fold) {
        return None;
    }
    let exactly = content(bytes, a, false) == content(bytes, b, false);
    Some(Twice { at: a.at().max(b.at()) as usize - 1, exactly })
}

/// What is compared of a key. Its end is found again, which only large objects and look-alikes cost.
fn content(bytes: &[u8], key: Key, fold: bool) -> Cow<'_, [u8]> {
    let from = key.at() as usize;
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
            let content = if fold { text::folded(&content).into_owned() } else { content };
            if list.push(0, at, &content) == Grown::Large {
                list.rehash(0, &bytes, fold);
            }
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
    fn keys_that_look_alike_are_told_apart() {
        let names: Vec<String> = (0..3000).map(|n| format!("a{n:05}mm{n:05}z")).collect();
        let mut keys: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(mark(keys[0].as_bytes()), mark(keys[1].as_bytes()));
        assert_eq!(find(&keys[..PAIRS], false), None);
        assert_eq!(find(&keys, false), None);
        keys.push(&names[1234]);
        assert!(find(&keys, false).unwrap().exactly);
        assert!(find(&[keys[0], keys[1], keys[0]], false).is_some());
    }

    #[test]
    fn checks_while_growing_are_few() {
        let due: Vec<usize> = (CHECK_WHILE_GROWING..600_000).filter(|n| is_due(*n)).collect();
        assert_eq!(due, [1024, 8192, 65536, 524_288]);
    }
}
