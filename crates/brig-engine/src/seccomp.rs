//! Which system calls a box may make: the list as data (`allowed`, `refused`), and its compiler (`program`).
//!
//! Whatever is on neither list gets ENOSYS, as if this kernel were older, so that programs fall
//! back; what is refused by name gets EPERM; foreign calling conventions end the process.

mod allowed;
mod program;
mod refused;

pub(crate) use program::compile;

/// What happens to one system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is made.
    Allow,
    /// It is made when any of these alternatives holds; all tests of an alternative must.
    AllowIf(&'static [&'static [Test]], Errno),
    /// It is made, unless any of these alternatives holds.
    AllowUnless(&'static [&'static [Test]], Errno),
    /// It fails.
    Refuse(Errno),
}

/// The error that a refused call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errno {
    /// Not permitted: programs that know the call report it.
    Perm,
    /// Not implemented: programs that know an older way take it.
    NoSys,
    /// This address family is not supported.
    Family,
}

/// A test of the low 32 bits of one argument. The kernel ignores the upper half of `int` arguments,
/// so a test of 64 bits could be walked around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// `arg == value`
    Is(u8, u32),
    /// `arg != value`
    Differs(u8, u32),
    /// `arg & mask == value`
    Masked(u8, u32, u32),
    /// All 64 bits of a pointer argument are zero.
    Null(u8),
}

/// One line of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// The call's name in the man pages.
    pub(crate) name: &'static str,
    /// Its number on this architecture.
    pub(crate) number: libc::c_long,
    /// What happens.
    pub(crate) verdict: Verdict,
    /// Why.
    pub(crate) why: &'static str,
}

/// Every rule of a box, by number. `unix_sockets` says whether socket(AF_UNIX) is allowed.
pub(crate) fn rules(unix_sockets: bool) -> Vec<Rule> {
    let socket = if unix_sockets { allowed::SOCKET_WITH_UNIX } else { allowed::SOCKET_WITHOUT_UNIX };
    let lists = [allowed::ALLOWED, allowed::OLDER, refused::REFUSED, refused::REFUSED_HERE, refused::FALL_BACK];
    let mut rules: Vec<Rule> = lists.into_iter().flatten().copied().chain([socket]).collect();
    rules.sort_by_key(|rule| rule.number);
    rules
}

/// One line of the list, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The call's name in the man pages.
    pub name: &'static str,
    /// Its number on this kind of machine.
    pub number: i64,
    /// `allowed`, `allowed for some arguments`, or `refused`.
    pub verdict: &'static str,
    /// Why.
    pub why: &'static str,
}

/// The list of a box, by name.
#[must_use]
pub fn list(unix_sockets: bool) -> Vec<Listed> {
    let line = |rule: Rule| {
        let verdict = match rule.verdict {
            Verdict::Allow => "allowed",
            Verdict::AllowIf(..) | Verdict::AllowUnless(..) => "allowed for some arguments",
            Verdict::Refuse(_) => "refused",
        };
        Listed { name: rule.name, number: rule.number, verdict, why: rule.why }
    };
    let mut lines: Vec<Listed> = rules(unix_sockets).into_iter().map(line).collect();
    lines.sort_by_key(|line| line.name);
    lines
}

const fn rule(name: &'static str, number: libc::c_long, verdict: Verdict, why: &'static str) -> Rule {
    Rule { name, number, verdict, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_listed_twice_and_each_says_why() {
        let rules = rules(true);
        for pair in rules.windows(2) {
            assert_ne!(pair[0].number, pair[1].number, "{} and {}", pair[0].name, pair[1].name);
        }
        for rule in &rules {
            assert!(rule.why.len() > 8, "{} says no reason", rule.name);
        }
    }

    #[test]
    fn what_the_design_names_is_refused() {
        let rules = rules(true);
        for name in [
            "io_uring_setup",
            "bpf",
            "perf_event_open",
            "ptrace",
            "keyctl",
            "add_key",
            "request_key",
            "userfaultfd",
            "mount",
            "umount2",
            "pivot_root",
            "unshare",
            "setns",
            "open_by_handle_at",
            "kexec_load",
            "init_module",
            "process_vm_writev",
            "move_mount",
            "fsopen",
            "open_tree",
        ] {
            let rule = rules.iter().find(|rule| rule.name == name).expect(name);
            assert!(matches!(rule.verdict, Verdict::Refuse(_)), "{name}");
        }
    }
}
