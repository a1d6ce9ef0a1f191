//! What holds for every command line, and for every spelling of one.

use brig_policy::flags::{FLAGS, Flag, Takes, fuzz_env_file, fuzz_flags, read};
use brig_policy::request::{EnvRequest, Program};
use proptest::prelude::*;

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// Arguments that look like flags, in part with values, so that the reader goes deep.
fn argument() -> impl Strategy<Value = String> {
    let flag = (0..FLAGS.len(), "(=|:|)([a-z0-9=:,/.-]{0,12}|true|false|host|none)")
        .prop_map(|(i, value)| format!("--{}{value}", FLAGS[i].long));
    let letters = "-[a-zA-Z]{1,3}(=|)[a-z0-9/:=]{0,8}";
    let mount = "(type=(bind|volume|tmpfs)|(src|dst)=[./~a-z]{1,5}|readonly|rw|tmpfs-size=[0-9]{1,3}m|\")(,(type=bind|dst=/[a-z.]{1,5}|src=/[a-z]{1,3}|ro|staged)){0,3}";
    let volume = "[./~a-z]{0,4}:[/.a-z]{0,5}(:(ro|rw|staged|z|shared|,){0,3})?";
    prop_oneof![4 => flag, 2 => letters, 2 => mount, 2 => volume, 1 => "[^\0]*", 1 => "--", 1 => "[a-z]{1,4}"]
}

fn with_value() -> Vec<&'static Flag> {
    FLAGS.iter().filter(|flag| matches!(flag.takes, Takes::Value(_))).collect()
}

fn truths() -> Vec<&'static Flag> {
    FLAGS.iter().filter(|flag| flag.takes == Takes::Nothing && flag.long != "help").collect()
}

proptest! {
    #[test]
    fn no_command_line_panics(args in prop::collection::vec(argument(), 0..12)) {
        fuzz_flags(args.join("\n").as_bytes());
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_flags(&data);
        fuzz_env_file(&data);
    }

    /// Each flag with a value means the same in every spelling, whether it is taken or not.
    #[test]
    fn spellings_of_a_value_are_equal(
        flag in prop::sample::select(with_value()),
        value in "[a-zA-Z0-9/][a-zA-Z0-9/:=,.-]{0,20}",
    ) {
        // Messages repeat the spelling, so errors are compared by their status and number.
        let outcome = |args: &[&str]| read(&owned(args)).map_err(|e| (e.exit_status(), e.hint().map(|h| h.lines().count())));
        let long = format!("--{}", flag.long);
        let reference = outcome(&[&long, &value, "img", "arg"]);
        prop_assert_eq!(&outcome(&[&format!("{long}={value}"), "img", "arg"]), &reference);
        for other in flag.also {
            prop_assert_eq!(&outcome(&[&format!("--{other}"), &value, "img", "arg"]), &reference);
        }
        if let Some(letter) = flag.short {
            prop_assert_eq!(&outcome(&[&format!("-{letter}"), &value, "img", "arg"]), &reference);
            prop_assert_eq!(&outcome(&[&format!("-{letter}={value}"), "img", "arg"]), &reference);
            // `-e=A` would be the spelling above, so a value that begins with `=` has none here.
            prop_assert_eq!(&outcome(&[&format!("-{letter}{value}"), "img", "arg"]), &reference);
            // Behind other letters; -q changes nothing of the request.
            let behind = outcome(&[&format!("-q{letter}"), &value, "img", "arg"]);
            prop_assert_eq!(behind.map(|r| r.request), reference.map(|r| r.request));
        }
    }

    #[test]
    fn a_truth_means_the_same_in_every_spelling(flag in prop::sample::select(truths()), wanted: bool) {
        let outcome = |arg: String| read(&owned(&[&arg, "img"])).map_err(|e| e.exit_status());
        let long = format!("--{}", flag.long);
        let reference = outcome(format!("{long}={wanted}"));
        let others = if wanted { ["1", "t", "T", "TRUE", "True"] } else { ["0", "f", "F", "FALSE", "False"] };
        for other in others {
            prop_assert_eq!(&outcome(format!("{long}={other}")), &reference);
        }
        if wanted {
            prop_assert_eq!(&outcome(long), &reference);
            if let Some(letter) = flag.short {
                prop_assert_eq!(&outcome(format!("-{letter}")), &reference);
            }
        }
    }

    #[test]
    fn what_follows_the_image_is_never_read(rest in prop::collection::vec(argument(), 0..6)) {
        let mut args = owned(&["--rm", "img"]);
        args.extend(rest.iter().cloned());
        let reading = read(&args).unwrap();
        let wanted = Program::Image { reference: "img".to_owned(), entrypoint: None, args: rest };
        prop_assert_eq!(reading.request.program, wanted);
    }

    #[test]
    fn what_follows_two_dashes_is_never_read(rest in prop::collection::vec(argument(), 0..6)) {
        let mut args = owned(&["--rm", "--", "npx"]);
        args.extend(rest.iter().cloned());
        let reading = read(&args).unwrap();
        prop_assert_eq!(reading.request.program, Program::Host { argv: args[2..].to_vec() });
    }

    #[test]
    fn variables_keep_every_byte(name in "[A-Za-z_][A-Za-z0-9_]{0,8}", value in "[^\0]*") {
        let reading = read(&owned(&["-e", &format!("{name}={value}"), "img"])).unwrap();
        prop_assert_eq!(reading.request.env, [EnvRequest::Literal { name, value }]);
    }

    /// Whatever else is wrong with a line, a variable's value shows in nothing that is printed.
    #[test]
    fn no_message_shows_the_value_of_a_variable(args in prop::collection::vec(argument(), 0..6)) {
        const SECRET: &str = "ZQXJ9secretvalue";
        let mut line = owned(&["-e", &format!("A={SECRET}")]);
        line.extend(args);
        line.push("img".to_owned());
        let shown = match read(&line) {
            Ok(reading) => format!("{reading:?}"),
            Err(error) => format!("{error} {error:?} {:?}", error.hint()),
        };
        prop_assert!(!shown.contains(SECRET), "{}", shown);
    }
}
