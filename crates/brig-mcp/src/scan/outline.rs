//! Which parts of a message have a meaning for the judge, and where they lie.
//!
//! The scanner walks every byte; this table tells it which few values to remember. A role is given
//! to an object by the key it stands under, so nothing is remembered of content.

/// Where a value lies in the line: from its first byte to the one after its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) from: u32,
    /// The byte after the last.
    pub(crate) to: u32,
}

/// What an object or array is, in the protocol's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing yet: the line itself.
    Line,
    /// An array at the top.
    Batch,
    /// A message.
    Envelope,
    /// `params`
    Params,
    /// `params.arguments`
    Arguments,
    /// `params._meta`
    Meta,
    /// `result`
    Result,
    /// `error`
    Error,
    /// `result.tools`
    Tools,
    /// A member of `result.tools`
    Tool,
    /// Content.
    Other,
}

/// A value that is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// `jsonrpc`
    Version,
    /// `id`
    Id,
    /// `method`
    Method,
    /// `params`
    Params,
    /// `result`
    Result,
    /// `error`
    Error,
    /// `params.name`
    Name,
    /// `params.arguments`
    Arguments,
    /// `params._meta`
    Meta,
    /// `params.requestId`
    RequestId,
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]`
    Modern,
    /// `result.protocolVersion`
    Agreed,
    /// `result.tools`
    Tools,
    /// Known to the protocol, so that its spelling counts, but not remembered.
    Known,
}

const SLOTS: usize = Slot::Known as usize;

/// The keys that have a meaning in one kind of object.
type Names = &'static [(&'static str, Slot)];

/// Keys of a message.
const ENVELOPE: Names = &[
    ("jsonrpc", Slot::Version),
    ("id", Slot::Id),
    ("method", Slot::Method),
    ("params", Slot::Params),
    ("result", Slot::Result),
    ("error", Slot::Error),
];

/// Keys of `params`: what a policy looks at, and what a server may want to see or ask for.
const PARAMS: Names = &[
    ("name", Slot::Name),
    ("uri", Slot::Known),
    ("arguments", Slot::Arguments),
    ("_meta", Slot::Meta),
    ("requestId", Slot::RequestId),
    ("protocolVersion", Slot::Known),
    ("capabilities", Slot::Known),
    ("cursor", Slot::Known),
    ("inputResponses", Slot::Known),
    ("requestState", Slot::Known),
    ("messages", Slot::Known),
    ("requestedSchema", Slot::Known),
    ("url", Slot::Known),
];

/// Keys of `params._meta`.
const META: Names = &[("io.modelcontextprotocol/protocolVersion", Slot::Modern)];

/// Keys of `result`.
const RESULT: Names = &[
    ("protocolVersion", Slot::Agreed),
    ("tools", Slot::Tools),
    ("content", Slot::Known),
    ("structuredContent", Slot::Known),
    ("isError", Slot::Known),
    ("contents", Slot::Known),
    ("messages", Slot::Known),
    ("instructions", Slot::Known),
    ("nextCursor", Slot::Known),
    ("resultType", Slot::Known),
    ("inputRequests", Slot::Known),
    ("requestState", Slot::Known),
];

/// Keys of `error`.
const ERROR: Names = &[("code", Slot::Known), ("message", Slot::Known), ("data", Slot::Known)];

/// Keys of a tool: what a person approves and a pin covers.
const TOOL: Names = &[
    ("name", Slot::Known),
    ("title", Slot::Known),
    ("description", Slot::Known),
    ("inputSchema", Slot::Known),
    ("outputSchema", Slot::Known),
    ("annotations", Slot::Known),
];

/// What a key means where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// Exactly a known key.
    Exact(Slot),
    /// A known key in another case.
    Respelt,
    /// Any other.
    Unknown,
}

impl Role {
    /// The role of an object or array that stands under `slot` in an object of this role.
    pub(crate) fn child(self, slot: Option<Slot>, object: bool) -> Self {
        match (self, slot, object) {
            (Self::Line, _, false) => Self::Batch,
            (Self::Line | Self::Batch, _, true) => Self::Envelope,
            (Self::Envelope, Some(Slot::Params), true) => Self::Params,
            (Self::Envelope, Some(Slot::Result), true) => Self::Result,
            (Self::Envelope, Some(Slot::Error), true) => Self::Error,
            (Self::Params, Some(Slot::Arguments), true) => Self::Arguments,
            (Self::Params, Some(Slot::Meta), true) => Self::Meta,
            (Self::Result, Some(Slot::Tools), false) => Self::Tools,
            (Self::Tools, _, true) => Self::Tool,
            _ => Self::Other,
        }
    }

    /// Whether keys are compared without case here: objects that a typed reader fills into a
    /// structure, where Go's (and others') readers ignore case. Deeper content, `_meta` included,
    /// is read as a map, in which `http_proxy` and `HTTP_PROXY` are two things.
    pub(crate) fn ignores_case(self) -> bool {
        match self {
            Self::Envelope | Self::Params | Self::Arguments | Self::Result | Self::Error | Self::Tool => true,
            Self::Line | Self::Batch | Self::Meta | Self::Tools | Self::Other => false,
        }
    }

    fn names(self) -> Names {
        match self {
            Self::Envelope => ENVELOPE,
            Self::Params => PARAMS,
            Self::Meta => META,
            Self::Result => RESULT,
            Self::Error => ERROR,
            Self::Tool => TOOL,
            Self::Line | Self::Batch | Self::Arguments | Self::Tools | Self::Other => &[],
        }
    }

    /// What `key` means in an object of this role; `folded` is the same without case.
    pub(crate) fn name(self, key: &[u8], folded: &[u8]) -> Named {
        let alike = self.names().iter().filter(|(name, _)| name.len() == folded.len());
        for (name, slot) in alike {
            if name.as_bytes() == key {
                return Named::Exact(*slot);
            }
            if name.as_bytes().eq_ignore_ascii_case(folded) {
                return Named::Respelt;
            }
        }
        Named::Unknown
    }
}

/// Where the remembered values of one message lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    spans: [Option<Span>; SLOTS],
    /// Slots that were filled more than once: none of their values can be believed.
    twice: u32,
}

impl Outline {
    /// Remembers a value; a second one for the same slot makes both worthless.
    pub(crate) fn set(&mut self, slot: Slot, span: Span) {
        if slot == Slot::Known {
            return;
        }
        if self.spans[slot as usize].replace(span).is_some() {
            self.twice |= 1 << slot as u32;
        }
    }

    /// Where the value lies, when there is exactly one.
    pub(crate) fn get(&self, slot: Slot) -> Option<Span> {
        if self.twice & (1 << slot as u32) != 0 {
            return None;
        }
        self.spans.get(slot as usize).copied().flatten()
    }

    /// Whether the key is there at all.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.spans.get(slot as usize).is_some_and(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_came_twice_is_there_but_cannot_be_had() {
        let mut outline = Outline::default();
        outline.set(Slot::Id, Span { from: 1, to: 2 });
        assert_eq!(outline.get(Slot::Id), Some(Span { from: 1, to: 2 }));
        outline.set(Slot::Id, Span { from: 3, to: 4 });
        assert!(outline.has(Slot::Id));
        assert_eq!(outline.get(Slot::Id), None);
        assert!(!outline.has(Slot::Method));
    }

    #[test]
    fn names_are_known_only_where_they_mean_something() {
        assert_eq!(Role::Envelope.name(b"method", b"method"), Named::Exact(Slot::Method));
        assert_eq!(Role::Envelope.name(b"Method", b"method"), Named::Respelt);
        assert_eq!(Role::Other.name(b"Method", b"method"), Named::Unknown);
        assert_eq!(Role::Params.name(b"method", b"method"), Named::Unknown);
    }

    #[test]
    fn no_name_stands_twice_in_one_role() {
        for names in [ENVELOPE, PARAMS, META, RESULT, ERROR, TOOL] {
            for (n, (name, _)) in names.iter().enumerate() {
                assert!(!names[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)), "{name}");
            }
        }
    }
}
