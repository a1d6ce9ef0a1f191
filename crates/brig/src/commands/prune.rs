//! `brig prune`

use std::process::ExitCode;

use brig_runtime::kept;

use super::Outcome;
use crate::args::Prune;
use crate::screen::Screen;
use crate::settings::Settings;

pub(super) fn run(args: &Prune, settings: &Settings, screen: &Screen) -> Outcome {
    let cleared = kept::prune(args.all, &settings.context())?;
    let (images, mib) = (cleared.images.images, cleared.images.bytes >> 20);
    screen.say(&format!("removed {images} images, {mib} MiB; cleaned up after {} runs", cleared.runs));
    if cleared.images.deferred {
        screen.say("another brig is adding an image: its layers were left for the next time");
    }
    Ok(ExitCode::SUCCESS)
}
