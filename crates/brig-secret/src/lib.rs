//! The shapes of credentials, and placeholders to show in their stead. No I/O.
//!
//! [`looks_real`] says whether the value of a variable is, or holds, what looks like a real
//! credential; [`mask`] puts an obvious placeholder of the same length in its place, so that a
//! server which checks the format of its token starts all the same. Nothing here remembers,
//! logs or returns a part of a secret.
#![forbid(unsafe_code)]

mod entropy;
mod filler;
mod kind;
mod mask;
mod names;
mod pairs;
mod pem;
mod shapes;
mod url;

pub use kind::{Body, Kind};
pub use mask::{Masked, fuzz_mask, looks_real, mask, placeholder};
pub use shapes::{SHAPES, Shape};
