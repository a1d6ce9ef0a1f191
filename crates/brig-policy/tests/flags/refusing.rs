//! What is refused, not served, wrong, or changes nothing.

use super::*;

/// What is refused, and the same flag with a value that is harmless.
const LESS_AND_SAFE: &str = "
    --privileged                           | --privileged=false
    --privileged=1                         | --privileged=f
    --cap-add SYS_ADMIN                    | --cap-drop ALL
    --cap-add=CAP_NET_BIND_SERVICE         | --cap-drop=NET_RAW
    --cap-add all                          | --cap-drop all
    --pid host                             | --pid=
    --pid=container:x                      | --pid=
    --ipc host                             | --ipc private
    --ipc container:x                      | --ipc none
    --uts host                             | --uts=
    --userns host                          | --userns keep-id
    --cgroupns host                        | --cgroupns private
    --network host                         | --network none
    --net=host                             | --net=none
    --network name=host                    | --network name=none
    --network container:x                  | --network none
    --security-opt seccomp=unconfined      | --security-opt seccomp=default
    --security-opt seccomp:unconfined      | --security-opt seccomp=builtin
    --security-opt apparmor=unconfined     | --security-opt apparmor=docker-default
    --security-opt label=disable           | --security-opt no-new-privileges
    --security-opt label:disable           | --security-opt no-new-privileges=true
    --security-opt systempaths=unconfined  | --security-opt no-new-privileges:true
    --security-opt no-new-privileges=false | --security-opt=no-new-privileges
    --security-opt no-new-privileges:0     | --security-opt=no-new-privileges:T
    --security-opt writable-cgroups=true   | --security-opt writable-cgroups=false
    --read-only=false                      | --read-only
    --use-api-socket                       | --use-api-socket=false
    --oom-kill-disable                     | --oom-kill-disable=false
    --oom-score-adj=-500                   | --oom-score-adj 500
    --memory-swap -1                       | --memory-swap 4g
    --runtime nvidia                       | --runtime runc
";

/// What is refused whatever its value, or because of one part of it.
const LESS: &str = "
    --device /dev/sda
    --device-cgroup-rule a
    --gpus all
    --volumes-from x
    --link db
    --group-add docker
    --ulimit core=-1
    --ulimit core=1
    -v /a:/b:shared
    -v /a:/b:ro,rslave
    -v /x:/proc
    -v /x:/sys/fs
    -v n:/dev/shm
    --tmpfs /dev
    --tmpfs /x:suid
    --mount type=bind,src=/a,dst=/b,bind-propagation=rshared
    --mount type=bind,src=/a,dst=/b,readonly,bind-recursive=writable
    --mount type=volume,src=v,dst=/b,volume-opt=type=none,volume-opt=device=/
";

#[test]
fn a_flag_that_asks_for_less_safety_is_refused_and_its_safe_value_is_not() {
    for line in lines(LESS_AND_SAFE) {
        let (less, safe) = line.split_once('|').unwrap();
        assert!(!refused(&format!("{less} x")).is_empty(), "{less}");
        harmless(&format!("{safe} x"));
    }
    for less in lines(LESS) {
        assert!(!refused(&format!("{less} x")).is_empty(), "{less}");
    }
}

#[test]
fn no_limit_is_refused_and_a_number_taken() {
    for flag in lines(
        "
        -m
        --memory
        --pids-limit
        --shm-size
        --tmp-size
        --file-size
        --nofile
        --cpus
        --cpu-quota
        ",
    ) {
        for none in ["0", "-1"] {
            assert_eq!(refused(&format!("{flag}={none} x")), [Asset::Machine], "{flag} {none}");
        }
        ok(&format!("{flag}=64000000 x").replace("--cpus=64000000", "--cpus=64"));
    }
    for none in ["nofile=-1", "fsize=-1:-1", "nproc=0", "nofile=1024:-1"] {
        assert_eq!(refused(&format!("--ulimit {none} x")), [Asset::Machine], "{none}");
    }
    assert_eq!(refused("--tmpfs /x:size=0 x"), [Asset::Machine]);
    assert_eq!(refused("--mount type=tmpfs,dst=/x,tmpfs-size=0 x"), [Asset::Machine]);
    let limits = ok("--ulimit nofile=10:20 --ulimit fsize=4096 --ulimit nproc=5 --ulimit core=0 x");
    let limits = limits.request.limits;
    assert_eq!((limits.open_files, limits.file_size, limits.processes), (10, 4096, 5));
    for line in ["-m 1m x", "--cpus 0.001 x", "--cpus 2e1 x", "-m 1e9 x", "--pids-limit 99999999999 x"] {
        assert!(matches!(wrong(line), WrongValue::Number(_)), "{line}");
    }
    assert_eq!(wrong("--ulimit nofile=2:1 x"), WrongValue::SoftAboveHard);
    assert_eq!(wrong("--ulimit nofile x"), WrongValue::Ulimit);
    assert_eq!(wrong("--ulimit bogus=1 x"), WrongValue::Ulimit);
    assert_eq!(wrong("--cpus 1 --cpu-quota 1000 x"), WrongValue::CpusTwice);
    assert_eq!(wrong("--cpu-period 10 x"), WrongValue::CpuPeriod);
}

