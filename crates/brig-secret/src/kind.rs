//! What kinds of credentials there are, and where one stands in a text.

use std::fmt;
use std::ops::Range;

/// What kind of credential a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It begins as the credentials of one issuer do.
    Shaped {
        /// Who issues them.
        issuer: &'static str,
        /// What follows the beginning.
        body: Body,
    },
    /// A private key in PEM form.
    PrivateKey,
    /// A URL with a password, or with a token in its place.
    Url,
    /// `name=value` or `"name": "value"` in a longer text, with a name that says secret.
    Pair,
    /// An AWS secret access key, which only its name and length tell.
    AwsSecret,
    /// The variable's name says secret, and its value is random enough, or a password.
    Named,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shaped { issuer, .. } => write!(f, "a credential of the kind {issuer}"),
            Self::PrivateKey => f.write_str("a private key"),
            Self::Url => f.write_str("a URL with a password"),
            Self::Pair => f.write_str("a text with a password or key in it"),
            Self::AwsSecret => f.write_str("an AWS secret access key"),
            Self::Named => f.write_str("a secret, by the name of its variable"),
        }
    }
}

/// What the body of a credential is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Letters and digits.
    Alnum,
    /// Capital letters and digits.
    Upper,
    /// Hexadecimal digits, and `-` between groups.
    Hex,
    /// Letters, digits, `_` and `-`: base64 for URLs.
    Base64Url,
    /// The same and `.`.
    Dotted,
    /// The same with `/`, `+` and `=`: base64, and paths.
    Base64,
    /// Three to five parts of base64 for URLs with a `.` between each.
    Jwt,
}

/// A part of a value that is secret, or a placeholder for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub kind: Kind,
    /// Where it begins, with what is kept.
    pub start: usize,
    /// What has to be replaced.
    pub secret: Range<usize>,
    /// Whether it was replaced already.
    pub filler: bool,
}
