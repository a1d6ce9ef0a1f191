//! `npx` and `uvx` as people write them: fetched once, then offline.

use std::process::Stdio;

use crate::clients::{Entry, call};
use crate::world::{World, both, skip, worlds};

const PACKAGE: &str = "@modelcontextprotocol/server-memory";
/// The authorities that this machine trusts, which brig gives to package managers too.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whether this user's configuration leads to a registry that answers.
fn reaches(world: &World, program: &str, words: &[&str]) -> bool {
    let asked = world.command(program, "home").args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Fetches by the first start, then calls a tool of the same package without any network.
fn fetched_once(world: &mut World, words: &[&str], (tool, arguments, part): (&str, &[&str], &str)) {
    let first = world.brig(&[&["run", "--"], words].concat());
    let said = String::from_utf8_lossy(&first.stderr);
    assert!(said.contains("brig: fetching"), "{}", both(&first));
    assert!(world.path("home/.local/state/brig/brig.lock").is_file(), "{}", both(&first));
    world.go_offline();
    let entry = Entry::new([&["--"], words].concat());
    assert!(call(world, &entry, tool, arguments).contains(part));
    let again = world.brig(&[&["run", "--"], words].concat());
    assert!(!String::from_utf8_lossy(&again.stderr).contains("fetching"), "{}", both(&again));
}

#[test]
fn npx_is_fetched_once_and_runs_offline() {
    for mut world in worlds("npx", &["npm-clients.stamp"]) {
        if !reaches(&world, "npm", &["view", PACKAGE, "version", "--cafile", AUTHORITIES]) {
            skip("npx", &format!("npm's registry does not answer {}", world.who()));
            continue;
        }
        let words = ["npx", "-y", PACKAGE];
        fetched_once(&mut world, &words, ("read_graph", &[], "entities"));
    }
}

#[test]
fn uvx_is_fetched_once_and_runs_offline() {
    for mut world in worlds("uvx", &["npm-clients.stamp"]) {
        let index = ["-m", "pip", "download", "-q", "--no-deps", "-d", "probe", "mcp-server-time"];
        if !reaches(&world, "/usr/bin/python3", &index) {
            skip("uvx", &format!("PyPI does not answer {}", world.who()));
            continue;
        }
        let words = ["uvx", "mcp-server-time", "--local-timezone", "UTC"];
        fetched_once(&mut world, &words, ("get_current_time", &["timezone=Asia/Tokyo"], "Asia/Tokyo"));
    }
}
