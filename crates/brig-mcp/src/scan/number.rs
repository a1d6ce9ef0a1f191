//! JSON numbers: their grammar, and the ones that programs read differently.

/// Digits that a number may have, exponent apart, before its size has to be computed.
const SURELY_SMALL: usize = 300;

/// What a number turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// Well formed, ending before this byte.
    Fine(usize),
    /// Well formed, but infinite or nearly so in double precision, where some readers say
    /// infinity, some null and some refuse.
    Huge(usize),
    /// Not a number of JSON's.
    Broken,
}

/// Reads the number that begins at `from` (RFC 8259 section 6).
#[inline(always)]
pub(super) fn read(bytes: &[u8], from: usize) -> Number {
    // Most numbers are small and whole.
    if let Some(b'1'..=b'9') = bytes.get(from) {
        let end = digits(bytes, from);
        if end - from < SURELY_SMALL && !matches!(bytes.get(end), Some(b'.' | b'e' | b'E')) {
            return Number::Fine(end);
        }
    }
    read_any(bytes, from)
}

#[inline(never)]
fn read_any(bytes: &[u8], from: usize) -> Number {
    let unsigned = from + usize::from(bytes.get(from) == Some(&b'-'));
    let mut at = digits(bytes, unsigned);
    let leading_zero = bytes.get(unsigned) == Some(&b'0') && at > unsigned + 1;
    if at == unsigned || leading_zero {
        return Number::Broken;
    }
    let mut small = at - unsigned < SURELY_SMALL;
    if bytes.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(bytes, fraction);
        if at == fraction {
            return Number::Broken;
        }
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let signed = at + 1;
        let exponent = signed + usize::from(matches!(bytes.get(signed), Some(b'+' | b'-')));
        at = digits(bytes, exponent);
        if at == exponent {
            return Number::Broken;
        }
        small = false;
    }
    if small || is_small(&bytes[from..at]) { Number::Fine(at) } else { Number::Huge(at) }
}

fn digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The margin below the largest double (1.8e308) is for readers that round on their way there.
fn is_small(number: &[u8]) -> bool {
    std::str::from_utf8(number).ok().and_then(|text| text.parse::<f64>().ok()).is_some_and(|value| value.abs() < 1e308)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for fine in ["0", "-0", "12", "1.5", "1e5", "1E+5", "1e-999", "0.0e0", "-1.25e-3", "9007199254740993"] {
            assert_eq!(read(fine.as_bytes(), 0), Number::Fine(fine.len()), "{fine}");
        }
        for broken in ["-", "01", "-01", "1.", "1.e5", "1e", "1e+", "+1", ".5", ""] {
            assert_eq!(read(broken.as_bytes(), 0), Number::Broken, "{broken}");
        }
        for huge in ["1e400", "-1e309", "1e99999999999", "12e308"] {
            assert_eq!(read(huge.as_bytes(), 0), Number::Huge(huge.len()), "{huge}");
        }
        let (fits, too_many) = ("1".repeat(308), "1".repeat(400));
        assert_eq!(read(fits.as_bytes(), 0), Number::Fine(308));
        assert_eq!(read(too_many.as_bytes(), 0), Number::Huge(400));
    }
}
