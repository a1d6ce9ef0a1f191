//! Manifests and indexes, of OCI and of Docker's schema 2: read strictly, bounded, never fetched here.
//!
//! A document that could be read both as an image and as an index is refused (the class of
//! CVE-2021-41190), and so is a layer that a registry may not serve itself.

use std::fmt;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;

/// Largest manifest or index: what registries themselves accept.
pub const MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// Most layers of one image: Docker's own limit is 127, overlayfs' 500.
pub const LAYERS: usize = 127;
/// Most images of one index: the largest official ones have about 30 with their attestations.
pub const INDEX_ENTRIES: usize = 1024;
/// Most nested indexes followed before an image: one is usual, a layout folder adds one.
pub const INDEX_DEPTH: usize = 4;

/// Media types that are asked for, in this order of preference.
pub(crate) const ACCEPT: &[&str] = &[
    "application/vnd.oci.image.index.v1+json", // OCI image specification 1.x
    "application/vnd.docker.distribution.manifest.list.v2+json", // Docker's older form of it
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Media types of layers; how they are packed is seen from their first bytes instead.
const LAYER_TYPES: &[&str] = &[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar", // what Docker's own layouts use
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
];

/// Media types of configurations.
const CONFIG_TYPES: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// One of the two documents a registry serves under a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// One image.
    Image(ImageManifest),
    /// Several images, of which one is for this platform.
    Index(Vec<Descriptor>),
}

/// One image: where its configuration and its layers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
}

/// A pointer to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Descriptor {
    /// What it is.
    #[serde(rename = "mediaType", default)]
    pub media_type: String,
    /// What it hashes to.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// For which platform, in an index.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Free-form facts; only the name of an image in a layout is looked at.
    #[serde(default)]
    annotations: Option<Annotations>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Annotations {
    #[serde(rename = "org.opencontainers.image.ref.name", default)]
    ref_name: Option<String>,
    #[serde(rename = "io.containerd.image.name", default)]
    image_name: Option<String>,
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// `linux`
    #[serde(default)]
    pub os: String,
    /// Go's name of it: `amd64`, `arm64`, …
    #[serde(default)]
    pub architecture: String,
    /// `v7`, `v8`, …
    #[serde(default)]
    pub variant: Option<String>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// More than [`MANIFEST_BYTES`].
    #[error("the manifest is larger than {MANIFEST_BYTES} bytes")]
    TooLarge,
    /// Not JSON, or JSON of another shape.
    #[error("the manifest cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Neither an image nor an index, or both.
    #[error("the manifest is neither clearly an image nor clearly an index")]
    Ambiguous,
    /// The long outdated schema 1.
    #[error("the manifest has schema version {0}, not 2")]
    Schema(u64),
    /// Something that is no container image (a Helm chart, a WebAssembly module, …).
    #[error("its configuration is of type {0:?}, so this is not a container image")]
    NotAnImage(String),
    /// A layer that is encrypted, foreign or of an unknown kind.
    #[error("a layer is of type {0:?}, which cannot be unpacked")]
    Layer(String),
    /// More than [`LAYERS`].
    #[error("the image has {0} layers, more than {LAYERS}")]
    Layers(usize),
    /// More than [`INDEX_ENTRIES`].
    #[error("the index has {0} entries, more than {INDEX_ENTRIES}")]
    Entries(usize),
    /// No image for this platform.
    #[error("there is no image for {wanted}, only for {found}")]
    Platform {
        /// What was looked for.
        wanted: Platform,
        /// What there is.
        found: String,
    },
    /// `--platform` with something that is none.
    #[error("{0:?} is not a platform")]
    PlatformShape(String),
}

impl ManifestError {
    /// What to type instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Platform { .. } => {
                Some("choose a tag that has an image for this machine; brig does not emulate others".to_owned())
            }
            Self::PlatformShape(_) => Some("say for example --platform linux/amd64".to_owned()),
            Self::Schema(_) => Some("pull a newer tag, or push the image again".to_owned()),
            Self::NotAnImage(_) => Some("name a container image".to_owned()),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "schemaVersion", default)]
    schema_version: Option<u64>,
    #[serde(rename = "mediaType", default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(rename = "fsLayers", default)]
    fs_layers: Option<serde::de::IgnoredAny>,
}

