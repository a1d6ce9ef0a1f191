//! The shapes of credentials, and placeholders to show in their stead. No I/O.
//!
//! [`looks_real`] says whether the value of a variable is, or holds, what looks like a real
//! credential; [`mask`] puts an obvious placeholder of the same length in its place, so that a
//! server which checks the format of its token starts all the same. A [`Secret`] holds a real one
//! in a way that cannot be printed. Nothing here remembers, logs or returns a part of a secret.
#![forbid(unsafe_code)]

mod entropy;
mod mask;
mod names;
mod pairs;
mod pem;
mod secret;
mod shapes;
mod url;

pub use mask::{Kind, Masked, fuzz_mask, looks_real, mask, placeholder};
pub use secret::Secret;
pub use shapes::{Body, SHAPES, Shape};
