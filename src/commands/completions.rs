//! `completions SHELL`: a static script for one shell.
//!
//! Static, so that it works when the board is broken: nothing in it calls back. It never touches a board.

use clap_complete::Shell;

use super::Context;
use crate::failure::Outcome;
use crate::failure::exit::Exit;

/// Print a completion script for a shell.
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
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut (context.command)(), "kanbanctl", &mut script);
    // A script is one in every `--format`.
    context.ui.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
