//! What brig prints where: stdout is data, stderr is for people, and scripts get what they need.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::boxed::{End, everyone};

fn json(end: &End) -> Value {
    serde_json::from_slice(&end.output).unwrap_or_else(|error| panic!("{error}: {}", end.errors))
}

#[test]
fn help_is_data_and_no_failure() {
    for place in everyone() {
        for words in [&["--help"][..], &["run", "--help"], &["demo", "--help"], &["doctor", "--help"], &["--version"]] {
            let end = place.run(words, b"");
            assert_eq!((end.status, end.errors.as_str()), (0, ""), "{words:?}");
            assert!(!end.output.is_empty() && !end.output.contains(&0x1b));
        }
        // After `--` it is the program's.
        let end = place.run(&["run", "--stdio", "raw", "--", "echo", "x", "--help"], b"");
        assert_eq!(end.output, b"x --help\n");
    }
}

#[test]
fn quiet_is_quiet() {
    for place in everyone() {
        let noisy = place.run(&["run", "--", "sh", "-c", "kill -TERM $$"], b"");
        let quiet = place.run(&["run", "-q", "--", "sh", "-c", "kill -TERM $$"], b"");
        assert_eq!((noisy.status, quiet.status), (143, 143));
        assert!(!noisy.errors.is_empty());
        assert_eq!(quiet.errors, "");
        // What goes wrong is said all the same.
        let quiet = place.run(&["run", "-q", "--privileged", "--", "true"], b"");
        assert!(quiet.status == 77 && quiet.errors.contains("--privileged"));
        assert!(!quiet.errors.contains('\x1b'), "no terminal, no colour");
    }
}

/// What brig writes to a terminal that is its stderr.
fn on_terminal(mut command: Command) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let side = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(side).spawn().unwrap();
    drop(command); // and with it this process' copy of the terminal's other side
    let (mut text, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = rustix::io::read(&terminal, &mut piece) {
        text.extend_from_slice(&piece[..count]);
    }
    child.wait().unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn colour_is_for_terminals_unless_it_is_not_wanted() {
    for place in everyone() {
        let words = ["run", "--privileged", "--", "true"];
        assert!(on_terminal(place.command(&words)).contains("\x1b[31merror:\x1b[0m"));
        let mut plain = place.command(&words);
        plain.env("NO_COLOR", "1");
        let text = on_terminal(plain);
        assert!(text.contains("error:") && !text.contains('\x1b'), "{text}");
    }
}

#[test]
fn doctor_tells_scripts() {
    for place in everyone() {
        let end = place.run(&["doctor", "--json"], b"");
        let value = json(&end);
        assert_eq!((&value["schema"], &value["box"]), (&Value::from("brig.doctor/1"), &Value::from(true)));
        let walls = value["walls"].as_array().unwrap();
        let short = walls.iter().filter(|wall| wall["state"] != "enforced").count();
        assert!(walls.len() > 10);
        assert_eq!(end.status, i32::from(short > 0));
        assert!(walls.iter().all(|wall| wall["state"] == "enforced" || wall["why"].is_string()), "{value}");
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn the_demo_ends_well_and_tells_scripts() {
    for place in everyone() {
        let end = place.run(&["demo"], b"");
        assert_eq!(end.status, 0, "{}{}", String::from_utf8_lossy(&end.output), end.errors);
        let end = place.run(&["demo", "--json"], b"");
        assert_eq!(end.status, 0);
        assert!(json(&end)["schema"].as_str().is_some_and(|schema| schema == "brig-demo/1"));
        assert_eq!(place.leftovers(), [""; 0]);
    }
}
