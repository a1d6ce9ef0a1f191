//! Whether a text is random, as a key is, or plain, as words, numbers and paths are.

/// Shorter values are not called random: twelve letters can be guessed, and words have as many.
const RANDOM_LENGTH: usize = 12;
/// Shorter values are no passwords: `ok`, `on`, `1`.
const PASSWORD_LENGTH: usize = 4;
/// Bits a letter (Shannon), over the letters of the value itself. Twelve different letters have
/// 3.6, random hexadecimal digits about 3.5, a word of twelve about 2.9.
const BITS: f64 = 3.0;
/// A part between dashes that is longer than this is no word.
const WORD_LENGTH: usize = 14;
/// A part of a path that is longer than this is no name of a file.
const FILE_NAME_LENGTH: usize = 32;

/// Values that say nothing, compared without case.
const PLAIN: &[&str] =
    &["auto", "default", "disabled", "enabled", "false", "no", "none", "null", "off", "on", "true", "undefined", "yes"];
/// Passwords of examples and local databases: everybody knows them.
const WELL_KNOWN: &[&str] = &[
    "admin", "changeit", "changeme", "example", "guest", "pass", "passwd", "password", "postgres", "root", "secret",
    "test", "user",
];
/// What stands in documentation where a secret belongs.
const STAND_INS: &[&str] =
    &["changeme", "dummy", "example", "placeholder", "redacted", "replace", "your-", "your_", "xxxx"];
/// How digests and names of things begin.
const NO_SECRET: &[&str] =
    &["arn:", "env:", "file:", "md5:", "sha1-", "sha1:", "sha256-", "sha256:", "sha384-", "sha512-", "sha512:", "urn:"];
/// How files end that hold keys: then the value is the name of one.
const FILES: &[&str] =
    &[".cer", ".conf", ".crt", ".env", ".json", ".key", ".p12", ".pem", ".toml", ".txt", ".yaml", ".yml"];

/// Whether a value that should be a password is one.
pub(crate) fn is_password(value: &str) -> bool {
    let known = WELL_KNOWN.iter().any(|word| word.eq_ignore_ascii_case(value));
    value.len() >= PASSWORD_LENGTH && !known && !is_plain(value)
}

/// Whether a value that should be a token or key is random enough to be one.
pub(crate) fn is_random(value: &str) -> bool {
    value.len() >= RANDOM_LENGTH
        && !value.contains(|c: char| c.is_whitespace() || "{}()<>\"".contains(c))
        && !is_plain(value)
        && !is_words(value)
        && bits(value) >= BITS
}

/// Values that are no secret whatever the name says.
fn is_plain(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.is_empty()
        || PLAIN.contains(&lower.as_str())
        || STAND_INS.iter().any(|word| lower.contains(word))
        || NO_SECRET.iter().any(|start| lower.starts_with(start))
        || is_reference(value)
        || is_number(value)
        || is_path(value)
        || is_mail_address(value)
}

/// `${NAME}`, `$NAME`, `$(command)`, `{{ name }}`, `<name>`, `%NAME%`, and URLs, whose passwords
/// are found by themselves.
pub(crate) fn is_reference(value: &str) -> bool {
    let variable = |rest: &str| rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    ["${", "$(", "{{"].iter().any(|start| value.starts_with(start))
        || value.strip_prefix('$').is_some_and(variable)
        || (value.starts_with('<') && value.ends_with('>'))
        || (value.len() > 1 && value.starts_with('%') && value.ends_with('%'))
        || value.contains("://")
}

/// Numbers, dates, times, versions and addresses: hardly anything but digits.
fn is_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let others = value.len() - digits;
    value.bytes().all(|b| b.is_ascii_digit() || b" +-.,:_/eETZ%".contains(&b)) && digits >= others
}

fn is_path(value: &str) -> bool {
    let starts = ["/", "./", "../", "~/", "~\\"].iter().any(|start| value.starts_with(start))
        || (value.get(1..3) == Some(":\\") && value.starts_with(|c: char| c.is_ascii_alphabetic()));
    let lower = value.to_ascii_lowercase();
    let ends = FILES.iter().any(|end| lower.ends_with(end));
    let names = || value.split(['/', '\\']).all(|name| name.len() <= FILE_NAME_LENGTH);
    (starts || ends) && !value.contains(['+', '=']) && names()
}

fn is_mail_address(value: &str) -> bool {
    let letters = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
    let domain = |s: &str| {
        letters(s)
            && s.rsplit_once('.').is_some_and(|(_, top)| top.len() >= 2 && top.bytes().all(|b| b.is_ascii_lowercase()))
    };
    value.split_once('@').is_some_and(|(user, host)| letters(user) && domain(host))
}

/// Words and numbers with dashes, dots or underscores between, and words written as one.
pub(crate) fn is_words(value: &str) -> bool {
    let mut letters = 0;
    for part in value.split(['-', '_', '.', ',', ':', '/', '@']) {
        let alpha = part.bytes().all(|b| b.is_ascii_alphabetic());
        let digit = part.bytes().all(|b| b.is_ascii_digit());
        if !(alpha && part.len() <= WORD_LENGTH || digit || is_version(part)) {
            // A longer run of letters is one word, or some in camel case, when case hardly changes.
            if !alpha || changes(part) * 3 >= part.len() || part.len() > 3 * WORD_LENGTH {
                return false;
            }
        }
        letters += if alpha && changes(part) * 3 < part.len().max(1) { part.len() } else { 0 };
    }
    letters > 0
}

/// `v2`
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

/// How often case changes from one letter to the next.
fn changes(part: &str) -> usize {
    let bytes = part.as_bytes();
    bytes.windows(2).filter(|w| w[0].is_ascii_uppercase() != w[1].is_ascii_uppercase()).count()
}

/// Shannon's entropy of the bytes, in bits a byte.
fn bits(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
