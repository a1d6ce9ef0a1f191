//! What the name of a variable says about its value.

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// Nothing of a secret.
    Nothing,
    /// A token, a key or the like, which is random.
    Secret,
    /// A password, which people choose, so it need not be random.
    Password,
}

/// Names longer than this are no names of variables.
const NAME_LENGTH: usize = 256;

/// Last words that tell of something about a secret, not of the secret.
const ABOUT: &[&str] = &[
    "ALG",
    "ALGORITHM",
    "AUDIENCE",
    "CHECKSUM",
    "COUNT",
    "DAYS",
    "DIGEST",
    "DIR",
    "DISABLED",
    "DOMAIN",
    "ENABLED",
    "ENDPOINT",
    "EXPIRATION",
    "EXPIRES",
    "EXPIRY",
    "FILE",
    "FINGERPRINT",
    "FORMAT",
    "HASH",
    "HOST",
    "ID",
    "IDS",
    "INTERVAL",
    "ISSUER",
    "LAYOUT",
    "LEN",
    "LENGTH",
    "LIMIT",
    "MAX",
    "METHOD",
    "MIN",
    "MODE",
    "NAME",
    "NAMES",
    "PATH",
    "POLICY",
    "PORT",
    "PREFIX",
    "PROVIDER",
    "REALM",
    "REGION",
    "REQUIRED",
    "ROTATION",
    "SCOPE",
    "SCOPES",
    "SHA1",
    "SHA256",
    "SHA512",
    "SIZE",
    "SOCK",
    "SOCKET",
    "SUFFIX",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "USER",
    "USERNAME",
    "VERSION",
];
/// Words that say password.
const PASSWORD: &[&str] = &["PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PASSWORDS", "PW", "PWD"];
/// Words that say secret.
const SECRET: &[&str] = &[
    "APIKEY",
    "APITOKEN",
    "AUTH",
    "AUTHORIZATION",
    "BEARER",
    "COOKIE",
    "COOKIES",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "JWT",
    "KEY",
    "KEYS",
    "PAT",
    "SECRET",
    "SECRETS",
    "SIG",
    "SIGNATURE",
    "TOKEN",
    "TOKENS",
];
/// How a word ends that was written as one: `PGPASSWORD`, `githubtoken`. `KEY` alone would mean
/// every monkey and turkey.
const ENDINGS: &[(&str, Says)] = &[
    ("PASSWORD", Says::Password),
    ("PASSWD", Says::Password),
    ("PASSPHRASE", Says::Password),
    ("TOKEN", Says::Secret),
    ("SECRET", Says::Secret),
    ("APIKEY", Says::Secret),
    ("ACCESSKEY", Says::Secret),
    ("ACCOUNTKEY", Says::Secret),
    ("AUTHKEY", Says::Secret),
    ("PRIVATEKEY", Says::Secret),
    ("SECRETKEY", Says::Secret),
];

/// What a name says about the value.
pub(crate) fn says(name: &str) -> Says {
    let words = words(name);
    let Some(last) = words.last() else {
        return Says::Nothing;
    };
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    // The working folder; `MYSQL_PWD` has a word in front.
    let folder = words.len() == 1 && (last == "PWD" || last == "OLDPWD");
    let public = words.iter().any(|word| word == "PUBLIC" || word == "PUB");
    if is(ABOUT, last) || folder || public {
        return Says::Nothing;
    }
    if words.iter().any(|word| is(PASSWORD, word)) {
        return Says::Password;
    }
    if words.iter().any(|word| is(SECRET, word)) {
        return Says::Secret;
    }
    let ends = |end: &str| words.iter().any(|word| word.ends_with(end));
    ENDINGS.iter().find(|(end, _)| ends(end)).map_or(Says::Nothing, |(_, says)| *says)
}

/// Whether the name is of something of AWS, or how its tools call a secret key.
pub(crate) fn is_aws(name: &str) -> bool {
    let words = words(name);
    let has = |word: &str| words.iter().any(|w| w == word);
    has("AWS") || has("S3") || (has("SECRET") && has("KEY"))
}

/// Whether the value is the fingerprint of a public key: images set `GPG_KEY` to such.
pub(crate) fn is_fingerprint(name: &str, value: &str) -> bool {
    words(name).iter().any(|word| word == "GPG" || word == "PGP")
        && matches!(value.len(), 8 | 16 | 32 | 40 | 64)
        && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `GITHUB_TOKEN`, `github-token` and `githubToken` are GITHUB and TOKEN.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in name.chars().take(NAME_LENGTH) {
        let begins = lower && c.is_ascii_uppercase();
        if (begins || !c.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_uppercase());
        }
        lower = c.is_ascii_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (name, wanted) in [
            ("GITHUB_TOKEN", Says::Secret),
            ("githubToken", Says::Secret),
            ("github-token", Says::Secret),
            ("APIKEY", Says::Secret),
            ("MYAPIKEY", Says::Secret),
            ("KEY", Says::Secret),
            ("AUTH_HEADER", Says::Secret),
            ("PGPASSWORD", Says::Password),
            ("MYSQL_PWD", Says::Password),
            ("DB_PASS", Says::Password),
            ("PWD", Says::Nothing),
            ("OLDPWD", Says::Nothing),
            ("KEYBOARD", Says::Nothing),
            ("MONKEY", Says::Nothing),
            ("TOKENIZERS_PARALLELISM", Says::Nothing),
            ("SSH_PUBLIC_KEY", Says::Nothing),
            ("AWS_ACCESS_KEY_ID", Says::Nothing),
            ("SECRET_FILE", Says::Nothing),
            ("COMPASS", Says::Nothing),
            ("PATH", Says::Nothing),
            ("", Says::Nothing),
            ("___", Says::Nothing),
        ] {
            assert_eq!(says(name), wanted, "{name}");
        }
    }

    #[test]
    fn lists_are_sorted() {
        assert!(ABOUT.is_sorted() && PASSWORD.is_sorted() && SECRET.is_sorted());
    }
}
