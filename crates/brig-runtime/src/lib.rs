//! One session: plan, start, judge, stop. The only place where mechanisms meet.
#![forbid(unsafe_code)]

pub mod demo;
pub mod environment;
pub mod grants;
pub mod kept;
pub mod lockfile;
pub mod note;
pub mod packages;
pub mod paths;
pub mod plan;
pub mod programs;
pub mod run;
pub mod runs;
pub mod session;
