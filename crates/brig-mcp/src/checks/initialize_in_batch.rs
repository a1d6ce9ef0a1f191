//! `initialize` in an array: 2025-03-26 forbids it, since its answer decides whether arrays exist.

use super::Sight;
use crate::message::Kind;
use crate::rule::Rule;

pub(super) fn check(sight: &Sight<'_>) -> Option<Rule> {
    let Kind::Request { method, .. } = &sight.message.kind else {
        return None;
    };
    (sight.in_batch && method.as_ref() == b"initialize").then_some(Rule::InitializeInBatch)
}