impl Manifest {
    /// Parses a manifest or an index. Nesting is bounded.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() as u64 > MANIFEST_BYTES {
            return Err(ManifestError::TooLarge);
        }
        let raw: Raw = json::parse(bytes)?;
        if raw.fs_layers.is_some() || raw.schema_version != Some(2) {
            return Err(ManifestError::Schema(raw.schema_version.unwrap_or(1)));
        }
        let says_index =
            raw.media_type.as_deref().map(|kind| kind.ends_with("index.v1+json") || kind.contains("manifest.list"));
        match (raw.manifests, raw.config, raw.layers) {
            (Some(entries), None, None) if says_index != Some(false) => index(entries),
            (None, Some(config), Some(layers)) if says_index != Some(true) => image(config, layers),
            _ => Err(ManifestError::Ambiguous),
        }
    }
}

impl Descriptor {
    /// Whether it is an image's configuration, which registries serve as a blob.
    pub(crate) fn is_config(&self) -> bool {
        CONFIG_TYPES.contains(&self.media_type.as_str())
    }

    /// The names under which a layout lists this image.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.annotations.iter().flat_map(|a| [a.ref_name.as_deref(), a.image_name.as_deref()]).flatten()
    }
}

impl Platform {
    /// The platform that this program was built for.
    #[must_use]
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "aarch64" => ("arm64", Some("v8")),
            "x86" => ("386", None),
            "arm" => ("arm", Some("v7")),
            other => (other, None),
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) }
    }

    /// Parses `os/architecture[/variant]`.
    ///
    /// # Errors
    /// Any other shape, and any system but Linux.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let bad = || ManifestError::PlatformShape(text.to_owned());
        let mut parts = text.split('/');
        let word = |part: Option<&str>| {
            part.filter(|p| !p.is_empty() && p.bytes().all(|c| c.is_ascii_alphanumeric())).map(str::to_owned)
        };
        let os = word(parts.next()).ok_or_else(bad)?;
        let architecture = word(parts.next()).ok_or_else(bad)?;
        let variant = match parts.next() {
            Some(part) => Some(word(Some(part)).ok_or_else(bad)?),
            None => None,
        };
        if os != "linux" || parts.next().is_some() {
            return Err(bad());
        }
        Ok(Self { os, architecture, variant })
    }

    /// How well an image for `self` serves someone who wants `wanted`: lower is better.
    fn distance(&self, wanted: &Self) -> Option<u8> {
        if self.os != wanted.os || self.architecture != wanted.architecture {
            return None;
        }
        let mine = self.variant.as_deref().unwrap_or_default();
        let want = wanted.variant.as_deref().unwrap_or_default();
        match (mine, want) {
            (mine, want) if mine == want => Some(0),
            ("", _) => Some(1),      // made for every variant
            ("v8", "") => Some(1),   // the only variant of arm64
            ("v6", "v7") => Some(2), // newer processors run older code
            ("v5", "v6" | "v7") => Some(3),
            _ => None,
        }
    }

    /// Whether an image whose configuration says `self` runs where `wanted` is wanted. An image that
    /// says nothing (as `FROM scratch` images of old tools) is let pass.
    #[must_use]
    pub fn serves(&self, wanted: &Self) -> bool {
        (self.os.is_empty() && self.architecture.is_empty()) || self.distance(wanted).is_some()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

/// The entry of an index that serves `wanted` best; the first of equals.
///
/// # Errors
/// [`ManifestError::Platform`] lists what there is.
pub fn choose<'a>(entries: &'a [Descriptor], wanted: &Platform) -> Result<&'a Descriptor, ManifestError> {
    let fit = |entry: &Descriptor| match &entry.platform {
        Some(platform) => platform.distance(wanted),
        None => Some(9), // a layout's index seldom says; the configuration is checked later
    };
    entries
        .iter()
        .filter_map(|entry| fit(entry).map(|distance| (distance, entry)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, entry)| entry)
        .ok_or_else(|| {
            let mut found: Vec<String> = entries
                .iter()
                .filter_map(|entry| entry.platform.as_ref())
                .filter(|platform| platform.os != "unknown") // attestations
                .map(|platform| platform.to_string().escape_default().to_string())
                .collect();
            found.truncate(20);
            ManifestError::Platform {
                wanted: wanted.clone(),
                found: if found.is_empty() { "nothing".to_owned() } else { found.join(", ") },
            }
        })
}

