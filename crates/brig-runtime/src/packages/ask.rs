//! Tells `npx PACKAGE`, `uvx COMMAND` and their kin from ordinary programs. Decided from the words alone.

use super::spec::{self, Spec, SpecError};
use crate::lockfile::Ecosystem;

/// A package to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// The packages to be installed, the main one first; never empty.
    pub specs: Vec<Spec>,
    /// Which of its programs to run; `None` is the package's only or namesake program.
    pub command: Option<String>,
    /// The program's own arguments.
    pub args: Vec<String>,
    /// Which Python to take, as a version or a path; `None` is the one in `PATH`.
    pub python: Option<String>,
}

/// Why a package runner's words cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// A runner that brig does not resolve for.
    #[error("packages of {0} are not served")]
    Runner(String),
    /// An option whose meaning brig would have to guess, or must not obey.
    #[error("{runner}'s option {option} is not served")]
    Option {
        /// Whose.
        runner: &'static str,
        /// Which.
        option: String,
    },
    /// An option without its value.
    #[error("{runner}'s option {option} lacks its value")]
    Value {
        /// Whose.
        runner: &'static str,
        /// Which.
        option: String,
    },
    /// No package is named.
    #[error("{0} is not told what to run")]
    Nothing(&'static str),
    /// Not a package of a registry.
    #[error("{0}")]
    Spec(#[from] SpecError),
}

impl AskError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Runner(_) => "run the same package with npx or uvx".into(),
            Self::Option { option, .. } if INDEXES.iter().any(|name| option.starts_with(name)) => {
                "set the registry in your own npm, pip or uv configuration; a command line may not choose it".into()
            }
            Self::Option { runner, .. } => {
                format!(
                    "leave it out, or put it behind the package if it is the server's own: {runner} PACKAGE --option"
                )
            }
            Self::Value { .. } | Self::Nothing(_) => "brig run -- npx -y PACKAGE, or brig run -- uvx PACKAGE".into(),
            Self::Spec(_) => {
                "name a package of the registry; for a folder or an archive, install it and run its program".into()
            }
        })
    }
}

/// What an option does here.
#[derive(Clone, Copy)]
enum Effect {
    /// Nothing that matters in a box.
    Ignore,
    /// As above, with a value.
    IgnoreValue,
    /// Names a package.
    Package,
    /// Names a further package.
    Further,
    /// Names the Python.
    Python,
}

/// The grammar of one runner's options.
struct Runner {
    name: &'static str,
    ecosystem: Ecosystem,
    options: &'static [(&'static str, Effect)],
}

/// Options that would choose another registry than the host's.
const INDEXES: [&str; 7] =
    ["--registry", "--index", "--default-index", "--extra-index-url", "--find-links", "-f", "-i"];

const NPX: Runner = Runner {
    name: "npx",
    ecosystem: Ecosystem::Npm,
    options: &[
        ("-y", Effect::Ignore),
        ("--yes", Effect::Ignore),
        ("-q", Effect::Ignore),
        ("--quiet", Effect::Ignore),
        ("-s", Effect::Ignore),
        ("--silent", Effect::Ignore),
        ("--ignore-scripts", Effect::Ignore),
        ("--prefer-online", Effect::Ignore),
        ("--prefer-offline", Effect::Ignore),
        ("--loglevel", Effect::IgnoreValue),
        ("-p", Effect::Package),
        ("--package", Effect::Package),
    ],
};

const UVX: Runner = Runner {
    name: "uvx",
    ecosystem: Ecosystem::Pypi,
    options: &[
        ("-q", Effect::Ignore),
        ("--quiet", Effect::Ignore),
        ("-v", Effect::Ignore),
        ("--verbose", Effect::Ignore),
        ("-n", Effect::Ignore),
        ("--no-cache", Effect::Ignore),
        ("--isolated", Effect::Ignore),
        ("--refresh", Effect::Ignore),
        ("--no-progress", Effect::Ignore),
        ("--no-config", Effect::Ignore),
        ("--native-tls", Effect::Ignore),
        ("--system-certs", Effect::Ignore),
        ("--color", Effect::IgnoreValue),
        ("--from", Effect::Package),
        ("--with", Effect::Further),
        ("-w", Effect::Further),
        ("--python", Effect::Python),
        ("-p", Effect::Python),
    ],
};

