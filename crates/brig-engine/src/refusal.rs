//! Why a machine refuses to make a box: what exactly refuses, and what to do about it.
//!
//! Read after a refusal, never before a start: the start itself is the only true answer.

use std::path::Path;

/// One thing that refuses namespaces to unprivileged processes here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What refuses.
    pub what: String,
    /// What to type, or to ask for.
    pub fix: String,
}

/// What is known of this machine after a refusal.
#[derive(Debug, Default)]
struct Facts {
    userns_clone: Option<String>,
    max_user_namespaces: Option<String>,
    apparmor: Option<String>,
    seccomp: bool,
    container: Option<&'static str>,
    root: bool,
}

/// Looks for everything that is known to refuse.
#[must_use]
pub fn causes() -> Vec<Cause> {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let status = read("/proc/self/status").unwrap_or_default();
    let container = [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")];
    judge(&Facts {
        userns_clone: read("/proc/sys/kernel/unprivileged_userns_clone"),
        max_user_namespaces: read("/proc/sys/user/max_user_namespaces"),
        apparmor: read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        seccomp: status.lines().any(|line| line.starts_with("Seccomp:") && line.ends_with('2')),
        container: container.into_iter().find(|(file, _)| Path::new(file).exists()).map(|(_, name)| name),
        root: rustix::process::geteuid().is_root(),
    })
}

fn judge(facts: &Facts) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |what: String, fix: &str| causes.push(Cause { what, fix: fix.to_owned() });
    if facts.userns_clone.as_deref() == Some("0") && !facts.root {
        add(
            "kernel.unprivileged_userns_clone is 0".to_owned(),
            "allow it: sudo sysctl -w kernel.unprivileged_userns_clone=1 (and in /etc/sysctl.d to keep it)",
        );
    }
    if facts.max_user_namespaces.as_deref() == Some("0") {
        add(
            "user.max_user_namespaces is 0".to_owned(),
            "allow some: sudo sysctl -w user.max_user_namespaces=15000 (and in /etc/sysctl.d to keep it)",
        );
    }
    if facts.apparmor.as_deref() == Some("1") && !facts.root {
        add(
            "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)".to_owned(),
            "give brig a profile: `brig doctor --apparmor-profile | sudo tee /etc/apparmor.d/brig` and \
             `sudo apparmor_parser -r /etc/apparmor.d/brig`",
        );
    }
    if let Some(container) = facts.container {
        add(
            format!("this is the inside of a {container} container, which refuses namespaces and covers /proc"),
            "run brig on the host; or start that container with --security-opt seccomp=unconfined \
             --security-opt systempaths=unconfined (which weakens it)",
        );
    } else if facts.seccomp {
        add(
            "a seccomp filter of whoever started brig refuses namespaces".to_owned(),
            "start brig outside that sandbox",
        );
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(facts: &Facts) -> Vec<String> {
        judge(facts).into_iter().map(|cause| cause.what).collect()
    }

    #[test]
    fn each_known_cause_is_named_with_its_own_value() {
        let says = |value: &str| Some(value.to_owned());
        assert!(named(&Facts { userns_clone: says("0"), ..Facts::default() })[0].contains("userns_clone"));
        assert!(named(&Facts { max_user_namespaces: says("0"), ..Facts::default() })[0].contains("max_user"));
        assert!(named(&Facts { apparmor: says("1"), ..Facts::default() })[0].contains("AppArmor"));
        assert!(named(&Facts { container: Some("Docker"), seccomp: true, ..Facts::default() })[0].contains("Docker"));
        assert!(named(&Facts { seccomp: true, ..Facts::default() })[0].contains("seccomp"));
        assert!(named(&Facts::default()).is_empty());
    }

    #[test]
    fn root_is_not_bound_by_what_binds_others() {
        assert!(named(&Facts { userns_clone: Some("0".to_owned()), root: true, ..Facts::default() }).is_empty());
    }
}
