//! What a well-formed message may still not do: one file for each check, one list.
//!
//! A check sees one message and the session's state, decides, and changes nothing. To add one:
//! write `checks/NAME.rs` with a `check` function, add it to [`CHECKS`], and add its rule to the
//! table in `rule.rs`.

mod batch;
mod initialize_in_batch;
mod server_request;

use crate::message::Message;
use crate::rule::Rule;
use crate::session::{Legacy, Sender};

/// What a check sees.
#[derive(Debug)]
pub(crate) struct Sight<'a> {
    pub(crate) sender: Sender,
    pub(crate) message: &'a Message<'a>,
    /// Whether the message came inside an array.
    pub(crate) in_batch: bool,
    pub(crate) legacy: Legacy,
}

/// One check: the rule that the message breaks, if it does.
type Check = fn(&Sight<'_>) -> Option<Rule>;

/// All checks, in the order in which they are asked; the first that objects is reported.
const CHECKS: &[Check] = &[batch::check, initialize_in_batch::check, server_request::check];

/// The first rule that the message breaks.
pub(crate) fn first_objection(sight: &Sight<'_>) -> Option<Rule> {
    CHECKS.iter().find_map(|check| check(sight))
}
