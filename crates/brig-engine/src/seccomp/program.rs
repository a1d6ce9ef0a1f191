//! Compiles the rules into one classic BPF program (seccomp(2), linux/filter.h).
//!
//! The `seccompiler` crate was weighed and left: it cannot end a process for the x32 convention, nor
//! return two different errors from one program, and a second program costs every call again. This
//! one is a binary search over the call numbers, so that a call costs eight comparisons, not 300.

use super::{Errno, Rule, Test, Verdict};
use crate::sys::Instruction;

/// Offset of `nr` in `struct seccomp_data`.
const NUMBER: u32 = 0;
/// Offset of `arch`.
const ARCH: u32 = 4;
/// Offset of `args[0]`; each argument is 8 bytes, little-endian on both architectures we know.
const ARGS: u32 = 16;

/// What `arch` must say (linux/audit.h).
#[cfg(target_arch = "x86_64")]
const OUR_ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const OUR_ARCH: u32 = 0xC000_00B7;
/// Set in the number of every x32 call, which would slip past tests for 64-bit numbers.
#[cfg(target_arch = "x86_64")]
const X32_BIT: u32 = 0x4000_0000;

/// The program for these rules, which must be sorted by number.
pub(crate) fn compile(rules: &[Rule]) -> Vec<Instruction> {
    let mut code =
        vec![load(ARCH), jump(libc::BPF_JEQ, OUR_ARCH, 1, 0), ret(libc::SECCOMP_RET_KILL_PROCESS), load(NUMBER)];
    #[cfg(target_arch = "x86_64")]
    code.extend([jump(libc::BPF_JGE, X32_BIT, 0, 1), ret(libc::SECCOMP_RET_KILL_PROCESS)]);
    code.extend(search(rules));
    code
}

/// Finds the rule of the loaded number, halving the list at each step.
fn search(rules: &[Rule]) -> Vec<Instruction> {
    match rules {
        [] => vec![ret(errno(Errno::NoSys))],
        [rule] => {
            let found = verdict(rule.verdict);
            let mut code = vec![jump(libc::BPF_JEQ, number(rule), 1, 0), ret(errno(Errno::NoSys))];
            code.extend(found);
            code
        }
        _ => {
            let (left, right) = rules.split_at(rules.len() / 2);
            let pivot = number(&right[0]);
            let (left, right) = (search(left), search(right));
            // A conditional jump reaches 255 instructions, an unconditional one any distance.
            let mut code = vec![jump(libc::BPF_JGE, pivot, 0, 1), skip(left.len())];
            code.extend(left);
            code.extend(right);
            code
        }
    }
}

fn verdict(verdict: Verdict) -> Vec<Instruction> {
    match verdict {
        Verdict::Allow => vec![ret(libc::SECCOMP_RET_ALLOW)],
        Verdict::Refuse(error) => vec![ret(errno(error))],
        Verdict::AllowIf(alternatives, error) => {
            let mut code = Vec::new();
            for tests in alternatives {
                code.extend(alternative(tests, libc::SECCOMP_RET_ALLOW));
            }
            code.push(ret(errno(error)));
            code
        }
        Verdict::AllowUnless(alternatives, error) => {
            let mut code = Vec::new();
            for tests in alternatives {
                code.extend(alternative(tests, errno(error)));
            }
            code.push(ret(libc::SECCOMP_RET_ALLOW));
            code
        }
    }
}

/// Returns `action` when all tests hold, else falls through to what follows.
fn alternative(tests: &[Test], action: u32) -> Vec<Instruction> {
    // Built from the back, since a failed test jumps over all that is left.
    let mut code = vec![ret(action)];
    for test in tests.iter().rev() {
        let mut one = Vec::new();
        match *test {
            Test::Is(arg, value) => one.extend([load(low(arg)), unless(value, code.len())]),
            Test::Differs(arg, value) => one.extend([load(low(arg)), jump(libc::BPF_JEQ, value, reach(code.len()), 0)]),
            Test::Masked(arg, mask, value) => {
                one.extend([load(low(arg)), and(mask), unless(value, code.len())]);
            }
            Test::Null(arg) => {
                one.extend([load(low(arg)), unless(0, code.len() + 2), load(low(arg) + 4), unless(0, code.len())])
            }
        }
        one.extend(code);
        code = one;
    }
    code
}

fn number(rule: &Rule) -> u32 {
    u32::try_from(rule.number).unwrap_or(u32::MAX)
}

fn low(arg: u8) -> u32 {
    ARGS + u32::from(arg) * 8
}

fn errno(error: Errno) -> u32 {
    let number = match error {
        Errno::Perm => libc::EPERM,
        Errno::NoSys => libc::ENOSYS,
        Errno::Family => libc::EAFNOSUPPORT,
    };
    libc::SECCOMP_RET_ERRNO | number.unsigned_abs()
}

/// Jumps over `distance` instructions unless the loaded word is `value`. Alternatives are a handful
/// of instructions, so the distance fits; a test holds that for the whole table.
fn unless(value: u32, distance: usize) -> Instruction {
    jump(libc::BPF_JEQ, value, 0, reach(distance))
}

fn reach(distance: usize) -> u8 {
    u8::try_from(distance).unwrap_or(u8::MAX)
}

fn load(offset: u32) -> Instruction {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn and(mask: u32) -> Instruction {
    instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask, 0, 0)
}

fn jump(test: u32, value: u32, if_true: u8, if_false: u8) -> Instruction {
    instruction(libc::BPF_JMP | test | libc::BPF_K, value, if_true, if_false)
}

