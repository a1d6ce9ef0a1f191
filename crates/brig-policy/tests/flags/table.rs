//! The table of flags, walked: nothing twice, nothing without its reason.

use std::collections::BTreeSet;

use brig_policy::flags::{Case, Disposition, FLAGS, Flag, Origin, Takes, When};

fn dispositions(flag: &Flag) -> Vec<Disposition> {
    match flag.disposition {
        Disposition::ByValue(cases) => cases.iter().map(|case| case.then).collect(),
        other => vec![other],
    }
}

#[test]
fn flags_are_sorted_and_nothing_is_there_twice() {
    let names: Vec<&str> = FLAGS.iter().map(|flag| flag.long).collect();
    assert!(names.is_sorted(), "the table is in the order of the names");
    let every: Vec<&str> = FLAGS.iter().flat_map(|f| [f.long].into_iter().chain(f.also.iter().copied())).collect();
    assert_eq!(every.iter().collect::<BTreeSet<_>>().len(), every.len(), "a name is there twice");
    let letters: Vec<char> = FLAGS.iter().filter_map(|flag| flag.short).collect();
    assert_eq!(letters.iter().collect::<BTreeSet<_>>().len(), letters.len());
}

#[test]
fn names_and_letters_are_plain() {
    for flag in FLAGS {
        for name in [flag.long].iter().chain(flag.also) {
            assert!(name.len() > 1 && name.len() <= 32, "{name}: misspellings are matched up to 32");
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(name.bytes().all(plain) && !name.starts_with('-'), "{name}");
        }
        assert!(flag.short.is_none_or(|c| c.is_ascii_alphabetic()), "{flag}");
    }
}

#[test]
fn every_disposition_says_why_and_what_instead() {
    for flag in FLAGS {
        for disposition in dispositions(flag) {
            let texts: Vec<&str> = match disposition {
                Disposition::Honoured { about, .. } => vec![about],
                Disposition::Harmless { because } => vec![because],
                Disposition::Refused { gives_away, why, instead } => {
                    assert!(!gives_away.is_empty(), "{flag} gives away nothing: then why refuse it?");
                    vec![why, instead]
                }
                Disposition::NotServed { instead } => vec![instead],
                Disposition::Wrong { expects } => vec![expects],
                Disposition::ByValue(_) => panic!("{flag}: a case of cases"),
            };
            for text in texts {
                assert!(text.len() >= 4, "{flag}: {text:?} says nothing");
                assert!(!text.ends_with('.'), "{flag}: {text:?} ends with a full stop");
                assert_eq!(text.trim(), text, "{flag}");
            }
        }
    }
}

#[test]
fn cases_end_with_one_for_every_value() {
    for flag in FLAGS {
        let Disposition::ByValue(cases) = flag.disposition else {
            continue;
        };
        let any = |case: &Case| case.when == When::Any;
        assert!(cases.last().is_some_and(any), "{flag}: the last case must fit always");
        assert_eq!(cases.iter().filter(|case| any(case)).count(), 1, "{flag}");
        assert!(cases.len() > 1, "{flag} does not depend on its value");
        for (i, case) in cases.iter().enumerate() {
            // Each named value reaches its own case, not an earlier one.
            let values: Vec<String> = match case.when {
                When::OneOf(all) | When::NoCase(all) => all.iter().map(ToString::to_string).collect(),
                When::StartsWith(start) => vec![start.to_owned()],
                When::Pair(key, value) => vec![format!("{key}={value}"), format!("{key}:{value}")],
                When::PairBool(key, truth) => {
                    vec![format!("{key}={truth}"), format!("{key}:{truth}")]
                }
                When::Any => vec!["no-such-value".to_owned()],
            };
            for value in values {
                let first = cases.iter().position(|case| case.when.fits(&value));
                assert_eq!(first, Some(i), "{flag} {value}");
                assert_eq!(flag.judge(&value), case.then, "{flag} {value}");
            }
        }
    }
}

#[test]
fn flags_without_a_value_are_judged_as_true_and_false() {
    for flag in FLAGS.iter().filter(|flag| flag.takes == Takes::Nothing) {
        if let Disposition::ByValue(cases) = flag.disposition {
            let named: Vec<_> = cases.iter().filter(|case| case.when != When::Any).collect();
            for case in named {
                let ok = matches!(case.when, When::OneOf(&["true"] | &["false"]));
                assert!(ok, "{flag}: {:?} never comes", case.when);
            }
        }
    }
}

#[test]
fn brigs_own_flags_never_widen_by_being_left_out() {
    for flag in FLAGS.iter().filter(|flag| flag.origin == Origin::Brig) {
        assert!(
            matches!(flag.disposition, Disposition::Honoured { .. }),
            "{flag}: a flag of our own that does nothing"
        );
    }
}
