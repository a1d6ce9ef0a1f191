//! The shapes of credentials, and placeholders to show in their stead. No I/O.
#![forbid(unsafe_code)]
