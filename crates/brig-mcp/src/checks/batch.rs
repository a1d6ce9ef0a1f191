//! Arrays of messages: protocol version 2025-03-26 wanted them received, all others have none.
//! The members were parsed before this is asked, so an array is never a way around a policy.

use super::Sight;
use crate::rule::Rule;
use crate::session::Legacy;

pub(super) fn check(sight: &Sight<'_>) -> Option<Rule> {
    (sight.in_batch && sight.legacy != Legacy::Agreed { batches: true }).then_some(Rule::Batch)
}
