//! The only file of this crate that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place that prints")]

/// Results: what was asked for.
pub(crate) fn data(text: &str) {
    println!("{text}");
}

/// What is going on, for people: standard error.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// A heading in a long log.
pub(crate) fn heading(text: &str) {
    eprintln!("\n== {text}");
}

/// A question to a person; the answer is one line of standard input.
pub(crate) fn ask(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let mut line = String::new();
    matches!(std::io::stdin().read_line(&mut line), Ok(n) if n > 0) && matches!(line.trim(), "y" | "Y" | "yes")
}
