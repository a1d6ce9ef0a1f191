//! The runner of libFuzzer, for one target that `BRIG_FUZZ_TARGET` names. `cargo xtask fuzz` builds
//! and starts it.
#![no_main]

use std::sync::OnceLock;

use brig_fuzz::targets::{self, Target};

static TARGET: OnceLock<Option<&'static Target>> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let chosen = TARGET.get_or_init(|| targets::find(&std::env::var("BRIG_FUZZ_TARGET").unwrap_or_default()));
    let target = chosen.expect("BRIG_FUZZ_TARGET names a target; `blind --list` shows them");
    (target.entry)(bytes);
});
