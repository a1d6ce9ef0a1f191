//! What `brig run` does not do: what, why and what to type instead, each with its exit status.

use std::os::unix::net::UnixListener;

use crate::boxed::{Place, everyone};

/// Each of the texts is in stderr; nothing is on stdout; nothing is left.
fn refused(place: &Place, words: &[&str], status: i32, says: &[&str]) {
    let end = place.run(words, b"");
    assert_eq!(end.status, status, "{words:?}: {}", end.errors);
    for text in says {
        assert!(end.errors.contains(text), "{words:?} does not say {text:?}: {}", end.errors);
    }
    assert!(end.errors.starts_with("brig: "), "{}", end.errors);
    assert!(end.output.is_empty());
    assert_eq!(place.leftovers(), [""; 0], "{words:?}");
}

#[test]
fn what_asks_for_less_safety() {
    for place in everyone() {
        refused(&place, &["run", "--privileged", "--", "true"], 77, &["--privileged", "brig: help:"]);
        refused(&place, &["run", "--network", "host", "--", "true"], 77, &["--network host", "brig: help:"]);
        refused(&place, &["run", "-v", "/:/host", "--", "true"], 77, &["brig: error:", "brig: help:"]);
        let socket = place.path("docker.sock");
        let _listener = UnixListener::bind(&socket).unwrap();
        let mount = format!("{0}:{0}", socket.display());
        refused(&place, &["run", "-v", &mount, "--", "true"], 77, &["socket", "brig: help:"]);
        let mut command = place.command(&["run", "--here", "--", "true"]);
        command.current_dir(place.path("home"));
        let end = crate::boxed::finish(command, b"");
        assert_eq!(end.status, 77, "{}", end.errors);
        assert!(end.errors.contains("brig: help:"), "{}", end.errors);
    }
}

#[test]
fn what_is_mistyped() {
    for place in everyone() {
        refused(&place, &["run", "--privilegd", "--", "true"], 2, &["unknown flag --privilegd", "--privileged"]);
        refused(&place, &["run", "--memry", "1g", "--", "true"], 2, &["unknown flag --memry", "--memory"]);
        refused(&place, &["run", "-v", "/no/such/folder:/x", "--", "true"], 2, &["/no/such/folder", "brig: help:"]);
        refused(&place, &["run"], 2, &["brig: help:"]);
        let file = place.path("work/data");
        std::fs::write(&file, "x").unwrap();
        place.own(&file);
        let file = file.to_str().unwrap();
        refused(&place, &["run", "--", "cat", file], 2, &[file, &format!("-v {file}:{file}")]);
        // And what it says to type works.
        let end = place.run(&["run", "--stdio", "raw", "-v", &format!("{file}:{file}"), "--", "cat", file], b"");
        assert_eq!((end.status, end.output.as_slice()), (0, &b"x"[..]), "{}", end.errors);
        assert_eq!(place.run(&["nonsense"], b"").status, 2);
    }
}

#[test]
fn strict_refuses_what_is_weaker() {
    for place in everyone() {
        let doctor = place.run(&["doctor", "--json"], b"");
        let end = place.run(&["run", "--strict", "--stdio", "raw", "--", "echo", "ran"], b"");
        match doctor.status {
            0 => assert_eq!((end.status, end.output.as_slice()), (0, &b"ran\n"[..]), "{}", end.errors),
            _ => {
                assert_eq!(end.status, 77, "{}", end.errors);
                assert!(end.errors.contains("--strict: ") && end.errors.contains("brig doctor"), "{}", end.errors);
                assert!(end.output.is_empty());
            }
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_credential_stays_outside_and_is_said_once() {
    const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    for place in everyone() {
        let words = ["run", "--stdio", "raw", "-e", "GITHUB_TOKEN", "-e", "PLAIN=x", "--", "env"];
        let mut command = place.command(&words);
        command.env("GITHUB_TOKEN", TOKEN).env("UNASKED", "secret");
        let end = crate::boxed::finish(command, b"");
        let output = String::from_utf8(end.output).unwrap();
        assert_eq!(end.status, 0, "{}", end.errors);
        assert!(output.contains("PLAIN=x\n") && output.contains("GITHUB_TOKEN="), "{output}");
        assert!(!output.contains(TOKEN) && !output.contains("UNASKED"), "{output}");
        assert_eq!(end.errors.matches("GITHUB_TOKEN looks like a real credential").count(), 1, "{}", end.errors);
        assert!(!end.errors.contains(TOKEN));
    }
}
