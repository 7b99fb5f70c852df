//! `kanbanctl backups`: the `.corrupt.*.bak` files beside a board and our own copies of it, grouped by content.

mod content;
mod list;
mod show;

use self::content::Content;
use super::Context;
use super::progress::Bars;
use crate::board::{Board, location};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::recover::sources::{self, Digests, Unread};

/// Look at the copies beside a board.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the copies, each content once.
    #[command(visible_alias = "ls")]
    List,
    /// Show where one content lies and what it is.
    Show {
        /// The first digits of its SHA-256, as `list` shows them, or a path.
        #[arg(value_name = "BACKUP")]
        backup: String,
    },
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown backup, 14 for an ambiguous one; reading errors.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    match &args.verb {
        Verb::List => list::run(context),
        Verb::Show { backup } => show::run(context, backup),
    }
}

/// What there is, and the worst that was met on the way.
struct Gathered {
    /// The newest first.
    contents: Vec<Content>,
    exit: Exit,
}

/// Every copy there is; under the root a board that fails is told about and the worst code kept. So is a copy that cannot
/// be read, which does not hide the others.
///
/// # Errors
/// Where a directory cannot be listed, and the signal's when one arrives.
fn gather(context: &mut Context<'_>) -> Outcome<Gathered> {
    let mut gathered = Gathered { contents: Vec::new(), exit: Exit::Ok };
    if context.globals.all_boards {
        for board in location::discover(context.env)? {
            match of_board(context, &board, &mut gathered) {
                Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
                Err(failure) => {
                    gathered.exit = gathered.exit.merge(failure.exit());
                    context.ui.warning(format_args!("board {}: {failure}", board.name()));
                }
                Ok(()) => {}
            }
        }
    } else {
        let board = context.board()?;
        of_board(context, &board, &mut gathered)?;
    }
    gathered.contents.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.sha256.cmp(&b.sha256)));
    Ok(gathered)
}

fn of_board(context: &mut Context<'_>, board: &Board, gathered: &mut Gathered) -> Outcome<()> {
    let resolved = board.inspect()?.resolved;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let copies = sources::backups(&resolved, Digests::All, &mut bars)?;
    let own = sources::own_backups(&resolved, Digests::All, &mut bars)?;
    drop(bars);
    gathered.contents.extend(copies.sources.into_iter().chain(own.sources).map(Content::of));
    for Unread { path, reason } in copies.unread.into_iter().chain(own.unread) {
        context.ui.warning(format_args!("{}: {reason}", path.display()));
        gathered.exit = gathered.exit.merge(Exit::Partial);
    }
    Ok(())
}
