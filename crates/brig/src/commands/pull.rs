//! `brig pull`

use std::process::ExitCode;

use brig_runtime::kept::{self, Fetched};

use super::Outcome;
use crate::args::PullArgs;
use crate::screen::Screen;
use crate::settings::Settings;

pub(super) fn run(args: &PullArgs, settings: &Settings, screen: &Screen) -> Outcome {
    let context = settings.context();
    let tell = |note| screen.note(&note);
    let fetched = match &args.image {
        Some(image) => kept::pull_image(image, args.platform.as_deref(), &context, &tell)?,
        None => kept::pull_package(&args.package, args.allow_install_scripts, &context, &tell)?,
    };
    match fetched {
        Fetched::Image { id } => screen.data(&format!("{id}\n")),
        Fetched::Package { resolved, tree } => {
            screen.data(&format!("{} {tree}\n", resolved.first().map_or("", String::as_str)));
            screen.detail(&format!("with {}", resolved.get(1..).unwrap_or_default().join(", ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}
