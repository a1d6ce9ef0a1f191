//! Worthless random words that stand in for secrets.

use super::DemoError;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random characters in a token: 178 bits, never met by chance.
const LENGTH: usize = 30;
/// So much of a token in an answer proves that it was reached: 71 bits are no chance either, and a
/// server that cuts its answer has given it away all the same.
const PROOF: usize = 12;

/// One token.
#[derive(Debug, Clone)]
pub(super) struct Token(String);

impl Token {
    /// A new one.
    pub(super) fn random() -> Result<Self, DemoError> {
        let mut text = String::with_capacity(LENGTH);
        let mut bytes = [0; 64];
        while text.len() < LENGTH {
            getrandom::fill(&mut bytes).map_err(DemoError::Random)?;
            // Bytes past the largest multiple of 62 would make the first letters likelier.
            let fair = bytes.iter().filter(|byte| **byte < 248);
            text.extend(fair.take(LENGTH - text.len()).map(|byte| char::from(DIGITS[usize::from(byte % 62)])));
        }
        Ok(Self(text))
    }

    /// The token itself.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// In the shape of a GitHub token, whose last six characters are the CRC-32 of the others.
    pub(super) fn as_github(&self) -> String {
        let mut sum = crc32(self.0.as_bytes());
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(sum % 62) as usize];
            sum /= 62;
        }
        format!("ghp_{}{}", self.0, String::from_utf8_lossy(&digits))
    }

    /// Whether `bytes` hold the token or enough of it.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        let token = self.0.as_bytes();
        bytes.windows(PROOF).any(|part| token.windows(PROOF).any(|piece| piece == part))
    }
}

/// The CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_are_recognised_in_part() {
        let (a, b) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(a.text().len(), LENGTH);
        assert!(a.text().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let answer = format!("..{}..", &a.text()[3..3 + PROOF]);
        assert!(a.is_in(answer.as_bytes()));
        assert!(!b.is_in(answer.as_bytes()));
        assert!(!a.is_in(&a.text().as_bytes()[..PROOF - 1]));
        assert!(!a.is_in(b""));
    }

    #[test]
    fn the_github_shape_carries_its_checksum() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let token = Token("0".repeat(LENGTH));
        let shaped = token.as_github();
        assert_eq!(shaped.len(), 40);
        assert!(token.is_in(shaped.as_bytes()));
    }
}
