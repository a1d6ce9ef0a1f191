//! A simulated MCP server. It shares no code with brig's own parser, so that our bugs cannot hide.
//!
//! [`serve()`] is an ordinary, well-behaved server of both protocol eras whose tools (`echo`,
//! `read_file`, `fetch`, `get_env`, `run`) do whatever they are told. [`enter()`] is the whole hidden
//! subcommand: the server, the small programs that the demo and the tests start, and
//! [`BEHAVIOURS`], servers that misbehave on purpose.
//!
//! It never judges: what a call may reach is up to the walls around this process. It reads no
//! environment of its own accord, and prints nothing but to the output it is given.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fmt;

mod behaviours;
mod enter;
mod json;
mod protocol;
mod serve;
mod session;
mod tools;

pub use behaviours::{BEHAVIOURS, Behaviour};
pub use enter::{EnterError, enter};
pub use serve::serve;

/// What the simulator knows of the process it lives in. Only the caller looks.
#[derive(Clone, Default)]
pub struct Facts {
    /// The environment, for `get_env` and for what `run` starts.
    pub env: Vec<(OsString, OsString)>,
    /// The words that lead this very program (`/proc/self/exe`) to [`enter()`], such as `["__sim"]`.
    pub words: Vec<String>,
}

/// Shows no variable: the environment may hold secrets.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("words", &self.words).finish_non_exhaustive()
    }
}

/// Reads `bytes` as a client's lines. For fuzzing: whatever they are, it neither panics nor runs a
/// tool.
#[doc(hidden)]
pub fn fuzz_session(bytes: &[u8]) {
    let mut session = session::Session::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let _step = session.take(line);
    }
}
