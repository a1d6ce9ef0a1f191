//! The order of things around an installation, with an installer that only writes files: what is resolved
//! when, what two brigs at once do, what a killed one leaves.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use brig_engine::launch::What;

use super::*;

struct World {
    folder: tempfile::TempDir,
    caller: Caller,
    places: Places,
}

/// A home with a Node that is a script for the machine's own shell, so that nothing else is needed.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for name in ["node", "npm"] {
        let file = root.join("home/.nvm/versions/node/v22.1.0/bin").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = root.join("home/.nvm/versions/node/v22.1.0/bin").display().to_string();
    let caller = Caller { path, home: root.join("home"), cwd: root.clone(), env: Default::default() };
    let places = Places { store: root.join("store"), state: root.join("state") };
    World { folder, caller, places }
}

fn order<'a>(world: &'a World, ask: &'a Ask) -> Order<'a> {
    Order { ask, caller: &world.caller, places: &world.places, scripts: false }
}

fn ask(line: &str) -> Ask {
    recognise(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap().unwrap()
}

/// Where a job's package lies on the host.
fn tree_of(job: &Job) -> &Path {
    let mount = job.mounts.iter().find(|mount| mount.target == Path::new(recipe::PACKAGE)).unwrap();
    let What::Bind(bind) = &mount.what else { panic!() };
    assert!(bind.writable);
    &bind.source
}

/// Installs as `npm ci` would, with this version and content.
fn install(job: &Job, version: &str, content: &str) -> Result<Ended, io::Error> {
    let tree = tree_of(job);
    if job.program.argv[1] == "ci" {
        let folder = tree.join("node_modules/server");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), r#"{"bin":"cli.js"}"#)?;
        fs::write(folder.join("cli.js"), content)?;
    } else {
        let lock = format!(r#"{{"packages":{{"":{{}},"node_modules/server":{{"version":"{version}"}}}}}}"#);
        fs::write(tree.join("package-lock.json"), lock)?;
    }
    Ok(Ended::default())
}

fn never(_: &Job) -> Result<Ended, io::Error> {
    panic!("nothing is to be resolved")
}

#[test]
fn resolved_once_then_offline_until_pulled() {
    let world = world();
    let ask = ask("npx -y server --flag");
    let order = order(&world, &ask);
    let first = ready(&order, |job| install(job, "1.0.0", "one")).unwrap();
    assert!(first.fresh);
    assert_eq!(first.locked.resolved, ["server@1.0.0"]);
    assert_eq!(first.argv[1..], [format!("{}/node_modules/server/cli.js", recipe::PACKAGE), "--flag".into()]);
    let What::Bind(bind) = &first.mount.what else { panic!() };
    assert!(!bind.writable && bind.owned);
    let second = ready(&order, never).unwrap();
    assert!(!second.fresh);
    assert_eq!(second.locked, first.locked);
    let pulled = pull(&order, |job| install(job, "2.0.0", "two")).unwrap();
    assert_eq!(pulled.locked.resolved, ["server@2.0.0"]);
    assert_eq!(ready(&order, never).unwrap().locked, pulled.locked);
    let left = fs::read_dir(world.places.store.join("packages/work")).unwrap().count();
    assert_eq!(left, 0, "an installation left its folder");
}

#[test]
fn a_deleted_store_is_filled_again_with_the_same_or_not_at_all() {
    let world = world();
    let ask = ask("npx -y server");
    let order = order(&world, &ask);
    let first = ready(&order, |job| install(job, "1.0.0", "one")).unwrap();
    fs::remove_dir_all(&world.places.store).unwrap();
    let mut steps = Vec::new();
    let again = ready(&order, |job| {
        steps.push(job.program.argv[1].clone());
        assert!(tree_of(job).join("package-lock.json").is_file(), "npm's own lock file is given back");
        install(job, "9.9.9", "one")
    });
    assert_eq!(again.unwrap().locked, first.locked);
    assert_eq!(steps, ["ci"], "nothing is resolved anew");
    fs::remove_dir_all(&world.places.store).unwrap();
    let changed = ready(&order, |job| install(job, "1.0.0", "evil")).unwrap_err();
    assert!(matches!(changed, PackageError::Changed { .. }), "{changed}");
    assert!(changed.hint().unwrap().contains("brig pull"));
}

#[test]
fn a_changed_tree_is_never_run() {
    let world = world();
    let ask = ask("npx -y server");
    let order = order(&world, &ask);
    let first = ready(&order, |job| install(job, "1.0.0", "one")).unwrap();
    let What::Bind(bind) = &first.mount.what else { panic!() };
    fs::write(bind.source.join("node_modules/server/cli.js"), "evil").unwrap();
    let (_, check) = locate(&order).unwrap().unwrap();
    assert!(!check.run().unwrap(), "a changed tree passed");
    assert!(locate(&order).unwrap().is_none(), "a changed tree was kept");
    let calls = AtomicUsize::new(0);
    let again = ready(&order, |job| {
        calls.fetch_add(1, Ordering::Relaxed);
        install(job, "1.0.0", "one")
    })
    .unwrap();
    assert!(calls.load(Ordering::Relaxed) > 0);
    assert_eq!(again.locked, first.locked);
    assert_eq!(fs::read_to_string(bind.source.join("node_modules/server/cli.js")).unwrap(), "one");
    let (located, check) = locate(&order).unwrap().unwrap();
    assert_eq!(located.locked, first.locked);
    assert!(check.run().unwrap());
    // Touched but equal, as after a restored backup: hashed, and run as it is.
    fs::write(bind.source.join("node_modules/server/cli.js"), "one").unwrap();
    assert!(!ready(&order, never).unwrap().fresh);
}

#[test]
fn two_at_once_resolve_once() {
    let world = world();
    let ask = ask("npx -y server");
    let calls = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let order = order(&world, &ask);
                ready(&order, |job| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(50));
                    install(job, "1.0.0", "one")
                })
                .unwrap();
            });
        }
    });
    assert_eq!(calls.load(Ordering::Relaxed), 2, "npm resolves and installs, once");
}

