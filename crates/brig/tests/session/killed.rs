//! brig killed at any instant: what is left is gone once the next brig has started, and a living
//! sibling never notices.

use std::time::Duration;

use rustix::process::Signal;

use crate::boxed::{INITIALIZE, Place, Talk, everyone, groups};

/// Instants tried by default, and with `BRIG_LONG=1`.
const INSTANTS: (u64, u64) = (20, 300);
/// brig is up in a tenth of this; the rest of the instants fall into the session.
const SPAN: Duration = Duration::from_millis(250);

fn instants() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "the one switch of these tests")]
    let long = std::env::var_os("BRIG_LONG").is_some_and(|value| value == "1");
    if long { INSTANTS.1 } else { INSTANTS.0 }
}

fn tag(place: &Place) -> String {
    let folder = place.path("");
    let random = folder.file_name().unwrap().to_string_lossy().replace('.', "");
    format!("t-{random}")
}

fn granted(place: &Place) -> [String; 2] {
    ["live", "staged"].map(|name| {
        let folder = place.path(&format!("work/{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        place.own(&folder);
        folder.to_str().unwrap().to_owned()
    })
}

#[test]
fn nothing_is_left_whenever_brig_is_killed() {
    for place in everyone() {
        let (tag, [live, staged]) = (tag(&place), granted(&place));
        let (live, staged) = (format!("{live}:{live}:rw"), format!("{staged}:{staged}:rw,staged"));
        let script = "mkdir -p \"$0/a/b\"; chmod 0 \"$0/a\"; sleep 1000 & cat";
        let count = instants();
        for number in 0..count {
            let name = format!("{tag}-{number}");
            let folder = staged.split(':').next().unwrap();
            let words = ["run", "--name", &name, "-v", &live, "-v", &staged, "--", "sh", "-c", script, folder];
            let talk: Talk = place.open(&words);
            // Spread over the span, more of them early: the start is where most is made.
            let part = f64::from(u32::try_from(number).unwrap()) / f64::from(u32::try_from(count).unwrap());
            std::thread::sleep(SPAN.mul_f64(part * part));
            talk.signal(Signal::KILL);
            assert_eq!(talk.end().status, 1009);
        }
        // The next one cleans up as it starts.
        let mut next = place.sim(&[]);
        next.ask(INITIALIZE);
        assert_eq!(groups(&tag), [""; 0].map(std::path::PathBuf::from));
        assert_eq!(next.leave().status, 0);
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_sibling_goes_on_answering() {
    for place in everyone() {
        let mut living = place.sim(&[]);
        living.ask(INITIALIZE);
        for _ in 0..3 {
            let mut dying = place.sim(&[]);
            dying.ask(INITIALIZE);
            dying.signal(Signal::KILL);
            assert_eq!(dying.end().status, 1009);
            let mut next = place.sim(&[]);
            next.ask(INITIALIZE);
            assert_eq!(next.leave().status, 0);
            assert!(living.ask(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#).contains("\"id\":5"));
        }
        assert_eq!(living.leave().status, 0);
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn a_refused_run_leaves_nothing_either() {
    for place in everyone() {
        let [_, staged] = granted(&place);
        let staged = format!("{staged}:{staged}:rw,staged");
        // Refused after the room for staged writes was made.
        let end = place.run(&["run", "-v", &staged, "--", "cat", "/etc/shadow"], b"");
        assert_ne!(end.status, 0, "{}", end.errors);
        assert_eq!(place.leftovers(), [""; 0]);
    }
}