fn index(entries: Vec<Descriptor>) -> Result<Manifest, ManifestError> {
    if entries.len() > INDEX_ENTRIES {
        return Err(ManifestError::Entries(entries.len()));
    }
    Ok(Manifest::Index(entries))
}

fn image(config: Descriptor, layers: Vec<Descriptor>) -> Result<Manifest, ManifestError> {
    if layers.len() > LAYERS {
        return Err(ManifestError::Layers(layers.len()));
    }
    if !CONFIG_TYPES.contains(&config.media_type.as_str()) {
        return Err(ManifestError::NotAnImage(config.media_type));
    }
    if let Some(layer) = layers.iter().find(|layer| !LAYER_TYPES.contains(&layer.media_type.as_str())) {
        return Err(ManifestError::Layer(layer.media_type.clone()));
    }
    Ok(Manifest::Image(ImageManifest { config, layers }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(kind: &str) -> String {
        let digest = Digest::of(kind.as_bytes());
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":3}}"#)
    }

    const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text.as_bytes())
    }

    #[test]
    fn an_image_and_its_refused_twins() {
        let (config, layer) = (descriptor(CONFIG), descriptor(LAYER));
        let good = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#);
        assert!(matches!(parse(&good), Ok(Manifest::Image(m)) if m.layers.len() == 1));
        let both = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}],"manifests":[]}}"#);
        assert!(matches!(parse(&both), Err(ManifestError::Ambiguous)));
        let twice = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}],"layers":[]}}"#);
        assert!(matches!(parse(&twice), Err(ManifestError::Json(_))));
        let lying = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":{config},"layers":[]}}"#
        );
        assert!(matches!(parse(&lying), Err(ManifestError::Ambiguous)));
        let chart = descriptor("application/vnd.cncf.helm.config.v1+json");
        let chart = format!(r#"{{"schemaVersion":2,"config":{chart},"layers":[]}}"#);
        assert!(matches!(parse(&chart), Err(ManifestError::NotAnImage(_))));
        let foreign = descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        let foreign = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{foreign}]}}"#);
        assert!(matches!(parse(&foreign), Err(ManifestError::Layer(_))));
        let many = vec![layer; LAYERS + 1].join(",");
        let many = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{many}]}}"#);
        assert!(matches!(parse(&many), Err(ManifestError::Layers(128))));
        assert!(matches!(parse(r#"{"schemaVersion":1,"fsLayers":[]}"#), Err(ManifestError::Schema(1))));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep = format!(r#"{{"schemaVersion":2,"x":{deep}}}"#);
        assert!(matches!(parse(&deep), Err(ManifestError::Json(_))));
        let large = " ".repeat(5 * 1024 * 1024);
        assert!(matches!(parse(&large), Err(ManifestError::TooLarge)));
    }

    #[test]
    fn the_best_platform_is_chosen() {
        let entry = |platform: &str| {
            let mut parts = platform.split('/').map(str::to_owned);
            Descriptor {
                media_type: String::new(),
                digest: Digest::of(platform.as_bytes()),
                size: 1,
                platform: Some(Platform {
                    os: parts.next().unwrap(),
                    architecture: parts.next().unwrap(),
                    variant: parts.next(),
                }),
                annotations: None,
            }
        };
        let entries: Vec<Descriptor> =
            ["unknown/unknown", "windows/amd64", "linux/amd64/v3", "linux/amd64", "linux/arm/v6", "linux/arm64"]
                .map(entry)
                .into();
        let chosen = |wanted: &str| {
            choose(&entries, &Platform::parse(wanted).unwrap())
                .map(|entry| entry.platform.as_ref().unwrap().to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(chosen("linux/amd64").unwrap(), "linux/amd64");
        assert_eq!(chosen("linux/amd64/v3").unwrap(), "linux/amd64/v3");
        assert_eq!(chosen("linux/arm/v7").unwrap(), "linux/arm/v6");
        assert_eq!(chosen("linux/arm64/v8").unwrap(), "linux/arm64");
        assert!(chosen("linux/s390x").unwrap_err().contains("windows/amd64"));
        for bad in ["", "linux", "windows/amd64", "linux/amd64/v1/x", "linux/../x"] {
            assert!(Platform::parse(bad).is_err(), "{bad}");
        }
    }
}
