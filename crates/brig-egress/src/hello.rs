//! The server name in a TLS greeting (RFC 8446 section 4.1.2, RFC 6066 section 3).
//!
//! Read before anything is sent on, from the very bytes that are then sent on: a sender can change
//! pages that were only peeked at.

/// Bytes of a greeting with its record headers: post-quantum ones are about 1.8 KiB.
pub(crate) const MAX_HELLO: usize = 16 * 1024;
/// Record type "handshake" (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// Handshake type "client hello" (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;
/// Extension "server name" (RFC 6066 section 1.1).
const SERVER_NAME: u16 = 0;
/// Name type "host name" (RFC 6066 section 3).
const HOST_NAME: u8 = 0;

/// What the first bytes of a tunnel are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hello {
    /// The beginning of a greeting; more has to be read.
    Partial,
    /// A whole greeting, and the server that it names.
    Whole(Option<String>),
    /// Something else.
    NotTls,
}

/// Reads as much as is there.
pub(crate) fn parse(bytes: &[u8]) -> Hello {
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        // The greeting may be cut into several records; each has a header of five bytes.
        let Some((header, body)) = rest.split_first_chunk::<5>() else {
            return match rest.first() {
                Some(&kind) if kind != HANDSHAKE => Hello::NotTls,
                _ => Hello::Partial,
            };
        };
        let [kind, major, _, high, low] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind != HANDSHAKE || major != 3 || length == 0 || length > MAX_HELLO {
            return Hello::NotTls;
        }
        message.extend_from_slice(&body[..length.min(body.len())]);
        match message.first_chunk::<4>() {
            Some([kind, ..]) if *kind != CLIENT_HELLO => return Hello::NotTls,
            Some([_, a, b, c]) => {
                let want = u32::from_be_bytes([0, *a, *b, *c]) as usize;
                if want > MAX_HELLO {
                    return Hello::NotTls;
                }
                if message.len() >= want + 4 {
                    return server_name(&message[4..want + 4]).map_or(Hello::NotTls, Hello::Whole);
                }
            }
            None => {}
        }
        if body.len() < length {
            return Hello::Partial;
        }
        rest = &body[length..];
    }
}

/// The name in a client hello's body; `None` when the body is malformed.
fn server_name(body: &[u8]) -> Option<Option<String>> {
    let mut body = Reader(body);
    body.take(2 + 32)?; // version and random
    body.vector8()?; // session
    body.vector16()?; // cipher suites
    body.vector8()?; // compression
    if body.0.is_empty() {
        return Some(None);
    }
    let mut extensions = Reader(body.vector16()?);
    if !body.0.is_empty() {
        return None;
    }
    let mut name = None;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let data = extensions.vector16()?;
        if kind != SERVER_NAME {
            continue;
        }
        // Two extensions or two names would be read in two ways.
        if name.is_some() {
            return None;
        }
        let mut list = Reader(data);
        let mut names = Reader(list.vector16()?);
        if !list.0.is_empty() || names.u8()? != HOST_NAME {
            return None;
        }
        let text = names.vector16()?;
        if !names.0.is_empty() {
            return None;
        }
        name = Some(String::from_utf8(text.to_vec()).ok()?);
    }
    Some(name)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let count = self.u8()?;
        self.take(usize::from(count))
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(usize::from(count))
    }
}

/// Fuzz entry: no greeting panics, and a prefix of a whole one is never called something else.
#[doc(hidden)]
#[allow(clippy::missing_panics_doc, reason = "a fuzz entry reports by panicking")]
pub fn fuzz_hello(data: &[u8]) {
    if let Hello::Whole(_) = parse(data) {
        let half = parse(&data[..data.len() / 2]);
        assert_ne!(half, Hello::NotTls, "a prefix of a greeting stays one");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small greeting that names these servers, as one record.
    pub(crate) fn greeting(names: &[&str]) -> Vec<u8> {
        let u16 = |value: usize| u16::try_from(value).unwrap().to_be_bytes();
        let mut extensions = Vec::new();
        for name in names {
            let mut list = vec![HOST_NAME];
            list.extend(u16(name.len()));
            list.extend(name.as_bytes());
            extensions.extend([0, 0]);
            extensions.extend(u16(list.len() + 2));
            extensions.extend(u16(list.len()));
            extensions.extend(list);
        }
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
        body.extend(u16(extensions.len()));
        body.extend(extensions);
        let mut message = vec![CLIENT_HELLO, 0];
        message.extend(u16(body.len()));
        message.extend(body);
        let mut record = vec![HANDSHAKE, 3, 1];
        record.extend(u16(message.len()));
        record.extend(message);
        record
    }

    #[test]
    fn the_name_is_found_and_every_prefix_is_partial() {
        let bytes = greeting(&["registry.example"]);
        assert_eq!(parse(&bytes), Hello::Whole(Some("registry.example".into())));
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length]), Hello::Partial, "{length}");
        }
        assert_eq!(parse(&greeting(&[])), Hello::Whole(None));
    }

    #[test]
    fn a_greeting_in_two_records_is_whole() {
        let bytes = greeting(&["registry.example"]);
        let (first, second) = bytes[5..].split_at(20);
        let mut cut = vec![HANDSHAKE, 3, 1, 0, 20];
        cut.extend(first);
        cut.extend([HANDSHAKE, 3, 1, 0, u8::try_from(second.len()).unwrap()]);
        cut.extend(second);
        assert_eq!(parse(&cut), Hello::Whole(Some("registry.example".into())));
    }

    #[test]
    fn other_bytes_are_not_tls() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"SSH-2.0-x\r\n",
            &[HANDSHAKE, 3, 1, 0xff, 0xff],
            &[HANDSHAKE, 3, 1, 0, 0],
            &[HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0],
        ] {
            assert_eq!(parse(bytes), Hello::NotTls, "{bytes:?}");
        }
        assert_eq!(parse(&greeting(&["a.example", "b.example"])), Hello::NotTls);
    }
}
