//! Real packages from the configured registries, through the door, and then run offline.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use brig_egress::decide::Refused;
use brig_egress::door::Event;
use brig_engine::launch::{Program, What};
use brig_runtime::lockfile::{Installer, LockFile};
use brig_runtime::packages::{Ask, Ended, Job, Order, PackageError, Places, Ready, pull, ready, recognise};
use brig_runtime::programs::Caller;
use brig_runtime::programs::machine::{environment, machine};
use serde_json::Value;

use crate::bwrap;

/// The registries are asked by one test at a time: their patience is shared.
static REGISTRY: Mutex<()> = Mutex::new(());

struct World {
    _folder: tempfile::TempDir,
    caller: Caller,
    places: Places,
}

/// A folder beside the build, where there is room; another user than the builder has the system's.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).or_else(|_| tempfile::tempdir()).unwrap()
}

fn world() -> World {
    let folder = scratch();
    let root = folder.path().canonicalize().unwrap();
    let places = Places { store: root.join("store"), state: root.join("state") };
    World { _folder: folder, caller: bwrap::caller(), places }
}

impl World {
    fn order<'a>(&'a self, ask: &'a Ask) -> Order<'a> {
        Order { ask, caller: &self.caller, places: &self.places, scripts: false }
    }

    /// `None` when the registry is out of reach, which is said.
    fn ready(&self, ask: &Ask) -> Option<Ready> {
        let _turn = REGISTRY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match ready(&self.order(ask), bwrap::start) {
            Err(PackageError::Failed { ended, .. }) if offline(&ended) => {
                let _ = Write::write_fmt(
                    &mut std::io::stderr(),
                    format_args!("SKIP real_program: the registry is out of reach: {}\n", ended.output),
                );
                None
            }
            other => Some(other.unwrap_or_else(|error| panic!("{error}\n{:?}", error.hint()))),
        }
    }
}

fn offline(ended: &Ended) -> bool {
    ended.record.events.iter().any(|(event, _)| matches!(event, Event::Unreachable(..)))
}

