//! Rule 5: what a box can do to its own pipes does not end the session.

use crate::runner::{Case, Outcome, Proof};
use crate::scene::Scene;

pub(super) const CASE: Case = Case { wall: "rule-5", proofs: &[Proof::held("raw", raw), Proof::held("mcp", mcp)] };

fn raw(scene: &Scene<'_>) -> Outcome {
    session(scene, &[], ("hello\n", "answer"));
    Ok(())
}

fn mcp(scene: &Scene<'_>) -> Outcome {
    let question = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    session(scene, &["--stdio", "mcp"], (question, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
    Ok(())
}

/// Stdin opened again for writing and stdout for reading, both resized and made packets; then a
/// question and an answer.
fn session(scene: &Scene<'_>, flags: &[&str], (question, answer): (&str, &str)) {
    let mut living = scene.boxed().flags(flags).start(&["reopen-pipes", answer]);
    living.write(question);
    assert_eq!(living.line(), answer);
    let told = living.finish();
    assert!(told.status.success(), "{told:?}");
    for done in ["stdin for writing: ok", "stdout for reading: ok", "resized: ok 4096", "packets: ok"] {
        assert!(told.err.contains(done), "{done}: {told:?}");
    }
}