const PIPX: Runner = Runner {
    name: "pipx run",
    ecosystem: Ecosystem::Pypi,
    options: &[
        ("-q", Effect::Ignore),
        ("--quiet", Effect::Ignore),
        ("-v", Effect::Ignore),
        ("--verbose", Effect::Ignore),
        ("--no-cache", Effect::Ignore),
        ("--spec", Effect::Package),
        ("--with", Effect::Further),
        ("--python", Effect::Python),
    ],
};

/// Runners that are told apart by their first words.
const RUNNERS: [(&[&str], &Runner); 6] = [
    (&["npx"], &NPX),
    (&["npm", "exec"], &NPX),
    (&["npm", "x"], &NPX),
    (&["uvx"], &UVX),
    (&["uv", "tool", "run"], &UVX),
    (&["pipx", "run"], &PIPX),
];

/// Runners that would fetch packages at every start and are not resolved here.
const NOT_SERVED: [&[&str]; 5] = [&["bunx"], &["bun", "x"], &["pnpm", "dlx"], &["pnpx"], &["yarn", "dlx"]];

/// Recognises a package runner; `None` is an ordinary program.
///
/// # Errors
/// When it is one and its words cannot be served exactly.
pub fn recognise(argv: &[String]) -> Result<Option<Ask>, AskError> {
    let begins = |words: &[&str]| {
        let name = argv.first().and_then(|file| file.rsplit('/').next());
        let rest = argv.iter().skip(1).map(String::as_str);
        argv.len() >= words.len() && name.into_iter().chain(rest).zip(words).all(|(got, want)| got == *want)
    };
    if let Some(words) = NOT_SERVED.iter().find(|words| begins(words)) {
        return Err(AskError::Runner(words.join(" ")));
    }
    let Some((words, runner)) = RUNNERS.iter().find(|(words, _)| begins(words)) else {
        return Ok(None);
    };
    let mut asked = parse(runner, &argv[words.len()..])?;
    // `npm exec` would take options behind the package for its own.
    let mixed = words.len() > 1 && runner.ecosystem == Ecosystem::Npm && !asked.separated;
    let behind = asked.rest.iter().skip(1).find(|word| mixed && word.starts_with('-'));
    if let Some(option) = behind {
        return Err(AskError::Option { runner: "npm exec", option: option.clone() });
    }
    let (command, specs) = packages(runner, &mut asked)?;
    Ok(Some(Ask { ecosystem: runner.ecosystem, specs, command, args: asked.rest, python: asked.python }))
}

#[derive(Default)]
struct Words {
    packages: Vec<String>,
    further: Vec<String>,
    python: Option<String>,
    rest: Vec<String>,
    separated: bool,
}

fn parse(runner: &Runner, words: &[String]) -> Result<Words, AskError> {
    let mut asked = Words::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            asked.separated = true;
            asked.rest.extend(words.by_ref().cloned());
            break;
        }
        if !word.starts_with('-') {
            asked.rest.push(word.clone());
            let mut rest: Vec<String> = words.by_ref().cloned().collect();
            // `npm exec PACKAGE -- ARGS`
            if rest.first().is_some_and(|word| word == "--") && runner.ecosystem == Ecosystem::Npm {
                asked.separated = true;
                rest.remove(0);
            }
            asked.rest.extend(rest);
            break;
        }
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let effect = runner.options.iter().find(|(option, _)| *option == name).map(|(_, effect)| *effect);
        let Some(effect) = effect else {
            return Err(AskError::Option { runner: runner.name, option: name.to_owned() });
        };
        if matches!(effect, Effect::Ignore) {
            continue;
        }
        let value = inline.or_else(|| words.next().cloned());
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| AskError::Value { runner: runner.name, option: name.to_owned() })?;
        match effect {
            Effect::Package => asked.packages.push(value),
            Effect::Further => asked.further.extend(value.split(',').map(str::to_owned)),
            Effect::Python => asked.python = Some(value),
            Effect::Ignore | Effect::IgnoreValue => {}
        }
    }
    Ok(asked)
}

