//! Several brigs at once, and killed ones: real processes, since locks are held by processes.
//!
//! Without the test harness: the program is its own child. `child STORE ARCHIVE` obtains an image and
//! exits with 0; `hold STORE ARCHIVE` keeps it until its stdin ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it skips"
)]

mod fixture;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brig_image::{Settings, Store, Tree};
use fixture::{Bench, Tar, docker_archive, gzip};

/// How often a child is killed, each time a little later.
const KILLS: u32 = 40;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some(mode @ ("child" | "hold")) => child(mode == "hold", &args[2], &args[3]),
        // A harness would list and filter; this program is one test.
        Some("--list") => {}
        _ => {
            many_at_once();
            killed_at_any_instant();
            a_lease_dies_with_its_holder();
        }
    }
}

fn child(hold: bool, store: &str, archive: &str) {
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        store: Store::open(Path::new(store), Settings::default()).unwrap(),
    };
    let lease = bench.obtain(archive).unwrap();
    let tree = Tree::open(&lease.image.layers).unwrap();
    assert_eq!(tree.list(Path::new("/many")).unwrap().unwrap().len(), 400);
    if hold {
        std::io::stdout().write_all(b"!").unwrap();
        std::io::stdout().flush().unwrap();
        let _ = std::io::stdin().read(&mut [0]);
    }
}

fn spawn(mode: &str, bench: &Bench, archive: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg(mode)
        .arg(bench.path("store"))
        .arg(archive)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A layout (whose layers take turns by digest) and an archive (whose layers race) of one image.
fn images(folder: &Path) -> [std::path::PathBuf; 2] {
    let many =
        (0..400).fold(Tar::new(), |tar, i| tar.file(&format!("many/{i}"), &vec![u8::try_from(i % 251).unwrap(); 5000]));
    let layers = [many.end(), Tar::new().file("top", b"1").end()];
    let archive = folder.join("image.tar");
    std::fs::write(&archive, gzip(&docker_archive(&layers, "", &[]))).unwrap();
    let layout = folder.join("layout");
    fixture::write_layout(&layout, &fixture::oci(&layers, "", gzip), "x");
    [archive, layout]
}

fn many_at_once() {
    let sources = tempfile::tempdir().unwrap();
    for image in images(sources.path()) {
        let bench = Bench::new();
        let children: Vec<Child> = (0..6).map(|_| spawn("child", &bench, &image)).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success(), "{}", image.display());
        }
        bench.assert_clean();
        let layers = std::fs::read_dir(bench.path("store/layers")).unwrap().count();
        assert_eq!(layers, 2);
        assert_eq!(bench.store.list().unwrap().len(), 1);
    }
}

fn killed_at_any_instant() {
    let sources = tempfile::tempdir().unwrap();
    for image in images(sources.path()) {
        let whole = {
            let bench = Bench::new();
            let start = Instant::now();
            assert!(spawn("child", &bench, &image).wait().unwrap().success());
            start.elapsed()
        };
        let mut interrupted = 0;
        for at in 0..KILLS {
            let bench = Bench::new();
            let mut child = spawn("child", &bench, &image);
            std::thread::sleep(whole * at / KILLS);
            let _ = child.kill(); // SIGKILL
            child.wait().unwrap();
            let left = std::fs::read_dir(bench.path("store/tmp")).unwrap().count();
            interrupted += u32::from(left > 0);
            // A store that is opened is clean, and the image can be had.
            drop(Store::open(&bench.path("store"), Settings::default()).unwrap());
            bench.assert_clean();
            assert!(spawn("child", &bench, &image).wait().unwrap().success());
            bench.assert_clean();
        }
        assert!(interrupted > 0, "no child was killed in the middle");
    }
}

fn a_lease_dies_with_its_holder() {
    let sources = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let mut child = spawn("hold", &bench, &images(sources.path())[0]);
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let image = bench.store.list().unwrap().remove(0);
    assert!(image.in_use);
    assert!(bench.store.remove(&image.id.hex()).is_err());
    // Opening the store, which cleans, leaves a living sibling alone.
    drop(Store::open(&bench.path("store"), Settings::default()).unwrap());
    assert_eq!(bench.store.list().unwrap().len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while bench.store.remove(&image.id.hex()).is_err() {
        assert!(Instant::now() < deadline, "the lease outlived its holder");
        std::thread::sleep(Duration::from_millis(10));
    }
}
