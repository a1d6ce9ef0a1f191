//! One session: plan, start, judge, stop. The only place where mechanisms meet.
#![forbid(unsafe_code)]

pub mod demo;
pub mod programs;
