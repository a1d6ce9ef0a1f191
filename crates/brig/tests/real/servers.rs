//! The five servers, each as a program of this machine and as an image.

use serde_json::{Value, json};

use crate::clients::Entry;
use crate::world::{World, cache};

/// How a server is boxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Program,
    Image,
}

pub(crate) const FORMS: [Form; 2] = [Form::Program, Form::Image];

/// The parts of the cache that all of them need, with the clients.
pub(crate) const NEEDS: &[&str] = &["npm-servers.stamp", "pypi-servers.stamp", "images.stamp", "npm-clients.stamp"];

/// A server, a call to make, and what the answer holds.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// One of its tools, its arguments, and a part of the answer's text.
    pub(crate) call: (&'static str, &'static [(&'static str, &'static str)], &'static str),
    /// The other tool that it must list.
    pub(crate) lists: &'static str,
}

pub(crate) const SERVERS: [Server; 5] = [
    Server { name: "everything", call: ("echo", &[("message", "ahoy")], "Echo: ahoy"), lists: "get-env" },
    Server {
        name: "filesystem",
        call: ("read_text_file", &[("path", "@project/notes.txt")], "the hold is full"),
        lists: "write_file",
    },
    Server { name: "memory", call: ("read_graph", &[], "\"entities\": []"), lists: "create_entities" },
    Server {
        name: "time",
        call: (
            "convert_time",
            &[("source_timezone", "UTC"), ("time", "12:00"), ("target_timezone", "Asia/Tokyo")],
            "T21:00:00+09:00",
        ),
        lists: "get_current_time",
    },
    Server { name: "git", call: ("git_log", &[("repo_path", "@project")], "Fill the hold"), lists: "git_status" },
];

impl Server {
    pub(crate) fn find(name: &str) -> &'static Self {
        SERVERS.iter().find(|server| server.name == name).unwrap()
    }

    /// The arguments of its call as an object; `@project` is the granted folder.
    pub(crate) fn arguments(&self, world: &World) -> Value {
        let place = |value: &str| value.replace("@project", &world.text("project"));
        self.call.1.iter().map(|(name, value)| ((*name).to_owned(), json!(place(value)))).collect()
    }

    /// `brig run` as people write it for this server, with the folder `project` granted to those that read files.
    pub(crate) fn entry(&self, form: Form, world: &World) -> Entry {
        let here = matches!(self.name, "filesystem" | "git");
        let mut run = if here { vec!["--here".to_owned()] } else { Vec::new() };
        match form {
            Form::Program => run.extend(["--".to_owned(), program(self.name)]),
            Form::Image => run.extend(["-i".to_owned(), "--rm".to_owned(), image(self.name)]),
        }
        if self.name == "filesystem" {
            run.push(world.text("project"));
        }
        let entry = Entry::new(run);
        if here { entry.in_folder("project") } else { entry }
    }
}

/// The program that a package manager put in place.
pub(crate) fn program(server: &str) -> String {
    let folder = if matches!(server, "time" | "git") { "pypi-servers/bin" } else { "npm-servers/node_modules/.bin" };
    cache(folder).join(format!("mcp-server-{server}")).display().to_string()
}

/// One of the images in the layout.
pub(crate) fn image(server: &str) -> String {
    format!("oci:{}:{server}", cache("images/layout").display())
}

/// The folder `project`: a repository with one commit, a file, and a secret that is not committed.
pub(crate) fn make_project(world: &World) {
    world.make("project");
    world.write("project/notes.txt", "the hold is full\n");
    world.write("project/.env", "TOKEN=of-the-host\n");
    world.write("outside/plan.txt", "not for the box\n");
    for words in [
        &["init", "-q"][..],
        &["add", "notes.txt"],
        &["-c", "user.name=Mate", "-c", "user.email=mate@example.org", "commit", "-qm", "Fill the hold"],
    ] {
        let output = world.command("git", "project").args(words).output().unwrap();
        assert!(output.status.success(), "{}", crate::world::both(&output));
    }
}
