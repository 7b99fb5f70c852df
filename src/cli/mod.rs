//! What can be typed: the whole command line, and the entry of the binary. No file is opened while parsing.
//!
//! Not here: what a verb accepts and the global options, which stand in [`crate::commands`], and the environment
//! ([`crate::process::env`]). Nothing below imports this room.

mod candidates;
mod invoke;
mod suggest;

use clap::{Args, CommandFactory, Parser};

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
    disable_help_subcommand = true,
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

/// Return the whole command line as clap sees it. Completions, manual pages and parsing come from this one definition.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let globals: Vec<clap::Arg> = command
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .map(|argument| argument.clone().hide_short_help(true).hide_long_help(true))
        .collect();
    let line = globals_line(&globals);
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.into_iter().fold(command, |command, verb| {
        command.mut_subcommand(verb, |verb| with_globals_on_one_line(verb, &globals, &line))
    })
}

/// Return the command line with the verb that `words` begin with and no other: clap gives each verb a copy of every global
/// option. What this does not take is parsed again with [`command`].
fn bare_command(words: &[std::ffi::OsString]) -> clap::Command {
    let command = Cli::command();
    let verb =
        words.iter().skip(1).filter_map(|word| word.to_str()).find_map(|word| command.find_subcommand(word));
    match verb {
        Some(verb) => Globals::augment_args(clap::Command::new("kanbanctl"))
            .args_override_self(true)
            .disable_help_subcommand(true)
            .subcommand(verb.clone()),
        None => command,
    }
}

/// Return the command line with completers at every value that a shell can look up, for the words and variables that it
/// has given.
pub fn completing(
    words: impl IntoIterator<Item = std::ffi::OsString>,
    vars: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> clap::Command {
    candidates::attach(command(), words, vars)
}

/// Give a verb the global options: typed anywhere, described once at the top, named in its help on one line.
fn with_globals_on_one_line(verb: clap::Command, globals: &[clap::Arg], line: &str) -> clap::Command {
    let below: Vec<String> = verb.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let verb = below.into_iter().fold(verb, |verb, name| {
        verb.mut_subcommand(name, |verb| with_globals_on_one_line(verb, globals, line))
    });
    let extra = verb.get_after_help().or(verb.get_after_long_help()).map(ToString::to_string);
    let line = extra.map_or_else(|| line.to_owned(), |extra| format!("{extra}\n\n{line}"));
    verb.args(globals).after_help(line.clone()).after_long_help(line)
}

fn globals_line(globals: &[clap::Arg]) -> String {
    let name = |argument: &clap::Arg| match (argument.get_short(), argument.get_long()) {
        (Some(short), _) => format!("-{short}"),
        (None, long) => format!("--{}", long.unwrap_or_default()),
    };
    let names: Vec<String> = globals.iter().map(name).collect();
    format!("Global options: {} (see `kanbanctl --help`)", names.join(" "))
}
