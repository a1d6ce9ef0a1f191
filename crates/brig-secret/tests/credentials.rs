//! What looks like a real credential and what does not, and what placeholders keep.
//!
//! Credentials are put together here from a beginning and made-up letters, so that no tool which
//! searches repositories for leaked ones finds any.

use brig_secret::{Body, Kind, SHAPES, Shape, fuzz_mask, looks_real, mask, placeholder};
use proptest::prelude::*;

/// `length` letters that look random and are always the same.
fn letters(alphabet: &[u8], length: usize) -> String {
    let mut state: u32 = 0x2545_f491;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        usize::try_from(state).unwrap_or(0)
    };
    (0..length).map(|_| char::from(alphabet[next() % alphabet.len()])).collect()
}

const HEX: &[u8] = b"0123456789abcdef";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn alphabet(body: Body) -> &'static [u8] {
    match body {
        Body::Hex => HEX,
        Body::Upper => UPPER,
        _ => ALNUM,
    }
}

fn body_of(shape: &Shape, length: usize) -> String {
    let mut body = letters(alphabet(shape.body), length);
    if shape.body == Body::Jwt {
        body.replace_range(8..9, ".");
        body.replace_range(16..17, ".");
    }
    body
}

fn alnum(length: usize) -> String {
    letters(ALNUM, length)
}

fn masked(name: &str, value: &str) -> String {
    let masked = mask(name, value).unwrap_or_else(|| panic!("{name}={value} was not flagged"));
    assert_eq!(masked.value.len(), value.len(), "{name}={value}");
    assert_eq!(looks_real(name, &masked.value), None, "{name}: {} is flagged", masked.value);
    assert_eq!(mask(name, &masked.value), None, "{name}: {}", masked.value);
    masked.value
}

#[test]
fn every_shape_is_known_by_its_beginning_whatever_the_name() {
    for shape in SHAPES {
        let (least, most) = shape.length;
        for length in [least, least.midpoint(most.min(300)), most.min(300)] {
            let secret = body_of(shape, length);
            let token = format!("{}{secret}", shape.prefix);
            for value in [
                token.clone(),
                format!("Bearer {token}"),
                format!("{{\"Authorization\": \"Bearer {token}\", \"x\": 1}}"),
                format!("--header=X-Key:{token}"),
            ] {
                let kind = looks_real("ANYTHING", &value);
                let issuer = match kind {
                    Some(Kind::Shaped { issuer, .. }) => issuer,
                    other => panic!("{value}: {other:?}"),
                };
                assert_eq!(issuer, shape.issuer, "{value}");
                let hidden = masked("ANYTHING", &value);
                assert!(!hidden.contains(&secret), "{hidden}");
                let kept = hidden.find(shape.prefix).expect("the beginning is kept");
                assert_eq!(value.find(shape.prefix), Some(kept), "{hidden}");
            }
        }
    }
}

#[test]
fn shapes_are_there_once_and_can_be_told_apart() {
    for (i, shape) in SHAPES.iter().enumerate() {
        assert!(!shape.issuer.is_empty() && shape.prefix.len() >= 2, "{shape:?}");
        assert!(shape.length.0 >= 16 && shape.length.0 <= shape.length.1, "{shape:?}");
        let again = SHAPES[i + 1..].iter().find(|other| other.prefix == shape.prefix);
        assert_eq!(again, None);
    }
}

#[test]
fn what_only_begins_like_a_credential_is_none() {
    for value in [
        "ghp_",
        "ghp_short",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-learn-model-selection-example",
        "xoxb-not-a-real-token-this-will-not-work",
        "eyJhbGciOiJIUzI1NiJ9",
        "AKIA",
        "SKU-12345678901234567890123456789012345",
        "npm_config_registry",
        "hf_hub_cache",
        "pattern.matching-is.not-a-token",
        "path_to_something",
    ] {
        assert_eq!(looks_real("VALUE", value), None, "{value}");
    }
    let inside = format!("x{}{}", "ghp_", alnum(36));
    assert_eq!(looks_real("VALUE", &inside), None, "the beginning is inside a word");
    let longer = format!("AKIA{}", letters(UPPER, 17));
    assert_eq!(looks_real("VALUE", &longer), None, "a longer word is no key of 20 letters");
}