fn skip(distance: usize) -> Instruction {
    instruction(libc::BPF_JMP | libc::BPF_JA, u32::try_from(distance).unwrap_or(u32::MAX), 0, 0)
}

fn ret(action: u32) -> Instruction {
    instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code: u16::try_from(code).unwrap_or(u16::MAX), jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::rules;

    /// Runs a program as the kernel would, for the instructions that we emit.
    fn run(code: &[Instruction], arch: u32, number: u32, args: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(number.to_le_bytes());
        data.extend(arch.to_le_bytes());
        data.extend([0; 8]);
        args.iter().for_each(|arg| data.extend(arg.to_le_bytes()));
        let (mut at, mut word) = (0, 0_u32);
        loop {
            let Instruction { code: op, jt, jf, k } = code[at];
            at += 1;
            let taken = |yes: bool| usize::from(if yes { jt } else { jf });
            match u32::from(op) {
                0x20 => word = u32::from_le_bytes(data[k as usize..][..4].try_into().unwrap()),
                0x54 => word &= k,
                0x15 => at += taken(word == k),
                0x35 => at += taken(word >= k),
                0x05 => at += k as usize,
                0x06 => return k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    fn ask(name: &str, args: [u64; 6]) -> u32 {
        let rules = rules(false);
        let number = rules.iter().find(|rule| rule.name == name).expect(name).number;
        run(&compile(&rules), OUR_ARCH, u32::try_from(number).unwrap(), args)
    }

    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
    const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

    #[test]
    fn every_rule_is_found_and_every_gap_is_not_implemented() {
        let rules = rules(true);
        let code = compile(&rules);
        for number in 0..700 {
            let got = run(&code, OUR_ARCH, number, [0; 6]);
            match rules.iter().find(|rule| rule.number == i64::from(number)) {
                None => assert_eq!(got, errno(Errno::NoSys), "{number}"),
                Some(Rule { verdict: Verdict::Allow, name, .. }) => assert_eq!(got, ALLOW, "{name}"),
                Some(Rule { verdict: Verdict::Refuse(error), name, .. }) => assert_eq!(got, errno(*error), "{name}"),
                Some(_) => {}
            }
        }
    }

    #[test]
    fn foreign_conventions_are_killed() {
        let code = compile(&rules(true));
        assert_eq!(run(&code, 0x4000_0003, 0, [0; 6]), KILL, "32-bit x86");
        #[cfg(target_arch = "x86_64")]
        assert_eq!(run(&code, OUR_ARCH, X32_BIT, [0; 6]), KILL, "x32 read");
    }

    #[test]
    fn arguments_are_judged_on_their_low_half() {
        let newuser = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
        assert_eq!(ask("clone", [17, 0, 0, 0, 0, 0]), ALLOW);
        assert_eq!(ask("clone", [17 | newuser, 0, 0, 0, 0, 0]), errno(Errno::Perm));
        assert_eq!(ask("socket", [2, 1, 0, 0, 0, 0]), ALLOW, "TCP");
        assert_eq!(ask("socket", [0xdead_0000_0002, 1, 6, 0, 0, 0]), ALLOW, "the kernel sees 2");
        assert_eq!(ask("socket", [1, 1, 0, 0, 0, 0]), errno(Errno::Family), "AF_UNIX");
        assert_eq!(ask("socket", [40, 1, 0, 0, 0, 0]), errno(Errno::Family), "AF_VSOCK");
        assert_eq!(ask("socket", [16, 3, 0, 0, 0, 0]), ALLOW, "netlink route");
        assert_eq!(ask("socket", [16, 3, 9, 0, 0, 0]), errno(Errno::Family), "netlink audit");
    }

    #[test]
    fn core_limits_are_read_but_not_set() {
        let core = u64::from(libc::RLIMIT_CORE);
        assert_eq!(ask("prlimit64", [0, core, 0, 0x7f00_0000_0000, 0, 0]), ALLOW);
        assert_eq!(ask("prlimit64", [0, core, 0x7f00_0000_0000, 0, 0, 0]), errno(Errno::Perm));
        assert_eq!(ask("prlimit64", [0, 7, 0x7f00_0000_0000, 0, 0, 0]), ALLOW, "open files of itself");
        assert_eq!(ask("prlimit64", [4, 7, 0x7f00_0000_0000, 0, 0, 0]), errno(Errno::Perm), "another's");
    }

    #[test]
    fn set_id_bits_are_never_made() {
        assert_eq!(ask("fchmodat", [0, 0, 0o755, 0, 0, 0]), ALLOW);
        assert_eq!(ask("fchmodat", [0, 0, 0o4755, 0, 0, 0]), errno(Errno::Perm));
        assert_eq!(ask("fchmod", [0, 0o2755, 0, 0, 0, 0]), errno(Errno::Perm));
        let create = u64::from(libc::O_CREAT.unsigned_abs());
        assert_eq!(ask("openat", [0, 0, create, 0o644, 0, 0]), ALLOW);
        assert_eq!(ask("openat", [0, 0, create, 0o4755, 0, 0]), errno(Errno::Perm));
        assert_eq!(ask("openat", [0, 0, 0, 0o4755, 0, 0]), ALLOW, "the mode is read with O_CREAT only");
    }

    #[test]
    fn jumps_fit() {
        assert!(compile(&rules(true)).len() < 4096, "the kernel's limit");
    }
}