/// The program to run and the packages that are needed; leaves the program's arguments in `asked.rest`.
fn packages(runner: &Runner, asked: &mut Words) -> Result<(Option<String>, Vec<Spec>), AskError> {
    if asked.rest.is_empty() {
        return Err(AskError::Nothing(runner.name));
    }
    let first = asked.rest.remove(0);
    let read = match runner.ecosystem {
        Ecosystem::Npm => spec::npm,
        Ecosystem::Pypi => spec::python,
    };
    let mut specs = Vec::new();
    let command = if asked.packages.is_empty() {
        let spec = read(&first)?;
        let command = match runner.ecosystem {
            Ecosystem::Npm => None,
            // The namesake's own spelling: programs may have dots and underscores that names lose.
            Ecosystem::Pypi => {
                first.split(['@', '=', '[', '<', '>', '~', '!']).next().map(|name| name.trim().to_owned())
            }
        };
        specs.push(spec);
        command
    } else {
        if first.contains('/') || first.starts_with('.') {
            return Err(SpecError::Name(first).into());
        }
        Some(first)
    };
    for text in asked.packages.iter().chain(&asked.further) {
        specs.push(read(text)?);
    }
    Ok((command, specs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> Result<Option<Ask>, AskError> {
        recognise(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn check(line: &str, specs: &str, command: Option<&str>, args: &str) {
        let ask = ask(line).unwrap().unwrap_or_else(|| panic!("{line} is not recognised"));
        let texts: Vec<&str> = ask.specs.iter().map(|spec| spec.text.as_str()).collect();
        assert_eq!(texts.join(" "), specs, "{line}");
        assert_eq!(ask.command.as_deref(), command, "{line}");
        assert_eq!(ask.args.join(" "), args, "{line}");
    }

    #[test]
    fn real_entries_are_recognised() {
        check("npx -y @playwright/mcp@latest", "@playwright/mcp@latest", None, "");
        check("npx -y @a/server-filesystem /home/u/x --flag", "@a/server-filesystem@latest", None, "/home/u/x --flag");
        check("/usr/bin/npx server@1.2 -- -v", "server@1.2", None, "-v");
        check("npx -y -p a -p b@2 cmd --x", "a@latest b@2", Some("cmd"), "--x");
        check("npx --package=a -- cmd -y", "a@latest", Some("cmd"), "-y");
        check("npm exec -- server -x", "server@latest", None, "-x");
        check("npm exec server -- -x", "server@latest", None, "-x");
        check("npm x server", "server@latest", None, "");
        check("uvx mcp-server-git --repository .", "mcp-server-git", Some("mcp-server-git"), "--repository .");
        check("uvx --from pkg[cli]==1.0 cmd -x", "pkg[cli]==1.0", Some("cmd"), "-x");
        check("uvx --with a,b --with=c Main_Tool@1.0", "main-tool==1.0 a b c", Some("Main_Tool"), "");
        check("uv tool run server", "server", Some("server"), "");
        check("pipx run --spec pkg cmd x", "pkg", Some("cmd"), "x");
        assert_eq!(ask("uvx -p 3.12 server").unwrap().unwrap().python.as_deref(), Some("3.12"));
    }

    #[test]
    fn ordinary_programs_are_not() {
        for line in ["node server.js", "npm start", "uv run server.py", "pipx list", "./npx-like", "python -m x", "npm"]
        {
            assert_eq!(ask(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_served_exactly_is_an_error() {
        for line in [
            "npx",
            "npx -y",
            "npx -c ls",
            "npx --registry=https://x.example server",
            "npx --registry https://x.example server",
            "npx -p",
            "npx --no server",
            "npx ./server",
            "npx -p a ../../bin/sh",
            "npx github:a/b",
            "npm exec server --flag",
            "uvx --index-url https://x.example server",
            "uvx --with-requirements r.txt server",
            "uvx git+https://x.example/y",
            "pipx run --pip-args=-x server",
            "bunx server",
            "pnpm dlx server",
        ] {
            let error = ask(line).unwrap_err();
            assert!(error.hint().is_some(), "{line}");
        }
        assert!(ask("npx --registry=https://x.example a").unwrap_err().hint().unwrap().contains("configuration"));
    }
}