#[test]
fn names_that_say_secret_and_random_values_are_flagged() {
    let aws = format!("{}/{}+", alnum(20), letters(ALNUM, 18));
    assert_eq!(looks_real("AWS_SECRET_ACCESS_KEY", &aws), Some(Kind::AwsSecret));
    assert_eq!(looks_real("SECRET_KEY", &format!("/{}", alnum(39))), Some(Kind::AwsSecret));
    for (name, value) in [
        ("API_KEY", alnum(20)),
        ("apiKey", alnum(12)),
        ("SERVICE_TOKEN", letters(HEX, 32)),
        ("HEROKU_API_KEY", "01234567-89ab-4cde-8f01-23456789abcd".to_owned()),
        ("TELEGRAM_BOT_TOKEN", format!("123456789:AA{}", alnum(33))),
        ("AUTH", format!("Basic {}=", alnum(23))),
        ("CLIENT_SECRET", format!("{}~{}", alnum(8), alnum(8))),
        ("CREDENTIALS", alnum(24)),
        ("DB_PASSWORD", "hunter2".to_owned()),
        ("DB_PASSWORD", "correct horse battery staple".to_owned()),
        ("PGPASSWORD", "Sommer2026!".to_owned()),
        ("MYSQL_PWD", "p@ss/w:rd".to_owned()),
        ("KEYSTORE_PASSPHRASE", "$2b$12$abcdefgh".to_owned()),
        ("PRIVATE_KEY", letters(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 40)),
    ] {
        assert_eq!(looks_real(name, &value), Some(Kind::Named), "{name}={value}");
        let hidden = masked(name, &value);
        let secret = value.strip_prefix("Basic ").unwrap_or(&value);
        assert!(!hidden.contains(secret));
        assert_eq!(value.starts_with("Basic "), hidden.starts_with("Basic "));
    }
}

/// Names and values of ordinary settings.
const ORDINARY: &str = "
    PATH=/usr/local/sbin:/usr/local/bin:/usr/bin
    HOME=/home/box
    PWD=/home/box/secret-project1
    OLDPWD=/home/box/secret-project1
    KEYBOARD=us-intl-altgr-1234567
    KEYBOARD_LAYOUT=de-nodeadkeys-1234
    XKB_DEFAULT_LAYOUT=us
    GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305
    PYTHON_SHA256=c08bc65a81971c1dd5783182826503369466c7e67374d1646519adf05207b684
    NODE_VERSION=24.1.0
    YARN_VERSION=1.22.22
    KEY_ID=01234567-89ab-4cde-8f01-23456789abcd
    CLIENT_ID=8f14e45fceea167a5a36dedd4bea2543
    AUTH_TENANT_ID=01234567-89ab-4cde-8f01-23456789abcd
    REQUEST_ID=01234567-89ab-4cde-8f01-23456789abcd
    IMAGE_DIGEST=sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    SIGNING_KEY=sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    COMMIT=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b
    TOKEN_FILE=/run/secrets/token-4f2a9c1b
    GITHUB_TOKEN_FILE=/run/secrets/gh
    SSH_AUTH_SOCK=/run/user/1000/keyring/ssh
    GOOGLE_APPLICATION_CREDENTIALS=/home/u/service-account-1a2b3c.json
    SSL_KEY=certs/server-1a2b3c4d5e.key
    TLS_KEY=./certs/server1.pem
    SSH_PUBLIC_KEY=AAAAC3NzaC1lZDI1NTE5AAAAIJxk9X2
    API_URL=https://api.example.com/v1/users?page=2
    TOKEN_URL=https://login.example.com/oauth2/v2.0/token
    AUTH_PROVIDER=google-oauth2-v2
    AUTH_METHOD=none
    TOKEN_TYPE=Bearer
    TOKEN_TTL=3600
    MAX_TOKENS=4096
    MAX_OUTPUT_TOKENS=128000
    TOKENIZERS_PARALLELISM=false
    TOKENIZER=cl100k_base
    SECRET=true
    USE_AUTH=yes
    API_KEY=
    API_KEY=your-api-key-here
    API_KEY=YOUR_API_KEY_12345678
    API_KEY=<insert-key-1234567890>
    API_KEY=${OPENAI_API_KEY_1}
    API_KEY=$OPENAI_API_KEY
    API_KEY={{secrets.KEY1234}}
    API_KEY=op://vault/item1/field2
    API_KEY=xxxxxxxxxxxxxxxxxxxx1234
    API_KEY=changeme-123456789
    API_KEY_NAME=my-service-key-7f3a9c2b
    SORT_KEY=created_at
    PRIMARY_KEY=user_profile_id
    CACHE_KEY=my-service-cache-v2
    PARTITION_KEY=tenant-2026-11-22
    SECRET_ARN=arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-Ab12Cd
    SECRET_NAME=prod/db/main-7f3a9c2b
    PASSWORD=postgres
    PASSWORD=changeme
    PASSWORD=${DB_PASSWORD}
    PASSWORD_MIN_LENGTH=12
    PASSWORD_POLICY=strong-2026
    PASS=ok
    USER=alice@example.com
    AUTH_USER=alice@example.com
    COOKIE=none
    MODEL=claude-sonnet-4-5-20250929
    LS_COLORS=rs=0:di=01;34:ln=01;36
    DATE_KEY=2026-11-22T08:15:00Z
    AUTHOR=Jane4Doe5Smith6
    MONKEY=aB3dE5fG7hI9jK1l
    DATABASE_URL=postgres://localhost:5432/app
    DATABASE_URL=postgres://app@localhost:5432/app
    DATABASE_URL=postgres://app:${DB_PASSWORD}@localhost/app
    REDIS_URL=redis://cache:6379/0
    URL=http://host:8080/path@version
    URL=http://[::1]:8080/a@b
    TZ=Europe/Berlin
    LANG=C.UTF-8
