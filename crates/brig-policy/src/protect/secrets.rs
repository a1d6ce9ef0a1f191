//! Names of files and folders that hold secrets, wherever they lie in a granted folder.

use super::{Name, Proof, Rule};

/// Examples that are meant to be read, and public halves.
const EXAMPLES: &[&str] = &[".example", ".sample", ".template", ".dist", ".defaults"];
const PUBLIC: &[&str] = &[".pub"];

/// Every name. Where two rules mean one name, the first of the more exact kind holds.
pub const SECRETS: &[Rule] = &[
    is(".env", "holds a program's secrets"),
    starts(".env.", EXAMPLES, "holds a program's secrets"),
    starts(".env-", EXAMPLES, "holds a program's secrets"),
    starts(".env_", EXAMPLES, "holds a program's secrets"),
    is(".envrc", "holds secrets of a shell"),
    ends(".env", "holds a program's secrets"),
    is(".flaskenv", "holds a program's secrets"),
    is(".dev.vars", "holds a worker's secrets"),
    is(".ssh", "holds SSH keys"),
    starts("id_rsa", PUBLIC, "is an SSH key"),
    starts("id_dsa", PUBLIC, "is an SSH key"),
    starts("id_ecdsa", PUBLIC, "is an SSH key"),
    starts("id_ed25519", PUBLIC, "is an SSH key"),
    is(".gnupg", "holds GnuPG keys"),
    proved(Name::Ends(".pem"), Proof::PrivateKey, "holds a private key"),
    proved(Name::Ends(".key"), Proof::PrivateKey, "holds a private key"),
    ends(".p12", "is a key store"),
    ends(".pfx", "is a key store"),
    ends(".p8", "is a private key"),
    ends(".jks", "is a key store"),
    ends(".bks", "is a key store"),
    ends(".keystore", "is a key store"),
    ends(".kdbx", "is a password store"),
    ends(".kdb", "is a password store"),
    ends(".ppk", "is an SSH key"),
    ends(".agekey", "is an age key"),
    is(".netrc", "holds logins"),
    is("_netrc", "holds logins"),
    is(".authinfo", "holds logins"),
    is(".authinfo.gpg", "holds logins"),
    is(".git-credentials", "holds Git logins"),
    is(".npmrc", "holds npm tokens"),
    is(".pypirc", "holds PyPI tokens"),
    proved(Name::Is(".yarnrc.yml"), Proof::RegistryToken, "holds a registry's token"),
    proved(Name::Is(".yarnrc"), Proof::RegistryToken, "holds a registry's token"),
    is("pip.conf", "may hold a package index's password"),
    within(".cargo", "credentials", "holds registry tokens"),
    within(".cargo", "credentials.toml", "holds registry tokens"),
    within(".gem", "credentials", "holds registry tokens"),
    within(".bundle", "config", "may hold registry tokens"),
    within(".m2", "settings.xml", "holds registry logins"),
    within(".m2", "settings-security.xml", "holds a master password"),
    within(".gradle", "gradle.properties", "holds registry logins"),
    proved(Name::Is("auth.json"), Proof::JsonSecret, "holds logins"),
    proved(Name::In("config", "database.yml"), Proof::Name, "holds database passwords"),
    within("config", "master.key", "decrypts a program's secrets"),
    is("secrets.yml", "holds a program's secrets"),
    is("secrets.yaml", "holds a program's secrets"),
    is("secrets.json", "holds a program's secrets"),
    is("secrets.toml", "holds a program's secrets"),
    is(".secrets", "holds a program's secrets"),
    is(".htpasswd", "holds password hashes"),
    is(".pgpass", "holds database passwords"),
    is(".my.cnf", "holds database passwords"),
    is(".mylogin.cnf", "holds database passwords"),
    is(".aws", "holds AWS keys"),
    is(".azure", "holds Azure logins"),
    is(".gcloud", "holds Google Cloud logins"),
    within(".config", "gcloud", "holds Google Cloud logins"),
    within(".config", "gh", "holds GitHub tokens"),
    is(".boto", "holds cloud keys"),
    is(".s3cfg", "holds cloud keys"),
    is("rclone.conf", "holds logins of cloud disks"),
    is(".kube", "holds cluster logins"),
    is("kubeconfig", "holds cluster logins"),
    ends(".kubeconfig", "holds cluster logins"),
    within(".docker", "config.json", "holds registry logins"),
    is(".dockercfg", "holds registry logins"),
    is(".dockerconfigjson", "holds registry logins"),
    ends(".tfstate", "holds Terraform's state with its secrets"),
    ends(".tfstate.backup", "holds Terraform's state with its secrets"),
    ends(".tfvars", "holds Terraform's secrets"),
    ends(".tfvars.json", "holds Terraform's secrets"),
    is(".terraformrc", "holds Terraform tokens"),
    is(".vault-token", "is a Vault token"),
    is(".vault_pass", "is a vault's password"),
    is(".vault_pass.txt", "is a vault's password"),
    json(Name::Is("credentials.json"), "holds an account's key"),
    json(Name::Is("credentials"), "holds an account's key"),
    json(Name::Is("application_default_credentials.json"), "holds Google Cloud logins"),
    json(Name::Starts("service-account", &[]), "holds a service account's key"),
    json(Name::Starts("service_account", &[]), "holds a service account's key"),
    json(Name::Starts("serviceaccount", &[]), "holds a service account's key"),
    json(Name::Starts("client_secret", &[]), "holds a client's secret"),
    json(Name::Starts("gha-creds-", &[]), "holds a workflow's login"),
    json(Name::Starts("firebase-adminsdk", &[]), "holds a service account's key"),
    json(Name::Is("token.json"), "holds a token"),
    is(".bash_history", "holds typed commands"),
    is(".zsh_history", "holds typed commands"),
    is(".python_history", "holds typed commands"),
    is(".psql_history", "holds typed commands"),
    is(".mysql_history", "holds typed commands"),
    is(".node_repl_history", "holds typed commands"),
];

/// Git's settings hold a login when a remote was added with its password in the URL.
const GIT_CONFIG: Rule = proved(Name::Starts("config", &[]), Proof::UrlPassword, "holds a login in a URL or header");
const GIT_CREDENTIALS: Rule = is("credentials", "holds Git logins");

/// What is a secret at the top of a Git repository's own folder.
pub(super) fn git(name: &[u8]) -> Option<&'static Rule> {
    if name.eq_ignore_ascii_case(b"credentials") {
        return Some(&GIT_CREDENTIALS);
    }
    let start = name.get(..6)?;
    start.eq_ignore_ascii_case(b"config").then_some(&GIT_CONFIG)
}

const fn is(name: &'static str, why: &'static str) -> Rule {
    proved(Name::Is(name), Proof::Name, why)
}

const fn starts(start: &'static str, except: &'static [&'static str], why: &'static str) -> Rule {
    proved(Name::Starts(start, except), Proof::Name, why)
}

const fn ends(ending: &'static str, why: &'static str) -> Rule {
    proved(Name::Ends(ending), Proof::Name, why)
}

const fn within(folder: &'static str, name: &'static str, why: &'static str) -> Rule {
    proved(Name::In(folder, name), Proof::Name, why)
}

const fn json(name: Name, why: &'static str) -> Rule {
    proved(name, Proof::JsonSecret, why)
}

const fn proved(name: Name, proof: Proof, why: &'static str) -> Rule {
    Rule { name, proof, why }
}