#[test]
fn what_a_killed_brig_left_is_cleared_and_a_living_one_is_not_touched() {
    let world = world();
    let work = world.places.store.join("packages/work");
    let dead = work.join("0".repeat(64));
    fs::create_dir_all(dead.join("tree/closed")).unwrap();
    fs::set_permissions(dead.join("tree/closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let other = ask("npx -y other");
    let server = ask("npx -y server");
    let result = ready(&order(&world, &other), |job| {
        if job.program.argv[1] == "install" {
            let alive = tree_of(job).to_owned();
            ready(&order(&world, &server), |job| install(job, "1.0.0", "one")).unwrap();
            assert!(alive.is_dir(), "the other installation was removed");
        }
        Err(io::Error::other("killed"))
    });
    assert!(matches!(result, Err(PackageError::Start { .. })));
    assert!(!dead.exists());
}

#[test]
fn failures_lock_nothing_and_say_why() {
    let world = world();
    let ask = ask("npx -y server");
    let order = order(&world, &ask);
    let output = format!("{}\x1b[31mnpm error code E404", "x".repeat(20_000));
    let error = ready(&order, |_| Ok::<_, io::Error>(Ended { status: 1, output: output.clone(), ..Ended::default() }));
    let error = error.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("npm could not install server@latest") && text.contains("E404"), "{text}");
    assert!(!text.contains('\x1b') && text.len() < 9_000);
    assert!(LockFile::load(&world.places.state).unwrap().packages.is_empty());
    let library = ready(&order, |job| {
        let ended = install(job, "1.0.0", "one")?;
        if job.program.argv[1] == "ci" {
            fs::write(tree_of(job).join("node_modules/server/package.json"), "{}")?;
        }
        Ok::<_, io::Error>(ended)
    });
    assert!(matches!(library, Err(PackageError::Entry(EntryError::NoProgram(_)))));
    assert!(LockFile::load(&world.places.state).unwrap().packages.is_empty());
    assert!(world.folder.path().exists());
}

#[test]
fn the_package_box_has_a_registry_and_nothing_else() {
    let mut world = world();
    world.caller.env.insert("npm_config_registry".into(), "https://registry.example/".into());
    world.caller.env.insert("NPM_TOKEN".into(), "hunter2".into());
    world.caller.env.insert("HTTPS_PROXY".into(), "http://proxy.example:1".into());
    let ask = ask("npx -y server");
    let mut jobs = Vec::new();
    ready(&order(&world, &ask), |job| {
        jobs.push(job.clone());
        install(job, "1.0.0", "one")
    })
    .unwrap();
    for job in jobs {
        let places: Vec<_> = job.rules.grants().iter().map(|grant| grant.place.to_string()).collect();
        assert_eq!(places, ["registry.example:443"]);
        let env: std::collections::BTreeMap<_, _> = job.program.env.iter().cloned().collect();
        assert_eq!(env["npm_config_ignore_scripts"], "true");
        assert_eq!(env["HTTPS_PROXY"], format!("http://{DOOR}"));
        assert!(!format!("{job:?}").contains("hunter2"));
        let writable = job.mounts.iter().filter(|mount| matches!(&mount.what, What::Bind(bind) if bind.writable));
        let writable: Vec<_> = writable.map(|mount| mount.target.display().to_string()).collect();
        assert_eq!(writable, [recipe::PACKAGE, "/opt/brig/work"]);
        let home = world.caller.home.display().to_string();
        let below_home: Vec<_> = job
            .mounts
            .iter()
            .filter(|mount| mount.target.starts_with(&home))
            .map(|mount| mount.target.clone())
            .collect();
        assert_eq!(below_home, [world.caller.home.join(".nvm/versions/node/v22.1.0")]);
    }
}
