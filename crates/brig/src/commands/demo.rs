//! `brig demo`: the main job in one go, on any Linux machine, without Docker, network or root.

use std::error::Error;
use std::fs::File;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use brig_policy::mount::{Access, MountRequest, Source};
use brig_policy::request::{EnvRequest, Program, Request};
use brig_runtime::demo::{self, BoxOrder, Order, Style, Talk};
use brig_runtime::run::{self, Context, Held};

use super::{Outcome, hidden};
use crate::args::Demo;
use crate::screen::Screen;
use crate::settings::Settings;

pub(super) fn run(args: &Demo, settings: &Settings, screen: &Screen) -> Outcome {
    if !cfg!(target_os = "linux") {
        screen.say("the box needs Linux's namespaces; macOS and Windows will get it in a small virtual machine");
        return Ok(ExitCode::from(3));
    }
    let context = settings.context();
    let stop = AtomicBool::new(false);
    let order = Order {
        program: &std::env::current_exe()?,
        words: &[hidden::SIM.to_owned()],
        scratch: &settings.scratch(),
        stop: &stop,
    };
    let report = demo::run(&order, &mut |order| start(order, &context))?;
    if args.json {
        screen.data(&demo::json(&report));
    } else {
        screen.data(&demo::table(&report, Style { width: screen.width(), colour: screen.colour_of_data() }));
    }
    Ok(ExitCode::from(report.verdict().exit_status()))
}

/// The very box that `brig run -v GRANT -e NAME=VALUE -- brig __sim` makes.
fn start(order: &BoxOrder, context: &Context) -> Result<Talk, Box<dyn Error + Send + Sync>> {
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let argv = [text(&order.program)].into_iter().chain(order.words.iter().cloned()).collect();
    let mut request = Request::new(Program::Host { argv });
    let env = |(name, value): &(String, String)| EnvRequest::Literal { name: name.clone(), value: value.clone() };
    request.env = order.env.iter().map(env).collect();
    request.mounts = vec![MountRequest {
        source: Source::Host(text(&order.grant)),
        target: text(&order.grant),
        access: Access::ReadOnly,
    }];
    let (running, pipes) = run::prepare(&request, context, &|_| ())?.go(None)?;
    Ok(Talk {
        input: Box::new(File::from(pipes.stdin)),
        output: Box::new(File::from(pipes.stdout)),
        end: Box::new(move || end(running, pipes.stderr)),
    })
}

/// The simulated server has nothing to say after its client: everything in the box ends at once.
fn end(running: Held, stderr: std::os::fd::OwnedFd) {
    drop(running);
    drop(stderr);
}
