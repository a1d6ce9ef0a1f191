//! The command line, as clap types. No logic.
//!
//! `brig run`'s own flags are Docker's and are read by `brig_policy::flags`, whose table also makes
//! their help and completions; clap never sees them, since it would eat the first `--`.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  brig run -i --rm -e GITHUB_PERSONAL_ACCESS_TOKEN ghcr.io/github/github-mcp-server
  brig run --here -- npx -y @modelcontextprotocol/server-filesystem .
  brig run -- uvx mcp-server-git --repository .
  brig demo
  brig doctor

Exit status of `run`: that of the server, 128+N when signal N ended it; before it starts
  2 usage, 77 refused, 125 brig failed, 126 not executable, 127 not found.
Exit status of `demo` and `doctor`: 0 good, 1 findings, 3 cannot tell, 2 usage, 125 failure.";

/// Puts each MCP server in a locked box: without Docker, without root.
#[derive(Debug, Parser)]
#[command(name = "brig", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Args {
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Reads the command line; what follows `run` is taken as it is.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let is_global = |word: &OsString| ["-q", "--quiet", "-v", "--verbose"].iter().any(|one| word == one);
        let leading = words.iter().skip(1).take_while(|word| is_global(word)).count() + 1;
        if words.get(leading).is_none_or(|word| word != "run") {
            return Self::try_parse_from(words);
        }
        let (before, after) = words.split_at(leading + 1);
        let mut args = Self::try_parse_from(before)?;
        args.command = Command::Run { words: after.to_vec() };
        Ok(args)
    }
}

/// The subcommands, one file each in `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an image's or this machine's MCP server in a box (`brig run --help` lists the flags)
    #[command(disable_help_flag = true, after_help = "See `brig run --help`.")]
    Run {
        /// Docker's flags, then an image or `--` and a program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS… IMAGE|-- PROGRAM ARGS…")]
        words: Vec<OsString>,
    },
    /// Fetch an image, or a package after `--`, anew
    #[command(after_help = "Examples:\n  brig pull ghcr.io/github/github-mcp-server\n  \
                            brig pull -- npx -y @modelcontextprotocol/server-everything@latest")]
    Pull(PullArgs),
    /// List and remove images
    #[command(subcommand)]
    Image(ImageCommand),
    /// List and remove named volumes
    #[command(subcommand)]
    Volume(VolumeCommand),
    /// Remove what nothing needs: unnamed images, interrupted pulls, what killed runs left behind
    Prune(Prune),
    /// Box a simulated server, attack it, and show what it reached
    #[command(after_help = "Nothing is needed for it and nothing is sent anywhere but to this machine's loopback.")]
    Demo(Demo),
    /// Show what this machine can enforce, wall by wall
    #[command(after_help = "Example: brig doctor --json | jq '.walls[] | select(.state != \"enforced\")'")]
    Doctor(Doctor),
}

/// `brig pull`
#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// Image for this platform, such as linux/arm64
    #[arg(long)]
    pub(crate) platform: Option<String>,
    /// Let packages run scripts while they are installed, inside their box
    #[arg(long)]
    pub(crate) allow_install_scripts: bool,
    /// The image: a registry reference, a tar, or a folder with an OCI layout
    #[arg(required_unless_present = "package")]
    pub(crate) image: Option<String>,
    /// The package, as it is run: npx PACKAGE, uvx PACKAGE
    #[arg(last = true, conflicts_with_all = ["image", "platform"])]
    pub(crate) package: Vec<String>,
}

/// `brig image`
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// List images, the most recently used first
    Ls {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove images by name or identifier
    Rm {
        /// Names or identifiers
        #[arg(required = true)]
        images: Vec<String>,
    },
}

/// `brig volume`
#[derive(Debug, Subcommand)]
pub(crate) enum VolumeCommand {
    /// List volumes
    Ls {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove volumes with all that is in them
    Rm {
        /// Names
        #[arg(required = true)]
        volumes: Vec<String>,
    },
}

/// `brig prune`
#[derive(Debug, clap::Args)]
pub(crate) struct Prune {
    /// Remove every image that no box uses
    #[arg(short, long)]
    pub(crate) all: bool,
}

/// `brig demo`
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `brig doctor`
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the system calls that a box may make, with the reason of each
    #[arg(long, conflicts_with_all = ["json", "apparmor_profile"])]
    pub(crate) system_calls: bool,
    /// Print an AppArmor profile that lets brig make boxes where AppArmor restricts that
    #[arg(long, conflicts_with = "json")]
    pub(crate) apparmor_profile: bool,
}
