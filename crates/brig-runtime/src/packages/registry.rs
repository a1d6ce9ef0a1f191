//! Which registries this host is configured for: the only places that a package box may reach.
//!
//! Read from the user's and the machine's own files and variables, never from a project's: a cloned repository
//! must not choose where code comes from. Credentials are seen only as far as to say that they exist; they are
//! never read into the box.

mod npm;
mod python;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use brig_egress::decide::{Grant, Rules, Way};
use brig_egress::endpoint::{Endpoint, EndpointError};

use crate::lockfile::Ecosystem;
use crate::programs::Caller;

/// Where the trusted authorities of the host's configuration appear in the package box.
pub(super) const AUTHORITY: &str = "/opt/brig/authority.pem";

/// What a package manager needs to reach its registries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Registry {
    /// The registries and the hosts of their files.
    pub(super) rules: Rules,
    /// Variables that tell the package manager about them.
    pub(super) env: BTreeMap<String, String>,
    /// A file with authorities, to be shown at [`AUTHORITY`].
    pub(super) authority: Option<PathBuf>,
    /// Folders of packages (`find-links`), shown at their own place.
    pub(super) folders: Vec<PathBuf>,
    /// Whether the configuration holds credentials, which the box does not get.
    pub(super) credentials: bool,
    /// Whether the configuration leads through another proxy, which is not followed.
    pub(super) proxy: bool,
}

/// Why the host's configuration cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Not an address of a registry. The value may hold a password and is not shown.
    #[error("{by} is not an http or https address")]
    Address {
        /// Which setting.
        by: String,
    },
    /// A host or port that is not spelt strictly.
    #[error("the host in {by} is malformed: {source}")]
    Host {
        /// Which setting.
        by: String,
        /// What is wrong with it.
        source: EndpointError,
    },
    /// A password in the address, which would have to go into the box.
    #[error("{by} carries a user or password in its address")]
    Credentials {
        /// Which setting.
        by: String,
    },
    /// A variable that a file refers to is not set.
    #[error("{by} refers to the variable {variable}, which is not set")]
    Variable {
        /// Which setting.
        by: String,
        /// Which variable.
        variable: String,
    },
    /// A file of authorities that is not there.
    #[error("{by} names {path}, which is not a file")]
    Authority {
        /// Which setting.
        by: String,
        /// Which file.
        path: PathBuf,
    },
    /// A folder of packages that holds much else.
    #[error("{by} names {path}, which holds more than packages")]
    Folder {
        /// Which setting.
        by: String,
        /// Which folder.
        path: PathBuf,
    },
    /// Authorities written into the configuration itself.
    #[error("{by} holds certificates inline, which are not served")]
    Inline {
        /// Which setting.
        by: String,
    },
    /// A configuration file that cannot be understood.
    #[error("{0} is malformed")]
    File(PathBuf),
}

impl RegistryError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Address { by } | Self::Host { by, .. } => {
                format!("set {by} to https://HOST/PATH")
            }
            Self::Credentials { by } => format!(
                "set {by} to a registry that needs no credentials (a read-only mirror), since packages are resolved in a box without any; or install the package yourself and run its program: brig run -- PROGRAM"
            ),
            Self::Variable { variable, .. } => {
                format!("export {variable}=… before brig, or remove the setting")
            }
            Self::Authority { by, .. } => format!("correct {by}, or remove it"),
            Self::Folder { by, .. } => {
                format!("move the packages into a folder of their own, and name that in {by}")
            }
            Self::Inline { .. } => "put the certificates into a file and name it with cafile".into(),
            Self::File(path) => format!("correct {}", path.display()),
        })
    }
}

/// Reads the configuration for one kind of package.
pub(super) fn configured(
    ecosystem: Ecosystem,
    caller: &Caller,
    node: Option<&Path>,
) -> Result<Registry, RegistryError> {
    match ecosystem {
        Ecosystem::Npm => npm::configured(caller, node),
        Ecosystem::Pypi => python::configured(caller),
    }
}

/// Adds the place of an address to the grants, once.
fn grant(grants: &mut Vec<Grant>, by: &str, address: &str) -> Result<(), RegistryError> {
    let grant = read_address(by, address)?;
    if !grants.contains(&grant) {
        grants.push(grant);
    }
    Ok(())
}

/// The place that `http://host[:port]/…` or `https://…` means.
fn read_address(by: &str, address: &str) -> Result<Grant, RegistryError> {
    let bad = || RegistryError::Address { by: by.to_owned() };
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad());
    }
    let (way, port, rest) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (Way::Tls, 443, rest),
        (_, Some(rest)) => (Way::Clear, 80, rest),
        _ => return Err(bad()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(RegistryError::Credentials { by: by.to_owned() });
    }
    let place =
        Endpoint::parse(authority, Some(port)).map_err(|source| RegistryError::Host { by: by.to_owned(), source })?;
    Ok(Grant { place, way })
}

/// A file of authorities that a setting names.
fn authority(by: &str, path: &str, caller: &Caller) -> Result<PathBuf, RegistryError> {
    let path = match path.strip_prefix("~/") {
        Some(rest) => caller.home.join(rest),
        None => caller.cwd.join(path),
    };
    // Its real path: the bind is made of what it is, not of a link to it.
    match path.canonicalize() {
        Ok(real) if real.is_file() => Ok(real),
        _ => Err(RegistryError::Authority { by: by.to_owned(), path }),
    }
}

/// Whether the caller's programs are sent through a proxy.
fn has_proxy(caller: &Caller) -> bool {
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    names.iter().any(|name| caller.var(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let check = |address: &str, expect: &str, way| {
            let grant = read_address("registry", address).unwrap();
            assert_eq!((grant.place.to_string().as_str(), grant.way), (expect, way), "{address}");
        };
        check("https://registry.example/", "registry.example:443", Way::Tls);
        check("https://Registry.example:8443/a/b", "registry.example:8443", Way::Tls);
        check("http://10.0.0.5:4873", "10.0.0.5:4873", Way::Clear);
        check("http://localhost/simple?x", "localhost:80", Way::Clear);
        for bad in [
            "",
            "registry.example",
            "ftp://x.example",
            "https://",
            "https:///x",
            "https://x.example:0/",
            "https://x y/",
        ] {
            assert!(read_address("registry", bad).is_err(), "{bad}");
        }
        let secret = read_address("registry", "https://user:hunter2@registry.example/").unwrap_err();
        assert_eq!(secret, RegistryError::Credentials { by: "registry".into() });
        assert!(!format!("{secret} {secret:?} {:?}", secret.hint()).contains("hunter2"));
    }
}
