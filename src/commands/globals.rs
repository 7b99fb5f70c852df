//! The global options, which go before or after any verb.

use std::path::PathBuf;
use std::time::Duration;

use super::values;
use crate::ui::{ColorWhen, Format};

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
    /// Make the directory that a destination lies in, where it does not exist.
    #[arg(long, global = true, help_heading = "Global options")]
    pub create_dirs: bool,
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
