//! Random changes to an input, repeatable from a number.

/// A source of numbers that look random (xorshift64*): the same start gives the same numbers.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Any number but 0 starts a sequence of its own.
    #[must_use]
    pub const fn new(start: u64) -> Self {
        Self(if start == 0 { 1 } else { start })
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % end.max(1)
    }
}

/// The longest input: past it nothing new happens, and everything takes longer.
const LONGEST: usize = 1 << 16;
/// Bytes at which parsers turn.
const EDGES: &[u8] = b"\x00\x01\x7f\x80\xff\n\r\"\\{}[],:/=.- #%";

/// An input made from one seed by a few changes, with pieces of the others.
#[must_use]
pub fn input(seeds: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds.get(dice.below(seeds.len() + 1)).map_or_else(Vec::new, |it| it.to_vec());
    for _ in 0..=dice.below(8) {
        change(&mut bytes, seeds, dice);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[&[u8]], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let end = at + dice.below((bytes.len() - at).min(64) + 1);
    match dice.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = EDGES[dice.below(EDGES.len())],
        2 => bytes.insert(at, EDGES[dice.below(EDGES.len())]),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        5 => {
            // Deep nesting and long runs: one piece many times over.
            let piece = bytes[at..at + (end - at).min(4)].repeat(1 << dice.below(11));
            bytes.splice(at..at, piece);
        }
        6 => bytes.truncate(at),
        _ => {
            let other = seeds.get(dice.below(seeds.len())).copied().unwrap_or_default();
            let from = dice.below(other.len() + 1);
            let to = from + dice.below(other.len() - from + 1);
            bytes.splice(at..at, other[from..to].iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_start_gives_the_same_inputs_and_they_differ_from_one_another() {
        let make = |start| {
            let mut dice = Dice::new(start);
            (0..200).map(|_| input(&[b"abc", b"{\"x\":1}"], &mut dice)).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        let mut different = make(7);
        different.sort();
        different.dedup();
        assert!(different.len() > 100, "only {} differ", different.len());
    }
}
