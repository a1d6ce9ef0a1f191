//! Runs the cases one after the other, in the words of libtest.

use std::panic::catch_unwind;
use std::process::ExitCode;

use crate::scene::{Place, Scene};
use crate::{cases, rules};

/// Why a test cannot be run here.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

/// A test panics when it fails.
pub(crate) type Outcome = Result<(), Skip>;

/// The proofs of one wall, or of one rule of the box.
pub(crate) struct Case {
    /// The wall's id.
    pub(crate) wall: &'static str,
    pub(crate) proofs: &'static [Proof],
}

/// One attempt, and what must come of it.
pub(crate) struct Proof {
    pub(crate) name: &'static str,
    pub(crate) halves: Halves,
    pub(crate) who: Who,
    pub(crate) run: fn(&Scene<'_>) -> Outcome,
}

/// In which boxes an attempt is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halves {
    /// With the wall, and with the wall alone left out.
    Both,
    /// The same, but other walls that would refuse it too are left out in both.
    Beside,
    /// With the wall only: what is refused is refused by several, or is an allowed case.
    Held,
}

/// Who can run a proof.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    /// It changes users or groups, or looks at what root alone gets.
    Root,
    /// It looks at what is weaker without root.
    User,
}

impl Proof {
    pub(crate) const fn both(name: &'static str, run: fn(&Scene<'_>) -> Outcome) -> Self {
        Self { name, halves: Halves::Both, who: Who::Anybody, run }
    }

    pub(crate) const fn beside(name: &'static str, run: fn(&Scene<'_>) -> Outcome) -> Self {
        Self { name, halves: Halves::Beside, who: Who::Anybody, run }
    }

    pub(crate) const fn held(name: &'static str, run: fn(&Scene<'_>) -> Outcome) -> Self {
        Self { name, halves: Halves::Held, who: Who::Anybody, run }
    }

    pub(crate) const fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }
}

/// Whether brig was built so that it can leave walls out.
const BREACH: bool = cfg!(feature = "breach");

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    ignored: usize,
    left_out: usize,
    filtered: usize,
}

/// Runs the tests whose name contains one of the words; all when there is none.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let wanted: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let place = Place::make();
    let mut tally = Tally::default();
    one(&mut tally, &wanted, "every_wall_has_its_case", Who::Anybody, &mut || {
        cases::every_wall_has_its_case();
        Ok(())
    });
    for case in cases::CASES.iter().chain(rules::RULES) {
        for proof in case.proofs {
            half(&mut tally, &wanted, &Scene { place: &place, wall: case.wall, held: true }, proof);
            if proof.halves != Halves::Held {
                half(&mut tally, &wanted, &Scene { place: &place, wall: case.wall, held: false }, proof);
            }
        }
    }
    close(&tally)
}

fn half(tally: &mut Tally, wanted: &[&str], scene: &Scene<'_>, proof: &Proof) {
    let name = format!("{}::{}::{}", scene.wall, proof.name, if scene.held { "held" } else { "left_out" });
    if !BREACH && (proof.halves == Halves::Beside || !scene.held) {
        tally.left_out += 1;
        return;
    }
    one(tally, wanted, &name, proof.who, &mut || (proof.run)(scene));
}

fn one(tally: &mut Tally, wanted: &[&str], name: &str, who: Who, test: &mut dyn FnMut() -> Outcome) {
    if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word)) {
        tally.filtered += 1;
        return;
    }
    let root = rustix::process::geteuid().is_root();
    let why_not = match who {
        Who::Root if !root => Some("it needs root"),
        Who::User if root => Some("it is about ordinary users"),
        _ => None,
    };
    if let Some(why) = why_not {
        println!("test {name} ... ignored, {why}");
        tally.ignored += 1;
        return;
    }
    match catch_unwind(std::panic::AssertUnwindSafe(test)) {
        Ok(Ok(())) => println!("test {name} ... ok"),
        Ok(Err(Skip(why))) => {
            eprintln!("SKIP: {name}: {why}");
            println!("test {name} ... ok");
        }
        Err(_) => {
            println!("test {name} ... FAILED");
            tally.failed.push(name.to_owned());
            return;
        }
    }
    tally.passed += 1;
}

fn close(tally: &Tally) -> ExitCode {
    if tally.left_out > 0 {
        println!(
            "note: {} halves were left out: brig was built without the feature `breach`, so it cannot leave a wall \
             out; `cargo test -p brig --features breach --test walls` runs them",
            tally.left_out
        );
    }
    for name in &tally.failed {
        println!("failed: {name}");
    }
    let word = if tally.failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {} passed; {} failed; {} ignored; 0 measured; {} filtered out",
        tally.passed,
        tally.failed.len(),
        tally.ignored,
        tally.filtered
    );
    ExitCode::from(u8::from(!tally.failed.is_empty()))
}
