//! Container images: references, archives, registries, layers and the store that holds them.
#![forbid(unsafe_code)]
