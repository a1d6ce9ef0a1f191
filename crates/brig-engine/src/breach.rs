//! Leaving a wall out, so that its test can be seen to fail without it.
//!
//! Only the feature `breach` gives this module anything to do; a release is built without it, and
//! then nothing here reads anything: no wall can be left out. CI looks for its traces in the binary.

use crate::walls::Wall;

/// What CI looks for in a release: it stands in a binary that can leave walls out, and in no other.
#[cfg(feature = "breach")]
const MARK: &str = "BRIG-TEST-ONLY";

/// The walls to leave out: those that the variable names, separated by commas.
#[cfg(feature = "breach")]
pub(crate) fn walls() -> Vec<String> {
    std::hint::black_box(MARK);
    #[allow(clippy::disallowed_methods, reason = "test builds alone")]
    let list = std::env::var("BRIG_BREACH").unwrap_or_default();
    list.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// The walls to leave out: none.
#[cfg(not(feature = "breach"))]
pub(crate) const fn walls() -> [String; 0] {
    []
}

/// Whether a wall is to be left out, for what brig itself raises before there is an order.
pub(crate) fn is_breached(wall: &Wall) -> bool {
    walls().iter().any(|id| *id == wall.id)
}

/// Variables of whoever started brig, which the wall `environment` keeps out.
#[cfg(feature = "breach")]
pub(crate) fn variables() -> Vec<String> {
    #[allow(clippy::disallowed_methods, reason = "test builds alone: shows what the wall keeps out")]
    std::env::vars().map(|(name, value)| format!("{name}={value}")).collect()
}

/// Variables of whoever started brig: none.
#[cfg(not(feature = "breach"))]
pub(crate) const fn variables() -> [String; 0] {
    []
}