";

#[test]
fn ordinary_settings_are_left_alone() {
    let lines: Vec<&str> = ORDINARY.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 60);
    for line in lines {
        let (name, value) = line.split_once('=').unwrap();
        assert_eq!(looks_real(name, value), None, "{line}");
        assert_eq!(mask(name, value), None);
    }
}

#[test]
fn passwords_in_urls_are_replaced_within_the_url() {
    for (url, password) in [
        ("postgres://app:S3cret@db.internal:5432/app?sslmode=require", "S3cret"),
        ("redis://:abc@cache:6379/0", "abc"),
        ("mongodb+srv://u:p%40ss@c0.example.net/?w=1", "p%40ss"),
        ("amqp://u:a@b@host", "a@b"),
        ("postgres://u:pa/ss@host/db", "pa/ss"),
        ("postgres://u:pa#s?s@host/db", "pa#s?s"),
        ("see http://u:secret1@a.b, and more", "secret1"),
        ("'https://u:secret1@a.b'", "secret1"),
    ] {
        assert_eq!(looks_real("X", url), Some(Kind::Url), "{url}");
        let hidden = masked("X", url);
        let at = url.rfind(password).unwrap();
        assert!(!hidden.contains(&format!(":{password}@")), "{hidden}");
        assert_eq!(hidden[..at], url[..at], "what stands before is kept");
        assert_eq!(hidden[at + password.len()..], url[at + password.len()..]);
    }
    let token = alnum(24);
    let hidden = masked("REMOTE", &format!("https://{token}@git.example.com/a.git"));
    assert!(hidden.ends_with("@git.example.com/a.git") && !hidden.contains(&token));
    let two = masked("X", "a://u:one1@h b://u:two2@h");
    assert!(!two.contains("one1") && !two.contains("two2"), "{two}");
}

