//! Command lines and what they ask for.

use super::*;

#[test]
fn day_one_entries_work_with_one_word_changed() {
    let r = ok("-i --rm -e GITHUB_PERSONAL_ACCESS_TOKEN ghcr.io/github/github-mcp-server").request;
    assert_eq!(r.env, [EnvRequest::FromCaller { name: "GITHUB_PERSONAL_ACCESS_TOKEN".to_owned() }]);
    let r = ok("-i --rm --mount type=bind,src=/home/u/proj,dst=/projects/proj mcp/filesystem /projects");
    assert_eq!(r.request.mounts, [bind("/home/u/proj", "/projects/proj", Access::ReadOnly)]);
    let (source, target) = ("/home/u/proj".to_owned(), "/projects/proj".to_owned());
    assert!(r.notes.contains(&Note::ReadOnlyByDefault { source, target }));
    assert_eq!(
        r.request.program,
        Program::Image { reference: "mcp/filesystem".to_owned(), entrypoint: None, args: vec!["/projects".to_owned()] }
    );
    let r = ok("-i -v claude-memory:/app/dist --rm mcp/memory").request;
    let source = Source::Volume("claude-memory".to_owned());
    let target = "/app/dist".to_owned();
    assert_eq!(r.mounts, [MountRequest { source, target, access: Access::ReadWrite }]);
    let r = ok("-- npx -y @playwright/mcp@latest -v --privileged").request;
    assert_eq!(r.program, Program::Host { argv: words("npx -y @playwright/mcp@latest -v --privileged") });
    let r = ok("-u 1000:1000 x");
    assert_eq!(r.request.user.as_deref(), Some("1000:1000"));
    assert!(r.notes.contains(&Note::UserMapped { asked: "1000:1000".to_owned() }));
}

#[test]
fn flags_end_at_the_image_and_at_two_dashes() {
    let r = ok("--rm alpine -- ls -it --privileged").request;
    assert_eq!(
        r.program,
        Program::Image { reference: "alpine".to_owned(), entrypoint: None, args: words("-- ls -it --privileged") }
    );
    let Program::Image { reference, .. } = ok("-i - x").request.program else { panic!() };
    assert_eq!(reference, "-");
    assert_eq!(ok("-i -- a -- b").request.program, Program::Host { argv: words("a -- b") });
    for line in ["", "-i", "--", "-i --", "--rm --init"] {
        assert_eq!(error(line), FlagError::NothingToRun, "{line}");
    }
    assert_eq!(read(&[String::new(), "x".to_owned()]), Err(FlagError::NothingToRun));
}

#[test]
fn dockers_spellings_all_parse() {
    let a = [env("A", "B=C")];
    for line in lines(
        "
        -e A=B=C x
        -eA=B=C x
        -e=A=B=C x
        --env A=B=C x
        --env=A=B=C x
        -ie A=B=C x
        -iteA=B=C x
        ",
    ) {
        assert_eq!(ok(line).request.env, a, "{line}");
    }
    let with = |line: &str| ok(line).request;
    assert_eq!(with("-v=/a:/b:ro x"), with("--volume /a:/b:ro x"));
    assert_eq!(with("-m512m x").limits.memory, 512 * MIB);
    assert_eq!(with("-im=1.5G x").limits.memory, 3 * GIB / 2);
    assert_eq!(with("-it=false x"), with("x"));
    assert_eq!(with("--rm=false --init=0 --read-only=T -i=F x"), with("x"));
    assert_eq!(with("-e A= x").env, [env("A", "")]);
    assert_eq!(with("-e -v x").env, [EnvRequest::FromCaller { name: "-v".to_owned() }]);
    assert_eq!(with("-e A=1 -e A=2 --env-file f --env-file g x").env_files, ["f", "g"]);
    // As in Docker, a truth needs `=`: without one, `false` is the image.
    let Program::Image { reference, .. } = with("--rm false").program else { panic!() };
    assert_eq!(reference, "false");
}

