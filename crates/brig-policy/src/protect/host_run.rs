//! Names of files and folders that the host runs, or obeys, later and unasked: when a shell enters
//! the folder, an editor opens it, Git or a client looks at it. A folder is protected as a whole.

use super::{Name, Proof, Rule};

/// Every name.
pub const HOST_RUN: &[Rule] = &[
    is(".git", "holds settings and hooks that Git runs"),
    within(".hg", "hgrc", "holds hooks that Mercurial runs"),
    within(".hg", "sharedpath", "leads Mercurial to other settings"),
    within("repo", "config.toml", "holds programs that Jujutsu runs"),
    is(".husky", "holds Git hooks"),
    is(".githooks", "holds Git hooks"),
    is(".pre-commit-config.yaml", "names programs that a commit runs"),
    is(".pre-commit-config.yml", "names programs that a commit runs"),
    is("lefthook.yml", "names programs that a commit runs"),
    is(".lefthook.yml", "names programs that a commit runs"),
    is("lefthook-local.yml", "names programs that a commit runs"),
    is(".overcommit.yml", "names programs that a commit runs"),
    is(".envrc", "is run when a shell enters the folder"),
    is(".direnv", "is run when a shell enters the folder"),
    is(".autoenv", "is run when a shell enters the folder"),
    is(".autoenv.zsh", "is run when a shell enters the folder"),
    is("mise.toml", "is obeyed when a shell enters the folder"),
    is(".mise.toml", "is obeyed when a shell enters the folder"),
    is(".mise", "is obeyed when a shell enters the folder"),
    is(".vscode", "holds tasks and settings that an editor runs"),
    ends(".code-workspace", "holds tasks and settings that an editor runs"),
    is(".vs", "holds tasks and settings that an editor runs"),
    is(".idea", "holds run configurations that an editor runs"),
    is(".fleet", "holds run configurations that an editor runs"),
    is(".zed", "holds tasks and settings that an editor runs"),
    is(".exrc", "is run by vi when it starts here"),
    is(".vimrc", "is run by Vim when it starts here"),
    is(".nvimrc", "is run by Neovim when it starts here"),
    is(".nvim.lua", "is run by Neovim when it starts here"),
    is(".dir-locals.el", "is obeyed by Emacs"),
    is(".dir-locals-2.el", "is obeyed by Emacs"),
    is(".gdbinit", "is run by the debugger"),
    is(".lldbinit", "is run by the debugger"),
    is(".pdbrc", "is run by the debugger"),
    is(".devcontainer", "starts containers and runs commands"),
    is(".devcontainer.json", "starts containers and runs commands"),
    is(".mcp.json", "names servers that a client starts"),
    is("mcp.json", "names servers that a client starts"),
    is(".cursor", "names servers and hooks that a client starts"),
    is(".claude", "holds hooks and settings that a client runs"),
    is(".codex", "names servers that a client starts"),
    is(".gemini", "names servers that a client starts"),
    is(".windsurf", "names servers that a client starts"),
    is(".continue", "names servers that a client starts"),
    is(".continuerc.json", "names servers that a client starts"),
    is(".kiro", "names servers and hooks that a client starts"),
    is(".roo", "names servers that a client starts"),
    is(".kilocode", "names servers that a client starts"),
    is(".junie", "names servers that a client starts"),
    is(".air", "names servers that a client starts"),
    is(".qoder", "names servers that a client starts"),
    is(".trae", "names servers that a client starts"),
    is(".amazonq", "names servers that a client starts"),
    is(".opencode", "holds plugins that a client runs"),
    is("opencode.json", "names servers that a client starts"),
    is("opencode.jsonc", "names servers that a client starts"),
    is(".crush.json", "names servers that a client starts"),
    is("crush.json", "names servers that a client starts"),
    is(".aider.conf.yml", "names programs that a client runs"),
    is("brig.toml", "says what brig may grant here"),
    is("brig.lock", "says which programs brig runs here"),
    is(".npmrc", "names the shell and the registry that npm uses"),
    is(".yarnrc", "names a program that Yarn runs"),
    is(".yarnrc.yml", "names a program and plugins that Yarn runs"),
    within(".yarn", "releases", "holds the program that Yarn runs"),
    within(".yarn", "plugins", "holds plugins that Yarn runs"),
    is(".pnpmfile.cjs", "is run by every pnpm"),
    is(".pnpmfile.mjs", "is run by every pnpm"),
    within(".cargo", "config", "names programs that Cargo runs"),
    within(".cargo", "config.toml", "names programs that Cargo runs"),
    within(".bundle", "config", "names where Bundler takes programs from"),
    is(".terraform", "holds plugins that Terraform runs"),
    is("sitecustomize.py", "is run by every Python"),
    is("usercustomize.py", "is run by every Python"),
    within(".github", "workflows", "is run with the repository's tokens after a push"),
    within(".github", "actions", "is run with the repository's tokens after a push"),
    within(".github", "hooks", "holds hooks that a client runs"),
    is(".gitlab-ci.yml", "is run with the repository's tokens after a push"),
    is(".circleci", "is run with the repository's tokens after a push"),
];

/// What Git obeys at the top of a repository's own folder.
const GIT_CONFIG: Rule = is("config", "holds programs that Git runs");
const GIT_HOOKS: Rule = is("hooks", "holds programs that Git runs");
const GIT_INFO: Rule = is("info", "says which programs Git runs on which files");
const GIT_COMMON: Rule = is("commondir", "leads Git to other settings");
const GIT_WORKTREES: Rule = is("worktrees", "leads Git to other settings");

/// What the host obeys at the top of a Git repository's own folder.
pub(super) fn git(name: &[u8]) -> Option<&'static Rule> {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    let starts = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"config"));
    match () {
        () if starts => Some(&GIT_CONFIG),
        () if is("hooks") => Some(&GIT_HOOKS),
        () if is("info") => Some(&GIT_INFO),
        () if is("commondir") => Some(&GIT_COMMON),
        () if is("worktrees") => Some(&GIT_WORKTREES),
        () => None,
    }
}

const fn is(name: &'static str, why: &'static str) -> Rule {
    rule(Name::Is(name), why)
}

const fn ends(ending: &'static str, why: &'static str) -> Rule {
    rule(Name::Ends(ending), why)
}

const fn within(folder: &'static str, name: &'static str, why: &'static str) -> Rule {
    rule(Name::In(folder, name), why)
}

const fn rule(name: Name, why: &'static str) -> Rule {
    Rule { name, proof: Proof::Name, why }
}
