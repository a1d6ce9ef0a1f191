//! What each virtual machine shows.

/// One machine.
pub(super) struct Case {
    /// Its name.
    pub(super) id: &'static str,
    /// What it shows that this machine may not.
    pub(super) shows: &'static str,
    /// Whether systemd is its first program; otherwise our script is.
    pub(super) systemd: bool,
    /// Added to the kernel's command line.
    pub(super) kernel: &'static str,
    /// Run as root before the tests.
    pub(super) before: &'static str,
    /// The crates whose integration tests run: those that build a box. Others only lose their
    /// patience under emulation.
    pub(super) crates: &'static [&'static str],
    /// Those of them to run, by their name in `tests/`; empty runs all.
    pub(super) only: &'static [&'static str],
}

impl Case {
    /// Whether a test of that crate and name runs here.
    pub(super) fn runs(&self, owner: &str, name: &str) -> bool {
        self.crates.contains(&owner) && (self.only.is_empty() || self.only.contains(&name))
    }
}

/// The machines, in the order in which they are run. Every one has Debian 12's kernel 6.1: Landlock
/// of ABI 2, which knows neither ports nor signals.
pub(super) const ALL: &[Case] = &[
    Case {
        id: "cgroup_v2",
        shows: "limits by cgroup v2 alone, in a delegated folder, and Landlock of an older kernel",
        systemd: false,
        kernel: "cgroup_no_v1=all",
        before: "mount -t cgroup2 none /sys/fs/cgroup
            echo '+memory +pids +cpu' > /sys/fs/cgroup/cgroup.subtree_control
            mkdir -p /sys/fs/cgroup/delegated/session
            echo '+memory +pids +cpu' > /sys/fs/cgroup/delegated/cgroup.subtree_control
            chown -R brigtest:brigtest /sys/fs/cgroup/delegated
            echo $$ > /sys/fs/cgroup/delegated/session/cgroup.procs",
        crates: &["brig-engine", "brig"],
        only: &[],
    },
    Case {
        id: "user_scope",
        shows: "a systemd user session that delegates a scope",
        systemd: true,
        kernel: "systemd.unified_cgroup_hierarchy=1",
        before: "",
        crates: &["brig-engine", "brig"],
        only: &[],
    },
    Case {
        id: "no_user_namespaces",
        shows: "kernel.unprivileged_userns_clone=0, as an administrator may set it",
        systemd: false,
        kernel: "cgroup_no_v1=all",
        before: "mount -t cgroup2 none /sys/fs/cgroup
            sysctl -q kernel.unprivileged_userns_clone=0",
        crates: &["brig-engine", "brig"],
        only: &["refused", "doctor"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_runs_the_tests_of_its_crates_and_no_other() {
        let narrow = &ALL[2];
        assert!(ALL[0].runs("brig-engine", "walls") && !ALL[0].runs("brig-sim", "protocol"));
        assert!(narrow.runs("brig", "doctor") && !narrow.runs("brig", "walls"));
    }

    #[test]
    fn no_two_machines_share_a_name() {
        let mut names: Vec<&str> = ALL.iter().map(|it| it.id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
