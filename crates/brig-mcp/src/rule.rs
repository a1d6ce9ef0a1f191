//! Every rule that a message can break, as a table: its name, what it says, what to do next.
//!
//! Nothing here reads a message. A rule never carries bytes of the message that broke it, so that
//! a refusal can be shown and stored without showing what was in the message.

use std::fmt;

/// How much of a message's place a rule knows, and which rule it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The rule that was broken.
    pub rule: Rule,
    /// The byte of the line at which it was noticed, counted from 0; `None` where the rule is about
    /// the message as a whole.
    pub at: Option<usize>,
}

impl Reason {
    /// A reason about a message as a whole.
    pub(crate) fn whole(rule: Rule) -> Self {
        Self { rule, at: None }
    }

    /// What to do next, in one sentence.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let entry = self.rule.entry();
        (!entry.next.is_empty()).then(|| entry.next.to_owned())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule.entry().says)?;
        match self.at {
            Some(at) => write!(f, " (byte {at} of the line)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Reason {}

/// One line of the table.
struct Entry {
    rule: Rule,
    name: &'static str,
    says: &'static str,
    next: &'static str,
}

/// What to do about a message that two readers could read differently: its writer has to change.
const REWRITE: &str = "write the message with one JSON serialiser and send it again; \
    for a server that you trust, `brig run --stdio raw …` passes bytes unjudged";
/// What to do about a server that breaks the protocol.
const SERVER: &str = "report it to the server's authors; \
    for a server that you trust, `brig run --stdio raw …` passes bytes unjudged";

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident, $name:literal, $says:expr, $next:expr;)+) => {
        /// A rule of the judge. Closed: a message breaks one of these or it is forwarded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule { $($(#[doc = $doc])+ $rule,)+ }

        const RULES: &[Entry] = &[
            $(Entry { rule: Rule::$rule, name: $name, says: $says, next: $next },)+
        ];
    };
}

