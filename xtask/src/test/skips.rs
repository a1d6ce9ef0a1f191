//! What the machine of CI cannot do: each skip that is accepted there, with the reason.

use crate::screen;

/// The start of a skip's name, and why CI's machine cannot run it.
const EXPECTED: &[(&str, &str)] = &[
    ("cgroup_v2", "the machine mounts cgroup v1; `cargo xtask test --vm` boots one with v2"),
    ("user_scope", "there is no systemd; `cargo xtask test --vm` boots one"),
    ("advisories", "the advisory database is a git repository that cannot be fetched there"),
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
        assert_eq!(show(&["SKIP cgroup_v2_limits: no v2".into()]), 0);
        assert_eq!(show(&["SKIP cgroup_v2_limits: no v2".into(), "SKIP walls: lazy".into()]), 1);
    }
}
