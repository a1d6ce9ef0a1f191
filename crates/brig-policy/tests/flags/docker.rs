//! The table of flags against Docker's own: a list taken from CLI 28, and each client found here.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use brig_policy::flags::{FLAGS, Origin, Takes};

const CLI_28: &str = include_str!("docker-run-28.txt");

/// What Docker hides from its help but takes.
const HIDDEN: [&str; 3] = ["dns-opt", "net", "net-alias"];

/// Letter, and whether a value follows.
type Shape = (Option<char>, bool);

fn ours() -> BTreeMap<&'static str, Shape> {
    FLAGS
        .iter()
        .filter(|flag| flag.origin == Origin::Docker)
        .map(|flag| (flag.long, (flag.short, flag.takes != Takes::Nothing)))
        .collect()
}

#[test]
fn the_table_has_exactly_the_flags_of_cli_28() {
    let theirs: BTreeMap<&str, Shape> = CLI_28
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let letter = words[1].chars().next().filter(|c| *c != '-');
            (words[0], (letter, words[2] != "-"))
        })
        .collect();
    assert!(theirs.len() > 100, "the list is cut short");
    assert_eq!(ours(), theirs);
    let mut hidden: Vec<&str> = FLAGS.iter().flat_map(|flag| flag.also).copied().collect();
    hidden.sort_unstable();
    assert_eq!(hidden, HIDDEN);
}

#[test]
fn every_flag_in_the_help_of_a_client_found_here_is_in_the_table() {
    let mut compared = 0;
    for docker in ["docker", "/usr/bin/docker", "/usr/local/bin/docker"] {
        let Some(help) = help_of(docker) else {
            continue;
        };
        let theirs = parse_help(&help);
        assert!(theirs.len() > 80, "{docker} run --help was not understood:\n{help}");
        let ours = ours();
        for (name, shape) in &theirs {
            assert_eq!(ours.get(name.as_str()), Some(shape), "--{name} of {docker} run");
        }
        compared += 1;
    }
    if compared == 0 {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIP docker_client: no docker client on this machine to compare the table of flags with\n"),
        );
    }
}

fn help_of(docker: &str) -> Option<String> {
    let out =
        Command::new(docker).args(["run", "--help"]).env_remove("DOCKER_HOST").stdin(Stdio::null()).output().ok()?;
    // What is called docker may be podman's wrapper, whose flags are others.
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.contains("docker run [OPTIONS] IMAGE").then_some(text)
}

/// Lines such as `  -a, --attach list     Attach to …`; what wraps has no dashes in front.
fn parse_help(help: &str) -> BTreeMap<String, Shape> {
    let mut flags = BTreeMap::new();
    for line in help.lines() {
        let text = line.trim_start();
        let (letter, rest) = match text.strip_prefix('-') {
            Some(rest) if !rest.starts_with('-') => match rest.split_once(", ") {
                Some((letter, rest)) if letter.len() == 1 => (letter.chars().next(), rest),
                _ => continue,
            },
            _ => (None, text),
        };
        let Some(rest) = rest.strip_prefix("--") else {
            continue;
        };
        let left = rest.split("  ").next().unwrap_or(rest);
        let words: Vec<&str> = left.split(' ').collect();
        // A flag that is too wide for its column has its text one space behind: none is.
        flags.insert(words[0].to_owned(), (letter, words.len() > 1));
    }
    flags
}
