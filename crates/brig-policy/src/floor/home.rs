//! The floor paths of each home. Every hidden entry directly below a home is floor; the lines
//! that name one say more precisely what it would give away.

use super::{Asset, Line, Reach};

const KEYS: &str = "leave it out; what needs a login is done outside the box";
const TOKEN: &str = "hand over one token with -e NAME; the box then sees a stand-in";
const CLIENT: &str = "let the server have a folder of its own; a client's configuration is the client's";
const SHELL: &str = "write to a project folder; what a shell runs at start is yours alone";

/// Every floor path of a home, the home itself first.
pub const HOME: &[Line] = &[
    Line {
        path: "",
        reach: Reach::Whole,
        asset: Asset::HostCredentials,
        why: "is a home folder with every key and token in it",
        instead: "grant one folder inside it that is not hidden",
        except: &[],
    },
    credential(".ssh", "holds SSH keys", KEYS),
    credential(".aws", "holds AWS keys", TOKEN),
    credential(".azure", "holds Azure logins", TOKEN),
    credential(".kube", "holds cluster logins", TOKEN),
    credential(".docker", "holds registry logins", KEYS),
    credential(".gnupg", "holds GnuPG keys", KEYS),
    credential(".password-store", "holds passwords", KEYS),
    credential(".netrc", "holds logins", TOKEN),
    credential("_netrc", "holds logins", TOKEN),
    credential(".git-credentials", "holds Git logins", TOKEN),
    credential(".gitconfig", "holds Git settings that run programs, and may hold logins", KEYS),
    credential(".npmrc", "holds npm tokens", TOKEN),
    credential(".pypirc", "holds PyPI tokens", TOKEN),
    credential(".pgpass", "holds database passwords", TOKEN),
    credential(".my.cnf", "holds database passwords", TOKEN),
    credential(".vault-token", "is a Vault token", TOKEN),
    credential(".terraform.d", "holds Terraform tokens and plugins", TOKEN),
    credential(".cargo", "holds registry tokens and programs of the PATH", TOKEN),
    credential(".gem", "holds registry tokens", TOKEN),
    credential(".m2", "holds registry tokens", TOKEN),
    credential(".gradle", "holds registry tokens", TOKEN),
    credential(".config/gcloud", "holds Google Cloud logins", TOKEN),
    credential(".config/gh", "holds GitHub tokens", TOKEN),
    credential(".config/git", "holds Git settings that run programs, and logins", KEYS),
    credential(".config/rclone", "holds logins of cloud disks", TOKEN),
    credential(".config/op", "holds 1Password's session", KEYS),
    credential(".config/google-chrome", "holds a browser's cookies and passwords", KEYS),
    credential(".config/chromium", "holds a browser's cookies and passwords", KEYS),
    credential(".config/BraveSoftware", "holds a browser's cookies and passwords", KEYS),
    credential(".config/microsoft-edge", "holds a browser's cookies and passwords", KEYS),
    credential(".mozilla", "holds a browser's cookies and passwords", KEYS),
    credential(".thunderbird", "holds mail and its passwords", KEYS),
    credential(".local/share/keyrings", "holds the desktop's keyring", KEYS),
    credential(".pki", "holds certificates and keys", KEYS),
    credential(".var", "holds the data of Flatpak programs, browsers among them", KEYS),
    credential("snap", "holds the data of snaps, browsers among them", KEYS),
    credential("Library", "holds keychains and browser profiles", KEYS),
    credential(".bash_history", "holds typed commands, tokens among them", KEYS),
    credential(".zsh_history", "holds typed commands, tokens among them", KEYS),
    run(".bashrc", "is run by every shell", SHELL),
    run(".bash_profile", "is run at login", SHELL),
    run(".bash_login", "is run at login", SHELL),
    run(".bash_logout", "is run at logout", SHELL),
    run(".bash_aliases", "is run by every shell", SHELL),
    run(".profile", "is run at login", SHELL),
    run(".zshrc", "is run by every shell", SHELL),
    run(".zshenv", "is run by every shell", SHELL),
    run(".zprofile", "is run at login", SHELL),
    run(".config/fish", "is run by every shell", SHELL),
    run(".config/autostart", "is run at login", SHELL),
    run(".config/systemd", "is run at login", SHELL),
    run(".config/environment.d", "is read at login", SHELL),
    run(".xprofile", "is run at login", SHELL),
    run(".xsessionrc", "is run at login", SHELL),
    run(".local/bin", "holds programs of the PATH", SHELL),
    run("bin", "holds programs of the PATH", SHELL),
    run("go/bin", "holds programs of the PATH", SHELL),
    run(".claude.json", "is a client's configuration with its servers and tokens", CLIENT),
    run(".claude", "is a client's configuration with its hooks and logins", CLIENT),
    run(".config/Claude", "is a client's configuration with its servers and tokens", CLIENT),
    run(".codex", "is a client's configuration with its logins", CLIENT),
    run(".cursor", "is a client's configuration with its servers and tokens", CLIENT),
    run(".codeium", "is a client's configuration with its servers and tokens", CLIENT),
    run(".gemini", "is a client's configuration with its logins", CLIENT),
    run(".config/Code", "is an editor's configuration with its servers and tokens", CLIENT),
    run(".config/VSCodium", "is an editor's configuration with its servers and tokens", CLIENT),
    run(".config/zed", "is an editor's configuration with its servers and tokens", CLIENT),
    run(".config/opencode", "is a client's configuration with its servers and tokens", CLIENT),
    run(".config/goose", "is a client's configuration with its servers and tokens", CLIENT),
    run(".continue", "is a client's configuration with its servers and tokens", CLIENT),
    run(".copilot", "is a client's configuration with its servers and tokens", CLIENT),
    run(".vscode-server", "is an editor's state: extensions that run, servers and tokens", CLIENT),
    run(".vscode", "is an editor's state: extensions that run", CLIENT),
];

/// Any other hidden entry directly below a home.
const HIDDEN: Line = Line {
    path: ".*",
    reach: Reach::Tree,
    asset: Asset::HostCredentials,
    why: "is hidden in a home folder, where programs keep logins and what they run",
    instead: "copy what the server needs into a folder that is not hidden and grant that",
    except: &[],
};

/// The line for a home as a whole.
pub(super) const fn whole() -> &'static Line {
    &HOME[0]
}

/// The line for a hidden entry that no other line names.
pub(super) const fn hidden() -> &'static Line {
    &HIDDEN
}

const fn credential(path: &'static str, why: &'static str, instead: &'static str) -> Line {
    line(path, Asset::HostCredentials, why, instead)
}

const fn run(path: &'static str, why: &'static str, instead: &'static str) -> Line {
    line(path, Asset::HostFiles, why, instead)
}

const fn line(path: &'static str, asset: Asset, why: &'static str, instead: &'static str) -> Line {
    Line { path, reach: Reach::Tree, asset, why, instead, except: &[] }
}
