//! Sizes, numbers and truths, spelt as Docker's client takes them. Arithmetic is exact.

use crate::limits::{MILLI_CPUS_LEAST, SIZE_MOST};

/// Why something is no number, or none that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotANumber {
    /// It is not spelt like one.
    #[error("not spelt like a number")]
    Spelling,
    /// It is zero, less, or `unlimited`: the absence of a limit.
    #[error("asks for no limit at all")]
    Unlimited,
    /// It is below what works.
    #[error("too small")]
    TooSmall,
    /// It is above what can be held.
    #[error("too large")]
    TooLarge,
}

/// A truth, as Go's `strconv.ParseBool` takes it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Bytes, as Docker's units: `512m`, `1.5g`, `64 MiB`, `1048576`; powers of 1024, part bytes dropped.
pub(super) fn bytes(text: &str) -> Result<u64, NotANumber> {
    if text.starts_with('-') {
        return Err(unlimited_or_misspelt(text));
    }
    let end = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let shift = shift_of(unit).ok_or(NotANumber::Spelling)?;
    let size = scaled(number, 1u128 << shift)?;
    let size = u64::try_from(size).map_err(|_| NotANumber::TooLarge)?;
    match size {
        0 => Err(NotANumber::Unlimited),
        size if size > SIZE_MOST => Err(NotANumber::TooLarge),
        size => Ok(size),
    }
}

/// Thousandths of a processor: `1.5` is 1500.
pub(super) fn milli_cpus(text: &str) -> Result<u32, NotANumber> {
    if text.starts_with('-') {
        return Err(unlimited_or_misspelt(text));
    }
    let milli = scaled(text, 1000)?;
    at_least_one_hundredth(u64::try_from(milli).map_err(|_| NotANumber::TooLarge)?)
}

/// Thousandths of a processor, of a quota in each period.
pub(super) fn quota(quota: u64, period: u64) -> Result<u32, NotANumber> {
    let milli = u128::from(quota) * 1000 / u128::from(period.max(1));
    at_least_one_hundredth(u64::try_from(milli).map_err(|_| NotANumber::TooLarge)?)
}

fn at_least_one_hundredth(milli: u64) -> Result<u32, NotANumber> {
    match u32::try_from(milli).map_err(|_| NotANumber::TooLarge)? {
        0 => Err(NotANumber::Unlimited),
        milli if milli < MILLI_CPUS_LEAST => Err(NotANumber::TooSmall),
        milli => Ok(milli),
    }
}

/// A whole number above zero.
pub(super) fn count(text: &str) -> Result<u64, NotANumber> {
    if text.starts_with('-') || text == "unlimited" {
        return Err(unlimited_or_misspelt(text));
    }
    match whole(text)? {
        0 => Err(NotANumber::Unlimited),
        n => Ok(n),
    }
}

/// A whole number, zero included.
pub(super) fn whole(text: &str) -> Result<u64, NotANumber> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotANumber::Spelling);
    }
    text.parse().map_err(|_| NotANumber::TooLarge)
}

/// Permission bits, in octal.
pub(super) fn octal(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits { u32::from_str_radix(text, 8).ok() } else { None }
}

/// `-1` and the like ask for no limit; `-x` asks for nothing.
fn unlimited_or_misspelt(text: &str) -> NotANumber {
    let rest = text.strip_prefix('-').unwrap_or(text);
    if text == "unlimited" || rest.starts_with(|c: char| c.is_ascii_digit()) {
        NotANumber::Unlimited
    } else {
        NotANumber::Spelling
    }
}

