//! Names that need care inside a grant, and names that do not.

use super::*;

fn secret(path: &str) -> Option<&'static Rule> {
    at(path).secret
}

fn host_run(path: &str) -> Option<&'static Rule> {
    at(path).host_run
}

/// Looks at the last component of a path as a walk would.
fn at(path: &str) -> Look {
    let mut place = Place::Ordinary;
    let mut parent: &[u8] = b"";
    let mut found = Look::default();
    for name in path.split('/').map(str::as_bytes) {
        found = look(place, parent, name);
        place = place.below(name);
        parent = name;
    }
    found
}

#[test]
fn secrets_are_found_in_any_case_at_any_depth() {
    for path in [
        ".env",
        "a/b/.env",
        ".ENV",
        ".Env.Production",
        ".env.local",
        "prod.env",
        "x/ID_RSA",
        "id_ed25519_work",
        ".Npmrc",
        ".aws",
        ".SSH",
        "a/.docker/Config.json",
        "x.P12",
        "c.jks",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "a.TFVARS",
        ".git-credentials",
        ".envrc",
        "sub/.cargo/credentials.toml",
        "KubeConfig",
        ".netrc",
        "_netrc",
        ".pypirc",
    ] {
        let rule = secret(path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(rule.proof, Proof::Name, "{path}");
    }
}

#[test]
fn examples_and_look_alikes_are_shown() {
    for path in [
        ".env.example",
        ".env.SAMPLE",
        ".env.template",
        ".env.dist",
        "id_rsa.pub",
        "environment",
        "config.json",
        "docs/config.json",
        "key",
        "pem",
        "tfstate",
        "notes.envelope",
        "keys.md",
        "credentials.toml",
        "src/env.rs",
    ] {
        assert_eq!(secret(path), None, "{path}");
    }
}

#[test]
fn undecided_names_ask_for_the_content() {
    assert_eq!(secret("cacert.pem").map(|rule| rule.proof), Some(Proof::PrivateKey));
    assert_eq!(secret("a/server.KEY").map(|rule| rule.proof), Some(Proof::PrivateKey));
    assert_eq!(secret("service-account-prod.json").map(|rule| rule.proof), Some(Proof::JsonSecret));
    assert_eq!(secret(".git/config").map(|rule| rule.proof), Some(Proof::UrlPassword));
}

#[test]
fn what_the_host_runs_is_found() {
    for path in [
        ".git",
        "sub/.git",
        ".GIT",
        ".git/config",
        ".git/config.worktree",
        ".git/hooks",
        ".git/info",
        ".git/commondir",
        ".git/worktrees",
        ".git/modules/a/config",
        ".git/modules/libs/deep/name/hooks",
        ".git/modules/a/modules/b/config",
        ".vscode",
        ".idea",
        "x/.envrc",
        ".husky",
        ".mcp.json",
        ".cursor",
        ".claude",
        ".devcontainer",
        ".devcontainer.json",
        "brig.toml",
        "BRIG.TOML",
        ".npmrc",
        ".yarnrc.yml",
        ".github/workflows",
        "a.code-workspace",
        ".cargo/config.toml",
        ".hg/hgrc",
    ] {
        assert!(host_run(path).is_some(), "{path}");
    }
}

#[test]
fn ordinary_work_stays_writable() {
    for path in [
        "Makefile",
        "package.json",
        "src/main.rs",
        ".gitignore",
        ".gitattributes",
        "CLAUDE.md",
        "README.md",
        ".git/HEAD",
        ".git/index",
        ".git/objects",
        ".git/refs/heads/config",
        ".git/refs/heads/hooks",
        ".git/logs/refs/heads/info",
        ".git/objects/info",
        ".git/modules/a/objects/info",
        "config",
        "hooks",
        "info",
        "docs/config.toml",
        ".github/ISSUE_TEMPLATE",
    ] {
        assert_eq!(host_run(path), None, "{path}");
    }
}

#[test]
fn keys_are_told_from_certificates() {
    let judge = |bytes: &[u8]| Proof::PrivateKey.judge(bytes, true);
    let certificate = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let key = b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(judge(certificate), Judgement::Harmless);
    assert_eq!(judge(key), Judgement::Secret);
    assert_eq!(judge(&[&certificate[..], key].concat()), Judgement::Secret);
    assert_eq!(judge(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"), Judgement::Secret);
    assert_eq!(judge(b"-----BEGIN PUBLIC KEY-----\n"), Judgement::Harmless);
    assert_eq!(judge(b"\x30\x82\x04\xbd\x02\x01\x00"), Judgement::Secret);
    assert_eq!(judge(b"PK\x03\x04 a presentation"), Judgement::Harmless);
    assert_eq!(judge(b"\n"), Judgement::Harmless);
    assert_eq!(Proof::PrivateKey.judge(certificate, false), Judgement::Secret);
}

#[test]
fn logins_are_found_in_git_settings() {
    let judge = |text: &str| Proof::UrlPassword.judge(text.as_bytes(), true);
    for text in [
        "[remote \"o\"]\n\turl = https://u:p@host/x.git\n",
        "\turl = https://ghp_012345678901234567@host/x.git\n",
        "\textraheader = AUTHORIZATION: basic eDp5\n",
        "\turl = \"https://u:p@host/x\"\n",
    ] {
        assert_eq!(judge(text), Judgement::Secret, "{text}");
    }
    for text in [
        "[core]\n\tbare = false\n",
        "\turl = https://host/u@v/x.git\n",
        "\turl = git@host:x.git\n",
        "\turl = https://someone@host/x.git\n",
        "\turl = ssh://git@host/x.git\n",
        "\turl = ssh://me@host/x.git\n",
    ] {
        assert_eq!(judge(text), Judgement::Harmless, "{text}");
    }
}

#[test]
fn json_is_judged_by_its_keys() {
    let judge = |text: &str| Proof::JsonSecret.judge(text.as_bytes(), true);
    assert_eq!(judge(r#"{"type":"service_account","private_key":"x"}"#), Judgement::Secret);
    assert_eq!(judge(r#"{"Client_Secret": "x"}"#), Judgement::Secret);
    assert_eq!(judge(r#"{"paths": ["a"]}"#), Judgement::Harmless);
}

#[test]
fn tables_are_in_lower_case_and_say_why() {
    for rule in SECRETS.iter().chain(HOST_RUN) {
        let names = match rule.name {
            Name::Is(name) | Name::Ends(name) => vec![name],
            Name::Starts(name, except) => [&[name], except].concat(),
            Name::In(folder, name) => vec![folder, name],
        };
        for name in names {
            assert_eq!(name, name.to_ascii_lowercase());
        }
        assert!(!rule.why.is_empty() && !rule.why.ends_with('.'), "{rule:?}");
    }
}

#[test]
fn a_name_longer_than_linux_allows_is_no_panic() {
    assert_eq!(look(Place::Ordinary, b"", &[b'a'; 4096]), Look::default());
    assert!(look(Place::Ordinary, b"", &[[b'a'; 251].as_slice(), b".p12"].concat()).secret.is_some());
}