#[test]
fn honoured_flags_set_what_they_say() {
    let r = ok("--name box-1 -w /a/./b/ --entrypoint= --platform linux/ARM64/v8 --pull always \
         --pids-limit 7 --cpus 1.5 --shm-size 1m --tmp-size 2m --file-size 3m --nofile 99 \
         --proc full --strict --stdio raw --here=rw -q --verbose img a b");
    assert!(r.quiet && r.verbose);
    let r = r.request;
    assert_eq!(r.name.as_deref(), Some("box-1"));
    assert_eq!(r.workdir.as_deref(), Some("/a/b"));
    assert_eq!(r.platform.as_deref(), Some("linux/arm64/v8"));
    assert_eq!((r.pull, r.stdio, r.here), (Pull::Always, Stdio::Raw, Some(Access::ReadWrite)));
    assert!(r.full_proc && r.strict && !r.allow_install_scripts);
    let l = &r.limits;
    assert_eq!((l.processes, l.milli_cpus, l.open_files), (7, Some(1500), 99));
    assert_eq!((l.shm, l.tmp, l.file_size), (MIB, 2 * MIB, 3 * MIB));
    let Program::Image { entrypoint, args, .. } = r.program else { panic!() };
    assert_eq!((entrypoint.as_deref(), args), (Some(""), words("a b")));
    assert!(ok("--allow-install-scripts -- npx x").request.allow_install_scripts);
    assert!(!ok("--strict --strict=false x").request.strict);
    assert_eq!(ok("--cpu-quota 50000 x").request.limits.milli_cpus, Some(500));
    assert_eq!(ok("--cpu-period 10000 --cpu-quota 50000 x").request.limits.milli_cpus, Some(5000));
    assert_eq!(ok("--here x").request.here, Some(Access::ReadOnly));
    assert_eq!(ok("--here=staged x").request.here, Some(Access::Staged));
    assert_eq!(ok("--here rw").request.here, Some(Access::ReadOnly), "rw is the image here");
}

#[test]
fn a_box_has_default_limits_when_nothing_is_said() {
    assert_eq!(ok("x").request.limits, brig_policy::limits::Limits::default());
    assert_eq!(ok("x").notes, []);
}

#[test]
fn help_is_no_run() {
    for line in ["--help", "-i --privileged --help", "--help x"] {
        assert_eq!(error(line), FlagError::HelpAsked);
        assert_eq!(error(line).exit_status(), 0);
    }
    assert!(matches!(error("-h"), FlagError::ValueMissing { .. }));
    assert!(error("-h").hint().unwrap().contains("--help"));
    let Program::Image { args, .. } = ok("x --help").request.program else { panic!() };
    assert_eq!(args, ["--help"]);
}

#[test]
fn sizes_of_the_command_line_are_bounded() {
    let most = vec!["x".to_owned(); ARGUMENTS_MOST];
    assert!(read(&most).is_ok());
    let more = vec!["x".to_owned(); ARGUMENTS_MOST + 1];
    assert_eq!(read(&more), Err(FlagError::TooManyArguments { count: ARGUMENTS_MOST + 1 }));
    let long = ["x".to_owned(), "y".repeat(ARGUMENT_LENGTH_MOST)];
    assert!(read(&long).is_ok());
    let longer = ["x".to_owned(), "y".repeat(ARGUMENT_LENGTH_MOST + 1)];
    let length = ARGUMENT_LENGTH_MOST + 1;
    assert_eq!(read(&longer), Err(FlagError::ArgumentTooLong { position: 2, length }));
    let nul = ["x\0".to_owned()];
    assert_eq!(read(&nul), Err(FlagError::ArgumentWithNul { position: 1 }));
}

#[test]
fn the_fuzz_entry_takes_these_lines() {
    fuzz_flags(b"-e\nA=B\n-v\n/a:/b\nx");
    fuzz_flags(b"\xff\0--mount\n");
    fuzz_flags(b"");
}
