//! Requests from the server (sampling, elicitation, roots, ping): part of legacy sessions, and
//! forbidden from 2026-07-28 on, where a client that gets one may do what no policy looked at.

use super::Sight;
use crate::message::Kind;
use crate::rule::Rule;
use crate::session::{Legacy, Sender};

pub(super) fn check(sight: &Sight<'_>) -> Option<Rule> {
    let request = matches!(sight.message.kind, Kind::Request { .. });
    (sight.sender == Sender::Server && request && sight.legacy == Legacy::No).then_some(Rule::ServerRequest)
}
