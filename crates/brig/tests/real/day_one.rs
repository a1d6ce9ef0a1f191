//! The entries that people already have in their clients' files, with one word changed.

use crate::clients::{Entry, call};
use crate::servers::{NEEDS, image, make_project};
use crate::world::{both, worlds};

const TOKEN: &str = "ghp_R7fK2mQ9xW4vB8nT3zL6cY1sD5gH0jPaEuXo";

#[test]
fn a_token_by_name() {
    for world in worlds("day one: a token by name", NEEDS) {
        let run = ["-i", "--rm", "-e", "GITHUB_PERSONAL_ACCESS_TOKEN", &image("everything")];
        let entry = Entry::new(run).with("GITHUB_PERSONAL_ACCESS_TOKEN", TOKEN);
        let env = call(&world, &entry, "get-env", &[]);
        assert!(env.contains("GITHUB_PERSONAL_ACCESS_TOKEN") && !env.contains(TOKEN), "{env}");
    }
}

#[test]
fn a_folder_by_mount() {
    for world in worlds("day one: a folder by --mount", NEEDS) {
        make_project(&world);
        let mount = format!("type=bind,src={},dst=/projects/proj", world.text("project"));
        let entry = Entry::new(["-i", "--rm", "--mount", &mount, &image("filesystem"), "/projects"]);
        let said = call(&world, &entry, "read_text_file", &["path=/projects/proj/notes.txt"]);
        assert_eq!(said, "the hold is full\n");
    }
}

#[test]
fn the_caller_as_the_user() {
    for world in worlds("day one: -u $(id -u):$(id -g)", NEEDS) {
        let id = |flag| String::from_utf8(world.command("id", "home").arg(flag).output().unwrap().stdout).unwrap();
        let user = format!("{}:{}", id("-u").trim(), id("-g").trim());
        let entry = Entry::new(["-i", "--rm", "-u", &user, &image("everything")]);
        assert_eq!(call(&world, &entry, "echo", &["message=aye"]), "Echo: aye");
        let said = world.brig(&["run", "-i", "--rm", "-u", &user, &image("everything")]);
        assert!(said.status.success(), "{}", both(&said));
    }
}

/// A flag that gives the laptop away ends with 77, names what and says what to type, and starts nothing.
#[test]
fn what_gives_the_laptop_away() {
    for world in worlds("day one: refusals", NEEDS) {
        for flags in [&["--privileged"][..], &["-v", "/:/host"], &["--network", "host"]] {
            let said = world.brig(&[&["run", "-i", "--rm"], flags, &[&image("everything")]].concat());
            let text = String::from_utf8_lossy(&said.stderr);
            assert_eq!(said.status.code(), Some(77), "{flags:?}: {}", both(&said));
            assert!(text.contains("brig: error:") && text.contains("brig: help:"), "{text}");
            assert!(!text.contains("Starting default"), "{text}");
        }
    }
}
