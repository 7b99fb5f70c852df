//! `kanbanctl backups`: the `.corrupt.*.bak` files beside a board and our own copies of it, grouped by content.

mod content;
mod diff;
mod list;
mod prune;
mod show;

use std::path::{Path, PathBuf};

use self::content::CopyContent;
use super::Context;
use super::progress::Bars;
use crate::board::{Board, Stamp};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::salvage::source;
use crate::salvage::source::{Digests, Discovered, Unread};

/// Look at the copies beside a board, and thin them out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the board's backups lie: the DIR of `backup DIR` [default: the folder beside the board].
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    verb: BackupsVerb,
}

#[derive(Debug, clap::Subcommand)]
enum BackupsVerb {
    /// List the copies, each content once.
    ///
    /// Plain record: ID KIND COPIES BYTES NEWEST PATH, the time in Unix seconds, the path that of the newest copy.
    #[command(visible_alias = "ls")]
    List,
    /// Show where one content lies and what it is.
    ///
    /// Plain records: copy ID KIND PATH BYTES SHA256 for each file, then rows TABLE COUNT.
    Show {
        /// The first digits of its SHA-256, as `list` shows them, or the path of any copy.
        #[arg(value_name = "BACKUP")]
        backup: String,
    },
    /// Say task by task what a copy holds against the live board.
    ///
    /// Both are read page by page, damaged or not. Which of two states is newer is read from the rows: the latest time
    /// in anything that belongs to the task. Plus is only in the copy, minus only on the board.
    Diff(diff::Args),
    /// Remove copies without losing a row.
    ///
    /// Without a rule only equal copies beyond one go. With --keep, --older-than or --max-bytes whole contents go, too, the
    /// oldest first, but never the newest, the oldest of an incident, or one that holds a row version found neither on
    /// the live board nor in a copy that stays. Where the board is damaged, nothing goes without which `recover` would
    /// bring back fewer rows: recover first. Says first what would go, and asks.
    Prune(prune::Args),
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown backup, 14 for an ambiguous one; reading errors.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let directory = args.dir.as_deref().map(std::path::absolute).transpose();
    let directory = directory.map_err(|error| Failure::io(error, "finding the working directory"))?;
    if let Some(missing) = directory.as_deref().filter(|directory| !directory.is_dir()) {
        return Err(Failure::refused(format!("there is no directory {}.", missing.display()))
            .hint("Mount it, or name the directory that backups are written to.")
            .at(missing));
    }
    let directory = directory.as_deref();
    match &args.verb {
        BackupsVerb::List => list::run(context, directory),
        BackupsVerb::Show { backup } => show::run(context, directory, backup),
        BackupsVerb::Diff(args) => diff::run(context, directory, args),
        BackupsVerb::Prune(args) => prune::run(context, directory, args),
    }
}

/// The file of the one copy that is called `wanted`.
///
/// # Errors
/// Exit 13 when there is none, 14 when there are several; reading errors.
pub(super) fn find(context: &mut Context<'_>, wanted: &str) -> Outcome<PathBuf> {
    let gathered = gather(context, None)?;
    Ok(content::choose(gathered.contents, wanted)?.source.path)
}

/// The one content that `wanted` names: a file wherever it lies, or how `list` calls it.
///
/// # Errors
/// Exit 13 when there is none, 14 when there are several; reading errors.
fn choose(context: &Context<'_>, contents: Vec<CopyContent>, wanted: &str) -> Outcome<CopyContent> {
    let path = std::path::absolute(wanted).unwrap_or_else(|_| PathBuf::from(wanted));
    let Some(stamp) = Stamp::of(&path).ok().flatten().filter(|_| path.is_file()) else {
        return content::choose(contents, wanted);
    };
    if let Some(known) = contents.into_iter().find(|content| content.has((stamp.dev, stamp.ino))) {
        return Ok(known);
    }
    let mut bars = Bars::new(context.ui, context.signals.clone());
    match source::named(&path, &mut bars)? {
        Some(source) => Ok(CopyContent::of(source)),
        None => content::choose(Vec::new(), wanted),
    }
}

/// What there is, and the worst that was met on the way.
struct Gathered {
    /// The newest first.
    contents: Vec<CopyContent>,
    exit: Exit,
}

/// Every copy there is; under the root a board that fails is told about and the worst code kept. So is a copy that cannot
/// be read, which does not hide the others.
///
/// # Errors
/// Where a directory cannot be listed, and the signal's when one arrives.
fn gather(context: &mut Context<'_>, directory: Option<&Path>) -> Outcome<Gathered> {
    let mut gathered = Gathered { contents: Vec::new(), exit: Exit::Ok };
    if context.globals.all_boards {
        for board in context.every_board()? {
            match of_board(context, &board, directory, &mut gathered) {
                Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
                Err(failure) => {
                    gathered.exit = gathered.exit.merge(failure.exit());
                    context.ui.setback(&board.name(), &board.blame(failure));
                }
                Ok(resolved) => under_other_names(context, &resolved, &mut gathered)?,
            }
        }
    } else {
        let board = context.board()?;
        let resolved = of_board(context, &board, directory, &mut gathered)?;
        under_other_names(context, &resolved, &mut gathered)?;
    }
    gathered.sort();
    Ok(gathered)
}

/// The one board that is meant, its resolved path, and its copies.
///
/// # Errors
/// Exit 2 with `--all-boards`, and as [`gather`].
fn gather_one(
    context: &mut Context<'_>,
    directory: Option<&Path>,
    verb: &str,
) -> Outcome<(Board, PathBuf, Gathered)> {
    if context.globals.all_boards {
        return Err(Failure::usage(format!(
            "`backups {verb}` works on one board; name it with --board or --db."
        )));
    }
    let board = context.board()?;
    let mut gathered = Gathered { contents: Vec::new(), exit: Exit::Ok };
    let resolved = of_board(context, &board, directory, &mut gathered)?;
    gathered.sort();
    Ok((board, resolved, gathered))
}

impl Gathered {
    fn take(&mut self, context: &mut Context<'_>, found: Discovered) {
        self.contents.extend(found.sources.into_iter().map(CopyContent::of));
        for Unread { path, reason } in found.unread {
            context.ui.warning(format_args!("{}: {reason}", path.display()));
            self.exit = self.exit.merge(Exit::Partial);
        }
    }

    fn sort(&mut self) {
        self.contents.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.sha256.cmp(&b.sha256)));
    }
}

fn of_board(
    context: &mut Context<'_>,
    board: &Board,
    directory: Option<&Path>,
    gathered: &mut Gathered,
) -> Outcome<PathBuf> {
    let resolved = board.inspect()?.resolved;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let copies = source::backups(&resolved, Digests::All, &mut bars)?;
    let own = match directory {
        Some(directory) => source::own_backups_in(directory, &resolved, Digests::All, &mut bars)?,
        None => source::own_backups(&resolved, Digests::All, &mut bars)?,
    };
    drop(bars);
    for found in [copies, own] {
        gathered.take(context, found);
    }
    Ok(resolved)
}

/// Adds the copies that neither Hermes nor we named. They are shown and compared; `prune` removes none of them.
fn under_other_names(context: &mut Context<'_>, resolved: &Path, gathered: &mut Gathered) -> Outcome<()> {
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let found = source::namesakes(resolved, Digests::All, &mut bars)?;
    drop(bars);
    gathered.take(context, found);
    Ok(())
}