fn ask(line: &str) -> Ask {
    recognise(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap().unwrap()
}

fn never(_: &Job) -> Result<Ended, std::io::Error> {
    panic!("nothing is to be resolved")
}

/// Starts the package without any network, and asks it for its tools.
fn tools(ready: &Ready, home: &Path) -> Vec<String> {
    let machine = machine("brig-test").unwrap();
    let placed = ready.runtime.place(home).unwrap();
    let mut mounts = [machine.mounts, placed.mounts, vec![ready.mount.clone()]].concat();
    mounts.sort_by_key(|mount| mount.target.components().count());
    let skeleton = [machine.skeleton, placed.skeleton].concat();
    let program = Program {
        file: ready.file.clone(),
        argv: ready.argv.clone(),
        env: environment(&ready.runtime).into_iter().collect(),
        workdir: PathBuf::from("/"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut command = bwrap::command(&skeleton, &mounts, &program, scratch.path());
    command.arg("--").arg(&program.file).args(&program.argv[1..]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut call = |text: &str, id: Option<u64>| -> Value {
        writeln!(stdin, "{text}").unwrap();
        let Some(id) = id else { return Value::Null };
        loop {
            let line = lines.next().expect("the server answers").unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id && message.get("result").is_some() {
                return message["result"].clone();
            }
        }
    };
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    assert!(call(initialize, Some(1))["serverInfo"].is_object());
    call(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, None);
    let listed = call(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#, Some(2));
    let names = listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    let names = names.collect();
    drop(stdin);
    child.wait().unwrap();
    names
}

fn tree(ready: &Ready) -> PathBuf {
    let What::Bind(bind) = &ready.mount.what else { panic!() };
    bind.source.clone()
}

#[test]
fn an_npm_server_is_resolved_once_and_runs_offline() {
    if !bwrap::is_here() {
        return;
    }
    let world = world();
    let ask = ask("npx -y @modelcontextprotocol/server-everything");
    let Some(first) = world.ready(&ask) else {
        return;
    };
    assert!(first.fresh);
    assert!(tools(&first, &world.caller.home).contains(&"echo".to_owned()));
    let begin = std::time::Instant::now();
    let again = ready(&world.order(&ask), never).unwrap();
    println!("{:?}, {} packages, looked up in {:?}", first.argv, first.locked.resolved.len(), begin.elapsed());
    assert_eq!(again.locked, first.locked);

    // The cache is gone: the same tree is made again, from what the lock keeps.
    fs::remove_dir_all(&world.places.store).unwrap();
    let Some(remade) = world.ready(&ask) else {
        return;
    };
    assert_eq!(remade.locked, first.locked);
}

#[test]
fn a_python_server_is_resolved_once_and_runs_offline() {
    if !bwrap::is_here() {
        return;
    }
    let world = world();
    let ask = ask("uvx mcp-server-time --local-timezone UTC");
    let Some(first) = world.ready(&ask) else {
        return;
    };
    assert_eq!(tools(&first, &world.caller.home), ["get_current_time", "convert_time"]);
    assert_eq!(ready(&world.order(&ask), never).unwrap().locked, first.locked);
    fs::remove_dir_all(&world.places.store).unwrap();
    let Some(remade) = world.ready(&ask) else {
        return;
    };
    assert_eq!(remade.locked, first.locked);
}

#[test]
fn uv_installs_where_the_host_has_it() {
    if !bwrap::is_here() {
        return;
    }
    // uv itself, from the index, once for all runs of this test.
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv-environment");
    if !environment.join("bin/uv").is_file() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).status();
        let installed = made.is_ok_and(|status| status.success())
            && Command::new(environment.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "uv"])
                .status()
                .is_ok_and(|status| status.success());
        if !installed {
            let _ = Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIP real_program: uv cannot be installed on this machine\n"),
            );
            return;
        }
    }
    let mut world = world();
    // Only uv is taken from there: its Python must not become the package's.
    let bin = scratch();
    std::os::unix::fs::symlink(environment.join("bin/uv"), bin.path().join("uv")).unwrap();
    world.caller.path = format!("{}:{}", bin.path().canonicalize().unwrap().display(), world.caller.path);
    let ask = ask("uvx mcp-server-time");
    let Some(first) = world.ready(&ask) else {
        return;
    };
    assert_eq!(first.locked.installer, Installer::Uv);
    assert_eq!(tools(&first, &world.caller.home).len(), 2);
    fs::remove_dir_all(&world.places.store).unwrap();
    let Some(remade) = world.ready(&ask) else {
        return;
    };
    assert_eq!(remade.locked, first.locked);
}

#[test]
fn install_scripts_do_not_run() {
    if !bwrap::is_here() {
        return;
    }
    // A package whose only purpose is a script at installation writes a file beside itself.
    let world = world();
    let ask = ask("npx -y esbuild@0.21.5");
    let Some(first) = world.ready(&ask) else {
        return;
    };
    // esbuild's script replaces its JavaScript stub by the native program; unrun, the stub is still there.
    let stub = fs::read(tree(&first).join("node_modules/esbuild/bin/esbuild")).unwrap();
    assert!(stub.starts_with(b"#!"), "esbuild's installation script ran");
    let allowed = Order { scripts: true, ..world.order(&ask) };
    let _turn = REGISTRY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let allowed = pull(&allowed, bwrap::start).unwrap();
    let native = fs::read(tree(&allowed).join("node_modules/esbuild/bin/esbuild")).unwrap();
    assert!(native.starts_with(b"\x7fELF"), "with permission the script runs");
    assert_eq!(LockFile::load(&world.places.state).unwrap().packages.len(), 2);
}

/// What a hostile package would try, in the very box in which packages are installed.
const HOSTILE: &str = r#"
        const net = require('net');
        const ask = (line) => new Promise((done) => {
            const socket = net.connect(3128, '127.0.0.1', () => socket.write(line + '\r\n\r\n'));
            socket.on('data', (data) => { console.log(line, '->', String(data).split('\r\n')[0]); socket.destroy(); done(); });
            socket.on('error', done);
        });
        const direct = (host) => new Promise((done) => {
            const socket = net.connect(443, host, () => { console.log('REACHED', host); done(); });
            socket.on('error', (error) => { console.log(host, '->', error.code); done(); });
        });
        (async () => {
            await ask('CONNECT 169.254.169.254:80 HTTP/1.1');
            await ask('GET http://127.0.0.1:1/ HTTP/1.1');
            await ask('CONNECT evil.example:443 HTTP/1.1');
            await direct('203.0.113.1');
        })();
    "#;

#[test]
fn the_door_leads_to_the_registry_only() {
    if !bwrap::is_here() {
        return;
    }
    let world = world();
    let ask = ask("npx -y server");
    let mut seen = None;
    let result = ready(&world.order(&ask), |job| {
        let mut job = job.clone();
        job.program.file = "/usr/bin/env".into();
        job.program.argv = ["env", "node", "-e", HOSTILE].map(str::to_owned).to_vec();
        let ended = bwrap::start(&job)?;
        seen = Some(ended.clone());
        Ok::<_, std::io::Error>(Ended { status: 1, ..ended })
    });
    assert!(matches!(result, Err(PackageError::Failed { .. })));
    let ended = seen.unwrap();
    assert_eq!(ended.output.matches("403 Forbidden").count(), 3, "{}", ended.output);
    assert!(ended.output.contains("203.0.113.1 -> ENETUNREACH"), "{}", ended.output);
    let refused = |event: &Event| matches!(event, Event::Refused(Refused::Address(_) | Refused::Host(_)));
    assert_eq!(ended.record.events.iter().filter(|(event, _)| refused(event)).count(), 3, "{:?}", ended.record);
}
