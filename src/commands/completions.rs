//! `completions SHELL`: a script that asks this program for candidates. Printing it touches no board.
//!
//! Not here: the candidates ([`crate::cli`]). They come from the program itself, so a script is never older than it.

use clap_complete::Shell;
use clap_complete::env::Shells;

use super::Context;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Print a completion script for a shell.
///
/// The script completes verbs, options and values: task ids with their titles, boards, statuses, assignees, copies and
/// findings. It runs kanbanctl with $KANBANCTL_COMPLETE set, which only reads, and answers with nothing where a board cannot
/// be read.
///
/// Bash: put it into ~/.local/share/bash-completion/completions/kanbanctl. Zsh: name it _kanbanctl in a directory of
/// $fpath. Fish: ~/.config/fish/completions/kanbanctl.fish.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let shell = args.shell.to_string();
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let completer =
        shells.completer(&shell).ok_or_else(|| Failure::usage(format!("there is no script for {shell}.")))?;
    completer
        .write_registration("KANBANCTL_COMPLETE", "kanbanctl", "kanbanctl", "kanbanctl", &mut script)
        .map_err(|error| Failure::io(error, "writing the script"))?;
    // A script is one in every `--format`.
    context.ui.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
