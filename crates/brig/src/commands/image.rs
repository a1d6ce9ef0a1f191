//! `brig image`

use std::fmt::Write;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use brig_runtime::kept;
use serde_json::json;

use super::Outcome;
use crate::args::ImageCommand;
use crate::screen::Screen;
use crate::settings::Settings;

/// The form of `--json`; raised when a field changes its meaning.
const SCHEMA: &str = "brig.images/1";

pub(super) fn run(command: &ImageCommand, settings: &Settings, screen: &Screen) -> Outcome {
    let context = settings.context();
    match command {
        ImageCommand::Ls { json } => {
            let images = kept::images(&context)?;
            if *json {
                let one = |image: &kept::Image| {
                    let used = image.last_used.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                    json!({
                        "id": image.id.to_string(), "names": image.names, "bytes": image.bytes,
                        "last_used_unix": used, "in_use": image.in_use,
                    })
                };
                let images: Vec<_> = images.iter().map(one).collect();
                screen.data(&format!("{}\n", json!({ "schema": SCHEMA, "images": images })));
            } else {
                screen.data(&table(&images));
            }
        }
        ImageCommand::Rm { images } => {
            for image in images {
                let removed = kept::remove_image(image, &context)?;
                screen.say(&format!("removed {image}: {} MiB freed", removed.bytes >> 20));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn table(images: &[kept::Image]) -> String {
    let mut text = String::new();
    for image in images {
        let names = if image.names.is_empty() { "(no name)".to_owned() } else { image.names.join(", ") };
        let used = if image.in_use { "in use" } else { "" };
        let _ = writeln!(text, "{:14}{:>8} MiB  {used:8}{names}", image.id.short(), image.bytes >> 20);
    }
    text
}