#[test]
fn secrets_with_a_name_inside_a_text_are_replaced_there() {
    let key = alnum(32);
    for (text, secret) in [
        ("host=db user=app password=hunter2 port=5432".to_owned(), "hunter2"),
        ("Server=db;User Id=app;Password=hunter2;Encrypt=true".to_owned(), "hunter2"),
        (format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key}=="), &*key),
        (format!("https://api.example.com/v1?page=2&api_key={key}&x=1"), &*key),
        (format!("{{\"api_key\":\"{key}\",\"region\":\"eu\"}}"), &*key),
        (format!("{{\\\"token\\\": \\\"{key}\\\"}}"), &*key),
        (format!("Authorization: Bearer {key}"), &*key),
        (format!("--api-key={key} --verbose"), &*key),
    ] {
        assert_eq!(looks_real("OPTIONS", &text), Some(Kind::Pair), "{text}");
        let hidden = masked("OPTIONS", &text);
        assert!(!hidden.contains(secret), "{hidden}");
        let kept = |s: &str| s.chars().filter(|c| !c.is_alphanumeric()).collect::<String>();
        assert!(kept(&hidden).starts_with(&kept(&text[..text.find(secret).unwrap()])));
    }
}

#[test]
fn long_secrets_in_a_text_are_replaced_to_their_end() {
    let long = alnum(5000);
    let hidden = masked("X", &format!("token={long}&x=1"));
    assert!(hidden.ends_with("&x=1") && !hidden.contains(&long[4900..]), "{hidden}");
    // A placeholder with a real tail is no placeholder.
    let tail = format!("token={}{long}", "BRIGPLACEHOLDER".repeat(60));
    assert!(!masked("X", &tail).contains(&long[4900..]));
}

#[test]
fn private_keys_keep_their_looks() {
    let line = alnum(64);
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
        for end in ["\n", "\\n", "\r\n"] {
            let pem = format!("-----BEGIN {label}-----{end}{line}{end}{line}{end}-----END {label}-----{end}");
            assert_eq!(looks_real("X", &pem), Some(Kind::PrivateKey), "{pem}");
            let hidden = masked("X", &pem);
            assert!(!hidden.contains(&line));
            assert!(hidden.starts_with(&format!("-----BEGIN {label}-----{end}BRIGPLACEHOLDER")));
            assert!(hidden.ends_with(&format!("{end}-----END {label}-----{end}")));
        }
    }
    let cut = format!("-----BEGIN PRIVATE KEY-----\n{line}");
    assert!(!masked("X", &cut).contains(&line), "one that is cut off is replaced to the end");
    let json = format!(
        "{{\"type\":\"service_account\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\n{line}\\n-----END PRIVATE KEY-----\\n\",\"client_id\":\"1\"}}"
    );
    let hidden = masked("GOOGLE_CREDENTIALS", &json);
    assert!(!hidden.contains(&line) && hidden.ends_with("\",\"client_id\":\"1\"}"), "{hidden}");
    let public = format!("-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----");
    assert_eq!(looks_real("X", &public), None);
    assert_eq!(looks_real("X", &public.replace("PUBLIC KEY", "CERTIFICATE")), None);
}

#[test]
fn placeholders_keep_what_format_checks_look_at() {
    assert_eq!(
        masked("GITHUB_PERSONAL_ACCESS_TOKEN", &format!("ghp_{}", alnum(36))),
        "ghp_BRIGPLACEHOLDERBRIGPLACEHOLDERBRIGPL"
    );
    assert_eq!(masked("KEY", "01234567-89ab-4cde-8f01-23456789abcd"), "00000000-0000-0000-0000-000000000000");
    assert_eq!(masked("KEY", &letters(HEX, 32)), "0".repeat(32));
    assert_eq!(masked("KEY", &format!("shpat_{}", letters(HEX, 32))), format!("shpat_{}", "0".repeat(32)));
    assert_eq!(masked("ID", &format!("AKIA{}", letters(UPPER, 16))), "AKIABRIGPLACEHOLDERB");
    let jwt = masked("T", &format!("eyJ{}.eyJ{}.{}", alnum(20), alnum(20), alnum(20)));
    assert!(jwt.starts_with("eyJBRIG") && jwt.matches('.').count() == 2, "{jwt}");
    let headers = format!("{{\"Authorization\":\"Bearer ntn_{}\",\"Notion-Version\":\"2022-06-28\"}}", alnum(46));
    let hidden = masked("OPENAPI_MCP_HEADERS", &headers);
    assert!(hidden.starts_with("{\"Authorization\":\"Bearer ntn_BRIG"), "{hidden}");
    assert!(hidden.ends_with("\",\"Notion-Version\":\"2022-06-28\"}"), "{hidden}");
}

