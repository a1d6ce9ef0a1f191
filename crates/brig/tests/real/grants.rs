//! What real servers reach of this machine: the grants, and nothing beside them.

use crate::clients::{Entry, call, call_fails};
use crate::servers::{FORMS, Form, NEEDS, image, make_project, program};
use crate::world::{World, worlds};

/// The filesystem server of the image, told that it may read everything: only the box is in its way.
fn reads_everything(world: &World, mode: &str) -> Entry {
    let grant = format!("{}:/projects/proj{mode}", world.text("project"));
    Entry::new(["-i", "--rm", "-v", &grant, &image("filesystem"), "/"])
}

#[test]
fn filesystem_reads_the_grant_and_nothing_else() {
    for world in worlds("filesystem_reads_the_grant", NEEDS) {
        make_project(&world);
        let entry = reads_everything(&world, "");
        let read = |path: &str| call(&world, &entry, "read_text_file", &[&format!("path={path}")]);
        let fails = |path: &str| call_fails(&world, &entry, "read_text_file", &[&format!("path={path}")]);
        assert_eq!(read("/projects/proj/notes.txt"), "the hold is full\n");
        let said = fails("/projects/proj/.env");
        assert!(said.contains("EACCES") && !said.contains("of-the-host"), "{said}");
        let said = fails(&world.text("outside/plan.txt"));
        assert!(said.contains("does not exist") || said.contains("ENOENT"), "{said}");
        let said = call_fails(&world, &entry, "write_file", &["path=/projects/proj/new.txt", "content=x"]);
        assert!(said.contains("EROFS"), "{said}");
        assert!(!world.path("project/new.txt").exists());
    }
}

#[test]
fn filesystem_writes_where_it_is_let() {
    for world in worlds("filesystem_writes_where_it_is_let", NEEDS) {
        make_project(&world);
        let entry = reads_everything(&world, ":rw");
        call(&world, &entry, "write_file", &["path=/projects/proj/new.txt", "content=from the box"]);
        assert_eq!(std::fs::read_to_string(world.path("project/new.txt")).unwrap(), "from the box");
        let said =
            call_fails(&world, &entry, "write_file", &["path=/projects/proj/.git/hooks/pre-commit", "content=x"]);
        assert!(!world.path("project/.git/hooks/pre-commit").exists(), "{said}");
    }
}

#[test]
fn memory_keeps_what_it_learnt_in_a_named_volume() {
    for world in worlds("memory_keeps_what_it_learnt", NEEDS) {
        for form in FORMS {
            let volume = format!("knowledge-{form:?}:/data").to_lowercase();
            let entry = match form {
                Form::Image => Entry::new(["-i", "--rm", "-v", &volume, &image("memory")]),
                Form::Program => {
                    Entry::new(["-v", &volume, "-e", "MEMORY_FILE_PATH=/data/memory.json", "--", &program("memory")])
                }
            };
            let ship = r#"entities=[{"name":"Pequod","entityType":"ship","observations":["lost"]}]"#;
            call(&world, &entry, "create_entities", &[ship]);
            let graph = call(&world, &entry, "read_graph", &[]);
            assert!(graph.contains("Pequod") && graph.contains("lost"), "{form:?} as {}: {graph}", world.who());
        }
        let listed = world.brig(&["volume", "ls"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("knowledge-image") && listed.contains("knowledge-program"), "{listed}");
    }
}

/// As in `-v claude-memory:/app/dist mcp/memory`: the volume covers the program itself, so it works only when it is
/// filled from the image.
#[test]
fn a_volume_over_the_program_is_filled_from_the_image() {
    for world in worlds("a_volume_over_the_program", NEEDS) {
        let dist = "claude-memory:/opt/mcp/node_modules/@modelcontextprotocol/server-memory/dist";
        let file = "MEMORY_FILE_PATH=/opt/mcp/node_modules/@modelcontextprotocol/server-memory/dist/memory.json";
        let entry = Entry::new(["-i", "--rm", "-v", dist, "-e", file, &image("memory")]);
        call(
            &world,
            &entry,
            "create_entities",
            &[r#"entities=[{"name":"Ahab","entityType":"man","observations":[]}]"#],
        );
        let graph = call(&world, &entry, "read_graph", &[]);
        assert!(graph.contains("Ahab"), "as {}: {graph}", world.who());
    }
}

#[test]
fn git_sees_the_repository_of_the_working_folder() {
    for world in worlds("git_sees_the_repository", NEEDS) {
        make_project(&world);
        world.write("project/draft.txt", "not yet\n");
        let repository = format!("repo_path={}", world.text("project"));
        let entry = Entry::new(["--here", "--", &program("git"), "--repository", "."]).in_folder("project");
        let log = call(&world, &entry, "git_log", &[&repository]);
        assert!(log.contains("Fill the hold") && log.contains("Mate"), "{log}");
        let status = call(&world, &entry, "git_status", &[&repository]);
        assert!(status.contains("draft.txt"), "{status}");
        let add = [repository.as_str(), r#"files=["draft.txt"]"#];
        call_fails(&world, &entry, "git_add", &add);
        let entry = Entry::new(["--here=rw", "--", &program("git"), "--repository", "."]).in_folder("project");
        call(&world, &entry, "git_add", &add);
        let staged = world.command("git", "project").args(["diff", "--cached", "--name-only"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&staged.stdout), "draft.txt\n", "as {}", world.who());
    }
}

/// A made-up token of the shape that the real ones have.
const TOKEN: &str = "ghp_R7fK2mQ9xW4vB8nT3zL6cY1sD5gH0jPaEuXo";

#[test]
fn the_environment_of_the_caller_stays_outside() {
    for world in worlds("the_environment_of_the_caller", NEEDS) {
        for form in FORMS {
            let run = |flags: &[&str]| {
                let mut words: Vec<String> = flags.iter().map(|word| (*word).to_owned()).collect();
                match form {
                    Form::Program => words.extend(["--".to_owned(), program("everything")]),
                    Form::Image => words.push(image("everything")),
                }
                let entry = Entry::new(words).with("GITHUB_TOKEN", TOKEN).with("DB_PASSWORD", "hunter2-of-the-host");
                call(&world, &entry, "get-env", &[])
            };
            let said = run(&[]);
            for secret in [TOKEN, "hunter2", "GITHUB_TOKEN", "DB_PASSWORD", &world.text("home")] {
                assert!(!said.contains(secret), "{form:?} as {}: {secret} in {said}", world.who());
            }
            let env: serde_json::Value =
                serde_json::from_str(&run(&["-e", "GITHUB_TOKEN", "-e", "LEVEL=debug"])).unwrap();
            let token = env["GITHUB_TOKEN"].as_str().unwrap();
            assert_ne!(token, TOKEN, "{form:?}");
            assert_eq!(token.len(), TOKEN.len(), "{form:?}: {token}");
            assert_eq!(env["LEVEL"], "debug", "what is no secret arrives");
        }
    }
}
