//! Real MCP servers in brig's box, driven by real clients through `brig run`, as people use them.
//!
//! The servers and clients are those that `cargo xtask test` keeps in `.cache/`. Each test runs once as whoever runs
//! it and, when that is root, once more as the ordinary user `brigtest`. What is missing is said on stderr
//! (`SKIP: what: why`); with `BRIG_REQUIRE=1` it is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed step is a failed test")]

mod clients;
mod day_one;
mod every_server;
mod grants;
mod packages;
mod registry;
mod servers;
mod world;