/// `12.34` times `factor`, rounded down.
fn scaled(number: &str, factor: u128) -> Result<u128, NotANumber> {
    let (int, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if int.len() + fraction.len() == 0 || !digits(int) || !digits(fraction) {
        return Err(NotANumber::Spelling);
    }
    let whole: u128 = if int.is_empty() { 0 } else { parsed(int)? };
    let whole = whole.checked_mul(factor).ok_or(NotANumber::TooLarge)?;
    // 18 digits times 2^50 stay within 128 bits; what follows is less than a byte.
    let fraction = fraction.get(..18).unwrap_or(fraction);
    let part = match fraction {
        "" => 0,
        digits => parsed(digits)? * factor / 10u128.pow(u32::try_from(digits.len()).unwrap_or(18)),
    };
    whole.checked_add(part).ok_or(NotANumber::TooLarge)
}

fn parsed(digits: &str) -> Result<u128, NotANumber> {
    digits.parse().map_err(|_| NotANumber::TooLarge)
}

/// The power of two that a unit means: none, `b`, `k`, `kb`, `kib` and so on up to `p`.
fn shift_of(unit: &str) -> Option<u32> {
    let unit = unit.to_ascii_lowercase();
    let mut letters = unit.chars();
    let shift = match letters.next() {
        None => return Some(0),
        Some('b') => return letters.next().is_none().then_some(0),
        Some('k') => 10,
        Some('m') => 20,
        Some('g') => 30,
        Some('t') => 40,
        Some('p') => 50,
        Some(_) => return None,
    };
    matches!(letters.as_str(), "" | "b" | "ib").then_some(shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, size) in [
            ("1", 1),
            ("1b", 1),
            ("1B", 1),
            ("32k", 32 << 10),
            ("32K", 32 << 10),
            ("32kb", 32 << 10),
            ("32Kib", 32 << 10),
            ("32 kb", 32 << 10),
            ("512m", 512 << 20),
            ("1.5g", 3 << 29),
            ("0.5k", 512),
            (".5k", 512),
            ("5.k", 5 << 10),
            ("1.0001k", 1024),
            ("3t", 3 << 40),
            ("2p", 2 << 50),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_its_reason() {
        for text in ["", "k", ".", "1.2.3k", "1kk", "1bb", "1kig", "0x10", "1e3", " 1", "1  k", "m1", "-", "-x", "inf"]
        {
            assert_eq!(bytes(text), Err(NotANumber::Spelling), "{text}");
        }
        for text in ["0", "0g", "0.0", "-1", "-1g", "0.1"] {
            assert_eq!(bytes(text), Err(NotANumber::Unlimited), "{text}");
        }
        for text in ["9000p", "9223372036854775808", "99999999999999999999999999999999999999999999p"] {
            assert_eq!(bytes(text), Err(NotANumber::TooLarge), "{text}");
        }
    }

    #[test]
    fn processors_are_counted_in_thousandths() {
        for (text, milli) in [("1", 1000), ("1.5", 1500), (".25", 250), ("0.01", 10), ("2.0009", 2000)] {
            assert_eq!(milli_cpus(text), Ok(milli), "{text}");
        }
        assert_eq!(milli_cpus("0"), Err(NotANumber::Unlimited));
        assert_eq!(milli_cpus("-1"), Err(NotANumber::Unlimited));
        assert_eq!(milli_cpus("0.009"), Err(NotANumber::TooSmall));
        assert_eq!(milli_cpus("1e9"), Err(NotANumber::Spelling));
        assert_eq!(milli_cpus("9999999999"), Err(NotANumber::TooLarge));
        assert_eq!(quota(50_000, 100_000), Ok(500));
        assert_eq!(quota(1, 0), Ok(1000));
    }

    #[test]
    fn truths_are_gos() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(truth(text), Some(true));
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(truth(text), Some(false));
        }
        for text in ["", "yes", "no", "tRUE", "2", " true"] {
            assert_eq!(truth(text), None);
        }
    }

    proptest! {
        #[test]
        fn whole_sizes_are_exact(n in 1u64..1 << 20, unit in 0usize..6) {
            let text = format!("{n}{}", ["", "k", "MB", "gib", "T", "p"][unit]);
            let exact = u128::from(n) << (10 * unit);
            let wanted = u64::try_from(exact).ok().filter(|size| *size <= SIZE_MOST);
            prop_assert_eq!(bytes(&text).ok(), wanted);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (bytes(&text), milli_cpus(&text), count(&text), octal(&text), truth(&text));
        }
    }
}
