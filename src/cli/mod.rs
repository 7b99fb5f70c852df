//! What can be typed: the whole command line, and the entry of the binary. No file is opened while parsing.
//!
//! Not here: what a verb accepts and the global options, which stand in [`crate::commands`], and the environment
//! ([`crate::process::env`]). Nothing below imports this room.

mod invoke;

use clap::{CommandFactory, Parser};

use crate::commands::Verb;
use crate::commands::globals::Globals;

pub use invoke::invoke;

/// Create, complete, check and recover Hermes kanban boards through one connection.
///
/// Without a verb, kanbanctl says which board it would use and why, how it is, and what to do next.
#[derive(Debug, Parser)]
#[command(
    name = "kanbanctl",
    version,
    args_override_self = true,
    max_term_width = 100,
    after_long_help = EXIT_STATUS
)]
pub struct Cli {
    /// The options of every verb.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The exit-code table as every help page ends with it.
const EXIT_STATUS: &str = "\
Exit status:
  0 ok, 1 failed, 2 usage, 3 degraded, 4 damaged, 5 partial, 6 unchecked, 10 no board, 11 busy,
  12 refused, 13 not found, 14 conflict, 128+N ended by signal N. Treat unknown codes as failure.";

/// The whole command line as clap sees it; completions, man pages and parsing come from this one definition.
pub fn command() -> clap::Command {
    Cli::command()
}
