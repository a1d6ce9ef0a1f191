//! The only way out of a box.
#![forbid(unsafe_code)]