#[test]
fn what_is_not_served_says_what_to_type() {
    for line in lines(
        "
        -p 8080:80
        -P
        -d
        --network bridge
        --network mynet
        --net mynet
        --dns 1.1.1.1
        --dns-opt ndots:1
        --add-host a:1.2.3.4
        --ip 1.2.3.4
        --network-alias a
        --net-alias a
        --restart always
        --restart on-failure:3
        --cidfile f
        --cpuset-cpus 0
        -c 512
        --log-driver syslog
        --sysctl a=b
        --storage-opt size=1g
        --runtime runsc
        --volume-driver nfs
        --ulimit memlock=-1:-1
        --stop-signal SIGINT
        --security-opt seccomp=/etc/profile.json
        --security-opt label=type:x
        --cpu-count 1
        --disable-content-trust=false
        --sig-proxy=false
        --isolation hyperv
        --mount type=image,src=a,dst=/b
        --mount type=volume,src=a,dst=/b,volume-subpath=c
        --mount type=bind,src=/a,dst=/b,bind-create-src
        ",
    ) {
        not_served(&format!("{line} x"));
    }
    let dns = error("--dns 1.1.1.1 x").hint().unwrap();
    assert!(dns.contains("loopback"), "{dns}");
}

#[test]
fn what_changes_nothing_is_accepted_and_mentioned() {
    for line in lines(
        "
        -i
        -t
        -it
        --rm
        --init
        --rm=false
        --tty=true
        -a stdin -a STDOUT
        --restart no
        --label a=b
        -l a
        --label-file f
        --annotation a=b
        -h host
        --hostname=host
        --domainname d
        --expose 80
        --health-cmd true
        --no-healthcheck
        --health-interval 5s
        --log-driver none
        --log-opt max-size=1m
        --stop-timeout 10
        --stop-signal SIGTERM
        --detach-keys a
        --sig-proxy
        --kernel-memory 1g
        --memory-reservation 1g
        --memory-swappiness 0
        --disable-content-trust
        -d=false
        --isolation default
        --volume-driver local
        ",
    ) {
        harmless(&format!("{line} x"));
    }
    let notes = ok("-t --tty -it x").notes;
    assert_eq!(notes.len(), 2, "each is said once: {notes:?}");
    assert!(notes.iter().any(|n| n.to_string().contains("terminal")));
}

#[test]
fn all_that_is_refused_is_reported_together() {
    let error = error("--privileged -v /a:/b:shared --dns 1.1.1.1 --cpus x --cap-add SYS_PTRACE img");
    let FlagError::NotTaken(problems) = &error else { panic!() };
    assert_eq!(problems.len(), 5);
    assert_eq!(error.exit_status(), EXIT_REFUSED, "refused outweighs the rest");
    assert_eq!((EXIT_REFUSED, EXIT_USAGE), (77, 2), "what scripts and clients rely on");
    let text = error.to_string();
    assert_eq!(text.lines().count(), 5);
    for part in ["--privileged is refused", "A01", "A03", "--dns 1.1.1.1 is not served", "--cap-add SYS_PTRACE"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert_eq!(error.hint().unwrap().lines().count(), 5);
}

#[test]
fn unknown_flags_end_the_reading_with_the_closest_one() {
    let closest = |line: &str| match error(line) {
        FlagError::UnknownFlag { flag, closest } => (flag, closest),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(closest("--volum /a:/b x"), ("--volum".to_owned(), Some("--volume".to_owned())));
    assert_eq!(closest("-name a x"), ("-n".to_owned(), Some("--name".to_owned())));
    assert_eq!(closest("-iy x"), ("-y".to_owned(), None));
    assert_eq!(closest("-i= x"), ("-=".to_owned(), None), "as in Docker");
    assert_eq!(closest("--frobnicate=1 x"), ("--frobnicate".to_owned(), None));
    assert_eq!(closest("--=1 x"), ("--".to_owned(), None));
    for line in ["--volum x", "--frobnicate x"] {
        assert_eq!(error(line).exit_status(), EXIT_USAGE);
        assert!(error(line).hint().is_some());
    }
}

#[test]
fn wrong_values_are_usage_errors_with_a_hint() {
    for line in lines(
        "
        --rm=maybe
        --name -x
        --name a/b
        --platform linux
        --platform a/b/c/d
        --pull often
        --stdio tty
        --proc none
        --here=yes
        -w work
        -w /a/..
        -e =x
        --user=
        -a stdio
        --pid bogus
        --security-opt writable-cgroups=x
        --ipc bogus
        --cgroupns bogus
        --userns bogus
        --uts bogus
        --security-opt bogus
        --allow-install-scripts
        ",
    ) {
        let error = error(&format!("{line} x"));
        assert_eq!(error.exit_status(), EXIT_USAGE, "{line}");
        let FlagError::NotTaken(problems) = &error else { panic!("{line}: {error:?}") };
        assert!(matches!(problems.as_slice(), [Problem::Wrong { .. }]), "{line}: {problems:?}");
        assert!(error.hint().is_some(), "{line}");
    }
    for line in ["--entrypoint a", "--platform linux/amd64", "--pull never"] {
        assert_eq!(wrong(&format!("{line} -- npx x")), WrongValue::OnlyForImages, "{line}");
    }
}

#[test]
fn no_message_shows_a_value_that_may_be_a_password() {
    const SECRET: &str = "hunter2hunter2";
    for line in [
        format!("-e =x{SECRET} x"),
        format!("-e A={SECRET} --privileged x"),
        format!("--tokens={SECRET} x"),
        format!("-y{SECRET} x"),
        format!("-l a={SECRET} --log-opt token={SECRET} --annotation a={SECRET} --privileged x"),
        format!("--mount type=volume,src=v,dst=/d,volume-opt=o=password={SECRET} x"),
    ] {
        let error = read(&words(&line)).unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let reading = ok(&format!("-e A={SECRET} -l a={SECRET} --log-opt token={SECRET} x"));
    assert!(!format!("{reading:?}").contains(SECRET));
}
