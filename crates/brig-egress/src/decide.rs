//! Whether the box may reach what it asked for. No I/O: rules and a question in, a verdict out.

use crate::endpoint::{Endpoint, Host};

/// How a granted place is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// `CONNECT`, then TLS end to end. The server name in its first message must be the granted one.
    Tls,
    /// A `GET` or `HEAD` with a whole `http://` address, for registries without TLS.
    Clear,
}

/// One place that a box may reach. A host given by number is granted by number only; whoever configured
/// a name may have it resolve to any address, also a private one, since the host's owner chose it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// Which place.
    pub place: Endpoint,
    /// How.
    pub way: Way,
}

/// All that one box may reach. Empty means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    grants: Vec<Grant>,
}

impl Rules {
    /// Exactly these places.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Self {
        Self { grants: grants.into_iter().collect() }
    }

    /// The places, in the order in which they were given.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }
}

/// Proof that a place was granted. Only [`decide`] makes one, and only [`crate::dial::dial`] takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    grant: Grant,
}

impl Allowed {
    /// The place.
    pub fn place(&self) -> &Endpoint {
        &self.grant.place
    }

    /// How it is to be spoken to.
    pub fn way(&self) -> Way {
        self.grant.way
    }
}

/// Why the box may not reach what it asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// An address by number that nobody granted by number.
    #[error("{0} is an address, and it was not granted by number")]
    Address(Endpoint),
    /// The host is granted, the port is not.
    #[error("{asked} is not granted, only port {granted} of that host is")]
    Port {
        /// What was asked for.
        asked: Endpoint,
        /// The port that is granted.
        granted: u16,
    },
    /// The place is granted, but only in the other way.
    #[error("{place} is granted {} only", way_text(*granted))]
    Way {
        /// What was asked for.
        place: Endpoint,
        /// How it is granted.
        granted: Way,
    },
    /// Nobody granted it.
    #[error("{0} is not granted")]
    Host(Endpoint),
    /// The TLS greeting names another server than the one that was granted.
    #[error("the TLS greeting names {} where {granted} was granted", .named.as_deref().unwrap_or("no server"))]
    ServerName {
        /// What was granted.
        granted: Host,
        /// What the greeting said.
        named: Option<String>,
    },
    /// What came through the tunnel is not a TLS greeting.
    #[error("what was sent to {0} is not TLS")]
    NotTls(Endpoint),
}

impl Refused {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(place) | Self::Host(place) => Some(format!(
                "a package is resolved with the configured registries only; if {place} is one, set it in your npm or pip configuration"
            )),
            Self::Port { asked, .. } => {
                Some(format!("name the port {} in the registry's address in your npm or pip configuration", asked.port))
            }
            Self::Way { .. } | Self::ServerName { .. } | Self::NotTls(_) => None,
        }
    }
}

fn way_text(way: Way) -> &'static str {
    match way {
        Way::Tls => "through TLS",
        Way::Clear => "without TLS",
    }
}

/// Decides whether `place` may be reached in this way.
///
/// # Errors
/// Everything that is not exactly one of the grants.
pub fn decide(rules: &Rules, place: &Endpoint, way: Way) -> Result<Allowed, Refused> {
    let same_place = |grant: &&Grant| grant.place == *place;
    if let Some(grant) = rules.grants.iter().find(|grant| same_place(grant) && grant.way == way) {
        return Ok(Allowed { grant: grant.clone() });
    }
    if let Some(grant) = rules.grants.iter().find(same_place) {
        return Err(Refused::Way { place: place.clone(), granted: grant.way });
    }
    if let Some(grant) = rules.grants.iter().find(|grant| grant.place.host == place.host) {
        return Err(Refused::Port { asked: place.clone(), granted: grant.place.port });
    }
    Err(match place.host.address() {
        Some(_) => Refused::Address(place.clone()),
        None => Refused::Host(place.clone()),
    })
}

/// Whether a TLS greeting through an allowed tunnel names the server that was allowed. A server that was
/// granted by number is named by no one (RFC 6066 section 3 has no addresses in this field).
///
/// # Errors
/// Another name, or none where there has to be one.
pub(crate) fn decide_server_name(allowed: &Allowed, named: Option<&str>) -> Result<(), Refused> {
    let granted = &allowed.grant.place.host;
    let same = match (granted.name(), named) {
        (Some(granted), Some(named)) => named.eq_ignore_ascii_case(granted),
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(Refused::ServerName { granted: granted.clone(), named: named.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Endpoint {
        Endpoint::parse(text, None).unwrap()
    }

    fn rules() -> Rules {
        let tls = |text| Grant { place: place(text), way: Way::Tls };
        let clear = |text| Grant { place: place(text), way: Way::Clear };
        Rules::new([tls("registry.example:443"), clear("10.0.0.5:4873"), clear("mirror.example:80")])
    }

    #[test]
    fn exactly_what_was_granted_passes() {
        for (text, way) in
            [("registry.example:443", Way::Tls), ("10.0.0.5:4873", Way::Clear), ("mirror.example:80", Way::Clear)]
        {
            assert_eq!(decide(&rules(), &place(text), way).unwrap().place(), &place(text));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let refuse = |text, way| decide(&rules(), &place(text), way).unwrap_err();
        assert!(matches!(refuse("registry.example:80", Way::Tls), Refused::Port { granted: 443, .. }));
        assert!(matches!(refuse("registry.example:443", Way::Clear), Refused::Way { .. }));
        assert!(matches!(refuse("mirror.example:80", Way::Tls), Refused::Way { .. }));
        assert!(matches!(refuse("evil.registry.example:443", Way::Tls), Refused::Host(_)));
        assert!(matches!(refuse("registry.example.evil:443", Way::Tls), Refused::Host(_)));
        assert!(matches!(refuse("169.254.169.254:80", Way::Clear), Refused::Address(_)));
        assert!(matches!(refuse("[::ffff:10.0.0.5]:4873", Way::Clear), Refused::Address(_)));
        assert!(matches!(decide(&Rules::default(), &place("registry.example:443"), Way::Tls), Err(Refused::Host(_))));
    }

    #[test]
    fn the_greeting_has_to_name_the_granted_server() {
        let named = decide(&rules(), &place("registry.example:443"), Way::Tls).unwrap();
        assert_eq!(decide_server_name(&named, Some("Registry.Example")), Ok(()));
        assert!(decide_server_name(&named, Some("other.example")).is_err());
        assert!(decide_server_name(&named, None).is_err());
        let number = Rules::new([Grant { place: place("10.0.0.5:443"), way: Way::Tls }]);
        let number = decide(&number, &place("10.0.0.5:443"), Way::Tls).unwrap();
        assert_eq!(decide_server_name(&number, None), Ok(()));
        assert!(decide_server_name(&number, Some("other.example")).is_err());
    }
}
