//! Runs a program of the host in a box whose root is the host's `/usr`: the engine alone, for trying.
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use brig_engine::launch::*;
use brig_engine::native::{BoxEvent, HELPER_ARG, Helper, helper_main};

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|arg| arg == HELPER_ARG) {
        return helper_main();
    }
    let t = std::time::Instant::now();
    let helper = Helper::spawn().unwrap();
    let usr = std::fs::metadata("/usr").unwrap();
    let bind = Bind {
        source: "/usr".into(),
        expect: FileId { dev: usr.dev(), ino: usr.ino() },
        writable: false,
        inside: vec![],
        owned: false,
    };
    let link = |name: &str| Entry::Link { path: format!("/{name}").into(), to: format!("usr/{name}").into() };
    let launch = Launch {
        name: "try".into(),
        root: Root::Empty,
        skeleton: ["bin", "lib", "lib64", "sbin"].map(link).into(),
        mounts: vec![Mount { target: "/usr".into(), what: What::Bind(bind) }],
        program: Program {
            file: args[1].clone(),
            argv: args[1..].to_vec(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            workdir: PathBuf::from("/"),
        },
        limits: Default::default(),
        identity: match rustix::process::geteuid().as_raw() {
            0 => Identity { uid: 65532, gid: 65532 },
            uid => Identity { uid, gid: rustix::process::getegid().as_raw() },
        },
        full_proc: false,
        unix_sockets: true,
        doors: vec![Door { address: "127.0.0.1:53".parse().unwrap(), transport: Transport::Tcp }],
    };
    let ready = match helper.start(&launch, brig_engine::cgroup::Group::create(&launch.name, &launch.limits)) {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("{error:?}\n{:?}", error.hint());
            return 125.into();
        }
    };
    eprintln!("ready after {:?}", t.elapsed());
    for wall in ready.walls() {
        eprintln!("{:20} {}", wall.wall.id, wall.state);
    }
    let (mut running, pipes) = ready.go().unwrap();
    drop(pipes.stdin);
    let out = std::thread::spawn(move || std::io::copy(&mut std::fs::File::from(pipes.stdout), &mut std::io::stdout()));
    let err = std::thread::spawn(move || std::io::copy(&mut std::fs::File::from(pipes.stderr), &mut std::io::stderr()));
    loop {
        let event = running.event();
        eprintln!("{event:?} after {:?}", t.elapsed());
        if event != BoxEvent::Started {
            break;
        }
    }
    drop((out.join(), err.join()));
    0.into()
}
