//! What can be typed: the global options and how the command line becomes a value.
//!
//! Responsible for clap. No file is opened while parsing. The environment's snapshot is [`crate::process::env`]'s; what
//! a verb accepts stands beside the verb, in [`crate::commands`].

mod invoke;

use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, Parser};

use crate::commands::{Verb, values};
use crate::ui::{ColorWhen, Format};

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

/// The options that go before or after any verb.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent switch of the command line")]
pub struct Globals {
    /// Board by name.
    #[arg(long, global = true, value_name = "SLUG", help_heading = "Global options")]
    pub board: Option<String>,
    /// Board file by path.
    #[arg(long, global = true, value_name = "PATH", help_heading = "Global options")]
    pub db: Option<PathBuf>,
    /// Every board under the root (health, list, stats, checkpoint, backup, backups list).
    #[arg(long, global = true, conflicts_with_all = ["board", "db"], help_heading = "Global options")]
    pub all_boards: bool,
    /// How data is written; table on a terminal, plain otherwise [nagios, prom: `health` only].
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Global options")]
    pub format: Option<Format>,
    /// Short for --format json.
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Global options")]
    pub json: bool,
    /// Write the data to this file, atomically.
    #[arg(short = 'o', global = true, value_name = "FILE", help_heading = "Global options")]
    pub output_file: Option<PathBuf>,
    /// Say less on stderr: no status, hints or bars; twice: errors only.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub quiet: u8,
    /// Say more on stderr (can be repeated; twice logs every SQL statement).
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet",
          help_heading = "Global options")]
    pub verbose: u8,
    /// Colour.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub color: ColorWhen,
    /// Only ASCII in decoration; so it is with TERM=dumb and where the locale is not UTF-8.
    #[arg(long, global = true, help_heading = "Global options")]
    pub ascii: bool,
    /// Lock budget of the whole command, such as 500ms, 30s or 2m [default: 30s].
    #[arg(long, global = true, value_name = "DUR", value_parser = values::duration, allow_negative_numbers = true,
          help_heading = "Global options")]
    pub timeout: Option<Duration>,
    /// What to do when the lock is not had within the budget.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHAT",
        default_value = "fail",
        help_heading = "Global options"
    )]
    pub if_busy: IfBusy,
    /// Answer every confirmation with yes.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// Never ask.
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_input: bool,
    /// Do everything but the write, and say what it would be.
    #[arg(short = 'n', long, global = true, help_heading = "Global options")]
    pub dry_run: bool,
}

/// The value of `--if-busy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum IfBusy {
    /// Exit 11.
    #[default]
    Fail,
    /// Exit 0, for cron.
    Skip,
}

impl Globals {
    /// The format that was asked for, if one was.
    pub fn wanted_format(&self) -> Option<Format> {
        if self.json { Some(Format::Json) } else { self.format }
    }
}

/// The whole command line as clap sees it; completions, man pages and parsing come from this one definition.
pub fn command() -> clap::Command {
    Cli::command()
}
