//! What a test run printed, counted.

/// Counts of one leg.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    /// As the runner counted them; a test that skipped itself passed.
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// Long tests that were not asked for.
    pub(super) ignored: usize,
    /// The lines of tests that could not run here.
    pub(super) skips: Vec<String>,
    /// How many of `skips` a test wrote that the runner counted as passed.
    pub(super) skipped_inside: usize,
}

impl Tally {
    /// Adds what another leg counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.skipped_inside += other.skipped_inside;
        self.skips.extend(other.skips.iter().cloned());
    }

    /// Reads one line of output.
    pub(super) fn read(&mut self, line: &str) {
        let line = line.trim();
        // libtest without a capture writes `test name ... ` first, on the same line.
        let skip = line.find("SKIP").filter(|at| *at == 0 || line[..*at].ends_with("... "));
        let skip = skip.map(|at| &line[at + "SKIP".len()..]).filter(|rest| rest.starts_with([':', ' ']));
        let skip = skip.map(|rest| rest.trim_start_matches([':', ' ']));
        if let Some(what) = skip.filter(|what| what.contains(": ")) {
            self.skips.push(format!("SKIP {what}"));
            self.skipped_inside += 1;
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += number_before(rest, " passed");
            self.failed += number_before(rest, " failed");
            self.ignored += number_before(rest, " ignored");
        } else if is_plain_sum(line) {
            self.passed += number_before(line, " passed");
            self.failed += number_before(line, " failed");
        }
    }

    /// Passed, less those that could not run.
    pub(super) fn really_passed(&self) -> usize {
        self.passed.saturating_sub(self.skipped_inside)
    }
}

/// `N passed, N failed` alone on a line, as a runner without libtest ends.
fn is_plain_sum(line: &str) -> bool {
    let mut parts = line.split(", ");
    let counted = |part: Option<&str>, word: &str| {
        part.and_then(|it| it.strip_suffix(word)).is_some_and(|it| it.parse::<usize>().is_ok())
    };
    counted(parts.next(), " passed") && counted(parts.next(), " failed")
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split(word).next().filter(|it| it.len() < text.len()).unwrap_or_default();
    before.rsplit(|it: char| !it.is_ascii_digit()).next().and_then(|it| it.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_lines_and_skips_are_counted() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test walls::net ... SKIP net: no namespaces",
            "SKIP: cgroup: not writable",
            "SKIPPED by nobody: this line is no skip",
            "note: we do not SKIP this: it is prose",
            "test result: ok. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "5 passed, 2 failed",
            "there were 9 passed, we think",
        ] {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.ignored), (17, 3, 3));
        assert_eq!(tally.skips, ["SKIP net: no namespaces", "SKIP cgroup: not writable"]);
        assert_eq!(tally.really_passed(), 15);
    }
}
