//! What brig keeps on this machine, and how it is fetched, listed and removed: images, packages,
//! volumes.

use brig_image::store::{Keep, Pruned};
use brig_image::volume::Usage;
use brig_policy::request::Pull;

use crate::packages::{AskError, recognise};
use crate::run::{Context, RunError, Tell, fetch_image, fetch_package, image_store, sweep, user_volumes};

pub use brig_image::store::Listed as Image;
pub use brig_image::volume::ListedVolume as Volume;

/// What `brig pull` brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// An image, by the digest of its configuration.
    Image {
        /// `sha256:` and 64 hexadecimal digits.
        id: String,
    },
    /// A package, with what it resolved to.
    Package {
        /// `name@version`, the package itself first.
        resolved: Vec<String>,
        /// The hash of its files.
        tree: String,
    },
}

/// What [`prune`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleared {
    /// Images without a name.
    pub images: Pruned,
    /// Runs that were killed, cleaned up after.
    pub runs: usize,
}

/// Fetches an image anew, whatever the store has.
///
/// # Errors
/// When it cannot be had.
pub fn pull_image(
    reference: &str,
    platform: Option<&str>,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Fetched, RunError> {
    let lease = fetch_image(reference, (platform, Pull::Always), context, tell)?;
    Ok(Fetched::Image { id: lease.image.id.to_string() })
}

/// Resolves a package anew, whatever `brig.lock` holds.
///
/// # Errors
/// When these are no words of a package runner, or it cannot be had.
pub fn pull_package(argv: &[String], scripts: bool, context: &Context, tell: Tell<'_>) -> Result<Fetched, RunError> {
    let nothing = || AskError::Runner(argv.first().cloned().unwrap_or_default());
    let ask = recognise(argv)?.ok_or_else(nothing)?;
    let locked = fetch_package(&ask, scripts, (context, tell))?;
    Ok(Fetched::Package { resolved: locked.resolved, tree: locked.tree.into() })
}

/// All images, the most recently used first.
///
/// # Errors
/// When the store cannot be read.
pub fn images(context: &Context) -> Result<Vec<Image>, RunError> {
    Ok(image_store(context)?.list()?)
}

/// Removes an image by its name or its identifier.
///
/// # Errors
/// When there is none, or it is in use.
pub fn remove_image(what: &str, context: &Context) -> Result<Pruned, RunError> {
    Ok(image_store(context)?.remove(what)?)
}

/// Removes what nothing needs: images without a name (or all, with `everything`), layers of none,
/// interrupted pulls, and what killed runs left behind. Volumes and pins are never touched.
///
/// # Errors
/// When the store cannot be read.
pub fn prune(everything: bool, context: &Context) -> Result<Cleared, RunError> {
    let runs = sweep(&context.paths);
    let keep = if everything { Keep::Nothing } else { Keep::Named };
    Ok(Cleared { images: image_store(context)?.prune(keep)?, runs })
}

/// All named volumes.
///
/// # Errors
/// When they cannot be read.
pub fn volumes(context: &Context) -> Result<Vec<Volume>, RunError> {
    Ok(user_volumes(context)?.list()?)
}

/// Removes a volume with all that is in it.
///
/// # Errors
/// When there is none, or a box uses it.
pub fn remove_volume(name: &str, context: &Context) -> Result<Usage, RunError> {
    Ok(user_volumes(context)?.remove(name)?)
}