#[test]
fn what_is_left_beside_a_shape_is_not_forgotten() {
    let value = format!("{}:ghp_{}", alnum(24), alnum(36));
    let hidden = masked("TOKENS", &value);
    assert!(!hidden.contains(&alnum(24)), "{hidden}");
    // A placeholder does not vouch for what follows it.
    let value = format!("key=shpat_{}/{}", "0".repeat(32), alnum(60));
    assert!(!masked("X", &value).contains(&alnum(60)));
    let value = format!("ghp_{}", alnum(36));
    assert!(masked("DB_PASSWORD", &value).starts_with("ghp_BRIG"));
}

#[test]
fn letters_of_any_script_are_replaced_byte_by_byte() {
    let hidden = masked("PASSWORD", "Пароль-üß-密码");
    assert!(hidden.is_ascii());
    masked("X", "postgres://ü:pässwörd@höst/");
    masked("X", "password=密码密码; x=ü");
}

/// Linear time: each of these made an earlier form of the search look at everything again and again.
#[test]
fn hostile_values_take_no_longer() {
    let begun = std::time::Instant::now();
    for unit in [
        "://",
        "a://u:",
        "token=",
        "-----BEGIN ",
        "eyJ",
        "eyJ-",
        "sk-",
        "key: ",
        "\"key\":\"",
        "=",
        "-----BEGIN PRIVATE KEY-----",
        "ATATT3-",
        " ",
        "A",
    ] {
        let value = unit.repeat(64 * 1024 / unit.len());
        let _ = mask("API_KEY", &value);
    }
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

#[test]
fn a_kind_is_told_without_a_part_of_the_value() {
    let value = format!("ghp_{}", alnum(36));
    let kind = looks_real("X", &value).unwrap();
    assert!(kind.to_string().contains("GitHub"));
    assert!(!format!("{kind} {kind:?}").contains(&alnum(36)));
}

proptest! {
    #[test]
    fn any_shape_and_body_is_hidden(i in 0..SHAPES.len(), extra in 0usize..40, salt in "[A-Za-z0-9]{4}") {
        let shape = &SHAPES[i];
        let length = (shape.length.0 + extra).min(shape.length.1);
        let mut body = body_of(shape, length);
        if shape.body != Body::Hex && shape.body != Body::Upper {
            body.replace_range(0..4, &salt);
        }
        let value = format!("{}{body}", shape.prefix);
        let hidden = masked("ANY", &value);
        prop_assert!(!hidden.contains(&body));
        prop_assert!(hidden.starts_with(shape.prefix));
    }

    #[test]
    fn any_value_is_masked_for_good(
        name in "(API_KEY|TOKEN|PASSWORD|X|GITHUB_TOKEN|AUTH|[A-Za-z_]{0,12})",
        value in "([ -~]{0,60}|(token=|key: |ghp_|sk-|://|u:|@|eyJ|[A-Za-z0-9+/=._-]{1,40}|\"|;| |-----BEGIN PRIVATE KEY-----|\\PC){0,12})",
    ) {
        fuzz_mask(format!("{name}\n{value}").as_bytes());
        if let Some(kind) = looks_real(&name, &value) {
            let once = placeholder(kind, &value);
            prop_assert_eq!(once.len(), value.len());
            prop_assert_eq!(placeholder(kind, &once), once.clone(), "a second pass changes nothing");
        }
    }

    #[test]
    fn a_secret_by_name_leaves_no_four_letters(value in "[a-z0-9]{8}[A-Z]{4}[a-z0-9]{8}") {
        if let Some(found) = mask("SOME_TOKEN", &value) {
            for window in value.as_bytes().windows(4) {
                let window = std::str::from_utf8(window).unwrap();
                prop_assert!(!found.value.contains(window) || "BRIGPLACEHOLDERBRIG".contains(window));
            }
        }
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_mask(&data);
    }
}
