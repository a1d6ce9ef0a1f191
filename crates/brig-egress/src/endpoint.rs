//! Names of places: a host and a port, read once into a type and never compared as text again.
//!
//! Most real bypasses of proxies were two readers that saw two hosts in one string. So a host is read
//! here, strictly, and everything after works with the type.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name in DNS (RFC 1035 section 2.3.4, without the final dot).
const MAX_NAME: usize = 253;
/// The longest label in DNS (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// A host: a DNS name in lower case, or an address given by number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Name(String),
    Address(IpAddr),
}

/// Why a text is not a host or an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EndpointError {
    /// Nothing there.
    #[error("the host is empty")]
    Empty,
    /// Longer than a name can be.
    #[error("the host is longer than {MAX_NAME} characters")]
    TooLong,
    /// A byte that no host name has: control bytes, `%`, `@`, `/`, non-ASCII (write it in punycode).
    #[error("the host has a character that no host name has")]
    Character,
    /// An empty or overlong label, or one that begins or ends with a hyphen.
    #[error("the host has a malformed label")]
    Label,
    /// Looks like an IPv4 address but is not spelt as four plain decimal numbers.
    #[error("the address is not spelt as four decimal numbers")]
    OddAddress,
    /// No port, or none between 1 and 65535 in plain decimal.
    #[error("the port is missing or is not a number from 1 to 65535")]
    Port,
}

impl Host {
    /// Reads a name or an address (IPv6 without brackets).
    ///
    /// # Errors
    /// Anything that two programs could read in two ways.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if text.is_empty() {
            return Err(EndpointError::Empty);
        }
        if text.len() > MAX_NAME {
            return Err(EndpointError::TooLong);
        }
        if text.contains(':') {
            let address: Ipv6Addr = text.parse().map_err(|_| EndpointError::Character)?;
            return Ok(Self(Kind::Address(IpAddr::V6(address))));
        }
        for label in text.split('.') {
            check_label(label)?;
        }
        // A last label that is a number makes every resolver try to read an address (WHATWG URL 3.5),
        // among them octal and hexadecimal ones: only the canonical spelling passes.
        let last = text.rsplit('.').next().unwrap_or_default();
        let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        if last.bytes().all(|byte| byte.is_ascii_digit()) || hex.is_some() {
            let address: Ipv4Addr = text.parse().map_err(|_| EndpointError::OddAddress)?;
            return Ok(Self(Kind::Address(IpAddr::V4(address))));
        }
        Ok(Self(Kind::Name(text.to_ascii_lowercase())))
    }

    /// The name, when it is not an address.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Name(name) => Some(name),
            Kind::Address(_) => None,
        }
    }

    /// The address, when it was given by number.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.0 {
            Kind::Name(_) => None,
            Kind::Address(address) => Some(*address),
        }
    }
}

fn check_label(label: &str) -> Result<(), EndpointError> {
    if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(EndpointError::Character);
    }
    if label.is_empty() || label.len() > MAX_LABEL || label.starts_with('-') || label.ends_with('-') {
        return Err(EndpointError::Label);
    }
    Ok(())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Name(name) => f.write_str(name),
            Kind::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Kind::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The port, never 0.
    pub port: u16,
}

impl Endpoint {
    /// Reads `host:port` or `[v6]:port`; without a port, `default` is taken, if there is one.
    ///
    /// # Errors
    /// A host or port that is not spelt strictly.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, EndpointError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, after) = rest.split_once(']').ok_or(EndpointError::Character)?;
                if !inner.contains(':') {
                    return Err(EndpointError::Character);
                }
                (inner, after.strip_prefix(':').or(if after.is_empty() { None } else { Some("") }))
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => parse_port(port)?,
            None => default.ok_or(EndpointError::Port)?,
        };
        Ok(Self { host: Host::parse(host)?, port })
    }
}

fn parse_port(text: &str) -> Result<u16, EndpointError> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if !plain {
        return Err(EndpointError::Port);
    }
    text.parse().map_err(|_| EndpointError::Port)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, EndpointError>) {
        let got = Endpoint::parse(text, None).map(|endpoint| endpoint.to_string());
        assert_eq!(got, expect.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn good_ones_are_read_into_one_spelling() {
        check("registry.example:443", Ok("registry.example:443"));
        check("REGISTRY.Example:443", Ok("registry.example:443"));
        check("10.0.0.5:4873", Ok("10.0.0.5:4873"));
        check("[::1]:80", Ok("[::1]:80"));
        check("[0:0:0:0:0:0:0:1]:80", Ok("[::1]:80"));
        check("a_b.example:1", Ok("a_b.example:1"));
    }

    #[test]
    fn doubtful_ones_are_refused() {
        use EndpointError::*;
        for (text, why) in [
            ("", Port),
            (":443", Empty),
            ("host", Port),
            ("host:", Port),
            ("host:0", Port),
            ("host:0443", Port),
            ("host:65536", Port),
            ("host:+1", Port),
            ("host:443 ", Port),
            ("host.:443", Label),
            ("a..b:443", Label),
            ("-a.b:443", Label),
            ("a%00.b:443", Character),
            ("a\0.b:443", Character),
            ("user@host:443", Character),
            ("host/x:443", Character),
            ("h\u{f6}st:443", Character),
            ("0177.0.0.1:80", OddAddress),
            ("127.1:80", OddAddress),
            ("2130706433:80", OddAddress),
            ("0x7f000001:80", OddAddress),
            ("0x7f.1:80", OddAddress),
            ("1.2.3.4.5:80", OddAddress),
            ("::1:80", Port),
            ("[::1%lo]:80", Character),
            ("[::1]80", Port),
            ("[127.0.0.1]:80", Character),
            ("[::1:80", Character),
        ] {
            check(text, Err(why));
        }
        let long = format!("{}:1", "a.".repeat(127) + "aa");
        check(&long, Err(TooLong));
    }
}
