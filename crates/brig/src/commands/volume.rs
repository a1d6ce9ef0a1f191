//! `brig volume`

use std::fmt::Write;
use std::process::ExitCode;

use brig_runtime::kept;
use serde_json::json;

use super::Outcome;
use crate::args::VolumeCommand;
use crate::screen::Screen;
use crate::settings::Settings;

/// The form of `--json`; raised when a field changes its meaning.
const SCHEMA: &str = "brig.volumes/1";

pub(super) fn run(command: &VolumeCommand, settings: &Settings, screen: &Screen) -> Outcome {
    let context = settings.context();
    match command {
        VolumeCommand::Ls { json: true } => {
            let one = |volume: &kept::Volume| json!({ "name": volume.name, "bytes": volume.usage.bytes, "in_use": volume.in_use });
            let volumes: Vec<_> = kept::volumes(&context)?.iter().map(one).collect();
            screen.data(&format!("{}\n", json!({ "schema": SCHEMA, "volumes": volumes })));
        }
        VolumeCommand::Ls { json: false } => {
            let mut text = String::new();
            for volume in kept::volumes(&context)? {
                let used = if volume.in_use { "in use" } else { "" };
                let _ = writeln!(text, "{:>8} KiB  {used:8}{}", volume.usage.bytes >> 10, volume.name);
            }
            screen.data(&text);
        }
        VolumeCommand::Rm { volumes } => {
            for volume in volumes {
                let removed = kept::remove_volume(volume, &context)?;
                screen.say(&format!("removed {volume}: {} KiB freed", removed.bytes >> 10));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