rules! {
    /// Not JSON (RFC 8259) at all, or broken in the middle.
    NotJson, "not-json", "this line is not JSON", SERVER;
    /// JSON, but neither an object nor an array of objects with `"jsonrpc":"2.0"`.
    NotJsonRpc, "not-json-rpc", "this line is JSON, but not a JSON-RPC 2.0 message", SERVER;
    /// Longer than [`MESSAGE_LIMIT`](crate::frame::MESSAGE_LIMIT).
    TooLong, "too-long", "the message is longer than 80 MiB",
        "send the content in parts, or as a resource link";
    /// Nested deeper than [`DEPTH_LIMIT`](crate::scan::DEPTH_LIMIT).
    TooDeep, "too-deep", "objects and arrays are nested deeper than 100 levels",
        "send a flatter message";
    /// A byte order mark, which some readers skip and others refuse.
    ByteOrderMark, "byte-order-mark", "the line begins with a byte order mark", REWRITE;
    /// Bytes that are no UTF-8: readers replace, drop or refuse them.
    Utf8, "utf-8", "a string holds bytes that are not UTF-8", REWRITE;
    /// Half of a surrogate pair: readers replace, keep or refuse it.
    Surrogate, "lone-surrogate", "a string holds half of a surrogate pair (\\ud800 to \\udfff)", REWRITE;
    /// U+0000: a reader written in C ends the string there.
    Nul, "nul", "a string holds U+0000, where some programs end it", REWRITE;
    /// A control character that JSON wants escaped.
    Control, "control-character", "a string holds a control character that is not escaped", REWRITE;
    /// A carriage return in the middle: some readers end the line there and would see two messages.
    CarriageReturn, "carriage-return",
        "the line holds a carriage return, where some programs would end it", REWRITE;
    /// A number that is infinite for most readers.
    HugeNumber, "huge-number", "a number is larger than 1e308, which programs read differently", REWRITE;
    /// The same key twice: readers take the first, the last or both.
    DuplicateKey, "duplicate-key", "an object holds the same key twice", REWRITE;
    /// Two keys that differ in case only, or a known key in another case, where readers (Go's among
    /// them) do not look at case.
    KeySpelling, "key-spelling",
        "a key differs from another or from the protocol's own in upper and lower case only", REWRITE;
    /// `id` is not a string or number, is empty of meaning (`null` on a request), or is too long.
    Id, "id", "the id is not a string or number of at most 256 bytes", REWRITE;
    /// `method` is not a string.
    Method, "method", "the method is not a string", REWRITE;
    /// Request and answer at once, or `result` beside `error`.
    Both, "both", "the message is two kinds of message at once (method, result, error)", REWRITE;
    /// `params`, `arguments`, `_meta`, `params.name` or `error` of a kind the protocol does not know.
    Kind, "kind", "params, arguments or _meta is not an object, or a tool's name is not a string", REWRITE;
    /// An array although 2025-03-26 was not negotiated.
    Batch, "batch", "a batch of messages, which only protocol version 2025-03-26 allows",
        "send the messages one by one";
    /// An array without a member.
    EmptyBatch, "empty-batch", "a batch without a message", "send the messages one by one";
    /// More members than [`BATCH_LIMIT`](crate::scan::BATCH_LIMIT).
    LongBatch, "long-batch", "a batch of more than 1000 messages", "send the messages in smaller batches";
    /// `initialize` inside an array.
    InitializeInBatch, "initialize-in-batch", "initialize may not be part of a batch",
        "send initialize on a line of its own";
    /// The id of a request that still runs.
    IdReused, "id-reused", "a request with this id is still waiting for its answer",
        "give each request of the session an id of its own";
    /// More open requests than [`PENDING_LIMIT`](crate::session::PENDING_LIMIT).
    Pending, "pending", "4096 requests are waiting for their answers",
        "wait for answers or cancel requests (notifications/cancelled); if the server hangs, start it again";
    /// An answer to nothing that was asked.
    UnknownAnswer, "unknown-answer", "an answer to a request that is not open", SERVER;
    /// An answer whose id is the same number in another spelling.
    RespeltId, "respelt-id", "the answer repeats the request's id in another spelling (1 and 1.0)", SERVER;
    /// A request from the server although no `initialize` made this a legacy session.
    ServerRequest, "server-request",
        "the server sent a request, which it may not in protocol version 2026-07-28 and before initialize", SERVER;
}

impl Rule {
    /// The rule's name as it stands in error replies and journals: lower case with hyphens; stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// What the rule says, as half a sentence.
    #[must_use]
    pub fn says(self) -> &'static str {
        self.entry().says
    }

    /// Every rule, in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        RULES.iter().map(|entry| entry.rule)
    }

    fn entry(self) -> &'static Entry {
        // The macro writes enum and table in one order.
        &RULES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_is_in_the_enums_order_and_names_are_unique() {
        let mut names = HashSet::new();
        for rule in Rule::all() {
            assert_eq!(rule.entry().rule, rule);
            assert!(names.insert(rule.name()), "{} twice", rule.name());
            assert!(rule.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
    }

    #[test]
    fn the_sentences_name_the_limits_as_they_are() {
        assert_eq!(crate::frame::MESSAGE_LIMIT, 80 * 1024 * 1024);
        assert_eq!(crate::scan::DEPTH_LIMIT, 100);
        assert_eq!(crate::scan::BATCH_LIMIT, 1000);
        assert_eq!(crate::session::PENDING_LIMIT, 4096);
        assert_eq!(crate::message::ID_LIMIT, 256);
    }

    #[test]
    fn every_refusal_says_what_to_do_next() {
        for rule in Rule::all() {
            assert!(Reason::whole(rule).hint().is_some(), "{}", rule.name());
        }
    }

    #[test]
    fn a_place_is_shown_only_where_it_is_known() {
        let known = Reason { rule: Rule::Batch, at: Some(7) };
        assert!(known.to_string().ends_with("(byte 7 of the line)"));
        assert!(!Reason::whole(Rule::Batch).to_string().contains("byte"));
    }
}
