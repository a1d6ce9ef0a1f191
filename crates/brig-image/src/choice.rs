//! Which image is meant, where a file, folder or registry has several; and what it consists of.

use std::collections::BTreeSet;

use crate::config::{CONFIG_BYTES, Config};
use crate::digest::Digest;
use crate::manifest::{self, Descriptor, INDEX_DEPTH, Manifest, ManifestError, Platform};

/// The image that was chosen.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// Its configuration, byte for byte.
    pub(crate) config: Vec<u8>,
    /// Where its layers are, the lowest first.
    pub(crate) layers: Vec<String>,
}

/// One of several images, and the names that it goes by.
pub(crate) struct Labelled<'a, T> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) item: &'a T,
}

/// Why no image could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// None at all.
    #[error("there is no image in it")]
    None,
    /// Several, and nothing said which.
    #[error("there are several images in it: {0}")]
    Several(String),
    /// None of that name.
    #[error("there is no image {wanted:?} in it, only {found}")]
    Tag {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// Indexes in indexes without end.
    #[error("its index leads through more than {INDEX_DEPTH} others")]
    Depth,
    /// Something served with another size than announced.
    #[error("{digest} has {found} bytes, not {wanted}")]
    Size {
        /// What.
        digest: Digest,
        /// As announced.
        wanted: u64,
        /// As served.
        found: u64,
    },
}

impl ChoiceError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Several(_) | Self::Tag { .. } => {
                Some("name one: docker-archive:FILE:TAG or oci:FOLDER:TAG".to_owned())
            }
            _ => Some("save the image again".to_owned()),
        }
    }
}

/// Refuses an image for another machine.
pub(crate) fn check_platform(config: &Config, wanted: &Platform) -> Result<(), ManifestError> {
    if config.platform.serves(wanted) {
        return Ok(());
    }
    Err(ManifestError::Platform {
        wanted: wanted.clone(),
        found: config.platform.to_string().escape_default().to_string(),
    })
}

/// The one that goes by a tag, or the only one.
pub(crate) fn by_tag<'a, T>(items: &[Labelled<'a, T>], tag: Option<&str>) -> Result<&'a T, ChoiceError> {
    let names = || {
        let names = items.iter().flat_map(|item| item.names.iter());
        let mut names: Vec<String> = names
            .take(20)
            .map(|name| name.chars().take(100).collect::<String>().escape_default().to_string())
            .collect();
        if names.is_empty() {
            names.push(format!("{} without a name", items.len()));
        }
        names.join(", ")
    };
    match (tag, items) {
        (_, []) => Err(ChoiceError::None),
        (None, [only]) => Ok(only.item),
        (None, _) => Err(ChoiceError::Several(names())),
        (Some(tag), _) => items
            .iter()
            .find(|item| {
                item.names.iter().any(|name| *name == tag || name.rsplit_once(':').is_some_and(|n| n.1 == tag))
            })
            .map(|item| item.item)
            .ok_or_else(|| ChoiceError::Tag { wanted: tag.to_owned(), found: names() }),
    }
}

/// Follows a layout's `index.json` to an image. Layers are given as paths of the layout.
pub(crate) fn from_index<E>(
    index: &[u8],
    tag: Option<&str>,
    platform: &Platform,
    fetch: &mut dyn FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<Chosen, E>
where
    E: From<ManifestError> + From<ChoiceError>,
{
    let Manifest::Index(entries) = Manifest::parse(index)? else {
        return Err(ManifestError::Ambiguous.into());
    };
    let candidates = meant(&entries, tag)?;
    let entry = manifest::choose(&candidates, platform)?;
    let bytes = sized(entry, fetch)?;
    let (config, layers) = follow(bytes, platform, fetch)?;
    Ok(Chosen { config, layers: layers.iter().map(|layer| blob_path(layer.digest)).collect() })
}

/// The entries of the image that is meant: one, or several of one name or of none, for several platforms.
fn meant(entries: &[Descriptor], tag: Option<&str>) -> Result<Vec<Descriptor>, ChoiceError> {
    // Attestations have no name, and differ from the image that they are about in nothing else that matters here.
    let names: BTreeSet<Vec<&str>> =
        entries.iter().map(|entry| entry.names().collect()).filter(|it: &Vec<_>| !it.is_empty()).collect();
    if tag.is_none() && names.len() <= 1 && entries.iter().any(|entry| entry.platform.is_some()) {
        return Ok(entries.to_vec());
    }
    let labelled: Vec<Labelled<'_, Descriptor>> =
        entries.iter().map(|entry| Labelled { names: entry.names().collect(), item: entry }).collect();
    let found = by_tag(&labelled, tag)?;
    Ok(entries
        .iter()
        .filter(|entry| *entry == found || tag.is_some() && entry.names().eq(found.names()))
        .cloned()
        .collect())
}

/// Follows a manifest or index to an image's configuration and layers. `fetch` returns bytes that
/// have the digest asked for.
pub(crate) fn follow<E>(
    mut bytes: Vec<u8>,
    platform: &Platform,
    fetch: &mut dyn FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<(Vec<u8>, Vec<Descriptor>), E>
where
    E: From<ManifestError> + From<ChoiceError>,
{
    for _ in 0..INDEX_DEPTH {
        match Manifest::parse(&bytes)? {
            Manifest::Index(entries) => {
                let entry = manifest::choose(&entries, platform)?;
                bytes = sized(entry, fetch)?;
            }
            Manifest::Image(image) => {
                if image.config.size > CONFIG_BYTES {
                    return Err(ManifestError::TooLarge.into());
                }
                let config = sized(&image.config, fetch)?;
                return Ok((config, image.layers));
            }
        }
    }
    Err(ChoiceError::Depth.into())
}

/// Where a layout keeps a blob.
pub(crate) fn blob_path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn sized<E: From<ChoiceError>>(
    wanted: &Descriptor,
    fetch: &mut dyn FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let bytes = fetch(wanted)?;
    let found = bytes.len() as u64;
    if found != wanted.size {
        return Err(ChoiceError::Size { digest: wanted.digest, wanted: wanted.size, found }.into());
    }
    Ok(bytes)
}
