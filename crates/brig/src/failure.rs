//! Every library's error, as a text, a hint and an exit status.

use std::error::Error;

use brig_policy::flags::FlagError;
use brig_runtime::demo::DemoError;
use brig_runtime::run::RunError;

/// brig failed.
const FAILED: u8 = 125;

/// What main prints before it ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

impl From<FlagError> for Failure {
    fn from(error: FlagError) -> Self {
        Self { status: error.exit_status(), text: chain(&error), hint: error.hint() }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self { status: error.exit_status(), text: chain(&error), hint: error.hint() }
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self { status: FAILED, text: chain(&error), hint: error.hint() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { status: FAILED, text: chain(&error), hint: None }
    }
}

/// An error with its causes, each said once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
