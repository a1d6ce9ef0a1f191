//! Container images: references, archives, registries, layers and the store that holds them.
//!
//! [`Reference`] says what the user typed, [`Store`] holds what was fetched, [`obtain()`] brings the one
//! into the other and returns a [`Lease`] on an [`Image`]; [`Tree`] looks into it; [`Volumes`] keeps what a
//! server writes. All calls block. All bytes that come from outside are foreign: bounded in size,
//! count, depth and time, verified by digest, and never written outside the store.
#![forbid(unsafe_code)]

pub mod archive;
mod choice;
pub mod config;
pub mod daemon;
pub mod digest;
mod http;
mod json;
pub mod layer;
pub mod layout;
mod lock;
pub mod manifest;
mod obtain;
pub mod reference;
pub mod registry;
pub mod store;
pub mod tree;
pub mod volume;

pub use archive::fuzz_archive;
pub use choice::ChoiceError;
pub use config::{Config, fuzz_config};
pub use digest::Digest;
pub use http::HttpError;
pub use manifest::Platform;
pub use obtain::{Fetch, ObtainError, Sources, Wish, obtain};
pub use reference::{Reference, RegistryReference, fuzz_reference};
pub use registry::{OnProgress, Progress, Registry, RegistrySettings};
pub use store::{Image, Keep, Lease, Settings, Store};
pub use tree::Tree;
pub use volume::Volumes;
