//! What the machine of CI cannot do: each skip that is accepted there, with the reason.

use crate::screen;

/// The start of a skip's name, and why CI's machine cannot run it.
const EXPECTED: &[(&str, &str)] = &[
    ("advisories", "the advisory database is a git repository that cannot be fetched there"),
    ("somebody_elses_files", "only root may give files away; the leg as root runs it"),
    ("sockets_of_one_other_namespace_are_doors", "a thread's network namespace needs root; the leg as root runs it"),
    ("an_image_that_only_docker_has", "its own Docker daemon needs root; the leg as root runs it"),
    ("demo_wall_", "only root can have bubblewrap leave the user namespace out; the leg as root runs it"),
    ("version_manager", "the machine has one version manager, and an ordinary user none"),
    ("real_program", "an ordinary user has no interpreter of a version manager; the leg as root runs it"),
];

/// Lists the skips for people and returns how many are not expected.
pub(super) fn show(skips: &[String]) -> usize {
    if skips.is_empty() {
        return 0;
    }
    screen::heading("NOT TESTED HERE");
    let mut unexpected = 0;
    for skip in skips {
        let word = if expected(skip) { "expected  " } else { "unexpected" };
        unexpected += usize::from(!expected(skip));
        screen::note(&format!("{word} {skip}"));
    }
    unexpected
}

fn expected(skip: &str) -> bool {
    let name = skip.trim_start_matches("SKIP ");
    EXPECTED.iter().any(|(start, _)| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_that_nobody_argued_for_is_counted() {
        assert_eq!(show(&["SKIP advisories: offline".into()]), 0);
        assert_eq!(show(&["SKIP advisories: offline".into(), "SKIP walls: lazy".into()]), 1);
    }
}
