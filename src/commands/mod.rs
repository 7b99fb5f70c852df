//! The verbs, one file each: what it accepts (`Args`) and what it does (`run`).
//!
//! Responsible here for the list of verbs, the dispatch, and what every verb shares ([`Context`]): finding the
//! board, opening the pool with the invocation's budget. A verb asks the library layers for values and hands them to
//! [`crate::ui`]; it holds no SQL and draws nothing.

pub(crate) mod after_install;
pub mod backup;
pub mod backups;
pub mod boards;
pub mod checkpoint;
pub mod complete;
pub mod completions;
pub mod create;
pub mod draft;
mod explain;
pub mod health;
pub mod init;
pub mod journal_mode;
pub mod list;
pub mod man;
mod overview;
pub(crate) mod page_map;
mod progress;
pub mod recover;
pub mod repair;
pub mod restore;
pub mod show;
pub mod stats;
pub mod stress;
pub mod values;
pub mod version;

use std::path::PathBuf;
use std::time::Duration;

use crate::board::holders::Onlooker;
use crate::board::{Board, Inspection, location};
use crate::cli::{Cli, Globals, IfBusy};
use crate::failure::exit::Exit;
use crate::failure::hint::Aim;
use crate::failure::{Failure, Outcome};
use crate::install::Terms;
use crate::pool::{Access, Budget, Lines, Pool};
use crate::process::clock::Clock;
use crate::process::env::Env;
use crate::process::signals::Signals;
use crate::ui::Ui;

/// The lock budget where neither `--timeout` nor `HERMES_KANBAN_BUSY_TIMEOUT_MS` says otherwise (architecture.md
/// rule 6).
const DEFAULT_BUDGET: Duration = Duration::from_secs(30);

/// What kanbanctl can be told to do.
#[derive(Debug, clap::Subcommand)]
#[expect(missing_docs, reason = "a comment here would replace the help text that stands at each verb's Args")]
pub enum Verb {
    Backup(backup::Args),
    Backups(backups::Args),
    Boards(boards::Args),
    Checkpoint(checkpoint::Args),
    Complete(complete::Args),
    Create(create::Args),
    Init(init::Args),
    #[command(visible_alias = "ls")]
    List(list::Args),
    Show(show::Args),
    Stats(stats::Args),
    Stress(stress::Args),
    Completions(completions::Args),
    Health(health::Args),
    JournalMode(journal_mode::Args),
    Man(man::Args),
    Recover(recover::Args),
    Repair(repair::Args),
    Restore(restore::Args),
    Version(version::Args),
}

/// What every verb has at hand.
#[derive(Debug)]
pub struct Context<'a> {
    /// The streams.
    pub ui: &'a mut Ui,
    /// The global options.
    pub globals: &'a Globals,
    /// The environment's snapshot.
    pub env: &'a Env,
    /// The time.
    pub clock: Clock,
    /// The flag that INT, TERM and HUP set.
    pub signals: Signals,
    /// What may be waited for locks in all.
    pub budget: Budget,
    /// Where the statements of `-vv` gather.
    pub statements: Lines,
    /// Where the pool's own remarks gather.
    pub notes: Lines,
    /// The board that was chosen, once it is.
    pub chosen: Option<Board>,
}

impl Context<'_> {
    /// The board that was named or that Hermes would use.
    ///
    /// # Errors
    /// Exit 12 where the sources contradict each other (see [`location::locate`]).
    pub fn board(&mut self) -> Outcome<Board> {
        self.board_of(&location::BoardRequest {
            board: self.globals.board.clone(),
            db: self.globals.db.clone(),
        })
    }

    /// The board that a request leads to.
    ///
    /// # Errors
    /// As [`location::locate`].
    fn board_of(&mut self, request: &location::BoardRequest) -> Outcome<Board> {
        let board = self.chosen.insert(location::locate(request, self.env)?).clone();
        self.ui.detail(format_args!("Board: {} (chosen by {}).", board.path.display(), board.origin));
        Ok(board)
    }

    /// The board's bytes, looked at; every descriptor is closed.
    ///
    /// # Errors
    /// As [`Context::board`] and [`Board::inspect`].
    pub fn inspection(&mut self) -> Outcome<Inspection> {
        self.board()?.inspect()
    }

    /// The pool for the chosen board; nothing is open yet.
    ///
    /// # Errors
    /// As [`Context::inspection`] and [`Pool::new`].
    pub fn pool(&mut self, access: Access) -> Outcome<Pool> {
        let inspection = self.inspection()?;
        self.pool_for(inspection, access)
    }

    /// The pool for a board that was looked at already.
    ///
    /// # Errors
    /// As [`Pool::new`].
    pub fn pool_for(&mut self, inspection: Inspection, access: Access) -> Outcome<Pool> {
        self.pool_within(inspection, access, self.budget())
    }

    /// The same for work that takes as long as the board is large; only locks are waited for within the budget.
    ///
    /// # Errors
    /// As [`Pool::new`].
    pub fn pool_for_long(&mut self, inspection: Inspection, access: Access) -> Outcome<Pool> {
        let budget = self.budget().for_bytes(inspection.bytes_on_disk());
        self.pool_within(inspection, access, budget)
    }

    fn pool_within(&mut self, inspection: Inspection, access: Access, budget: Budget) -> Outcome<Pool> {
        let pool = Pool::new(inspection, access, budget, self.signals.clone())?;
        let log = (self.globals.verbose >= 2).then(|| self.statements.clone());
        Ok(pool
            .rehearsing(self.globals.dry_run)
            .logging(log)
            .with_scratch(self.scratch())
            .noting(self.notes.clone())
            .telling(self.onlooker()))
    }

    /// The line on a terminal that says who is in the way while a lock is waited for.
    fn onlooker(&self) -> Onlooker {
        self.ui.line().map_or_else(Onlooker::default, |line| Onlooker::new(move |text| line.show(text)))
    }

    /// Where private copies go: `TMPDIR`, else `/tmp`.
    fn scratch(&self) -> PathBuf {
        self.env
            .get("TMPDIR")
            .filter(|dir| !dir.is_empty())
            .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
    }

    /// How an install goes about it. The lock budget counts from the moment at which the locks are asked for: building
    /// what is installed takes as long as the board is large.
    fn terms(&self, assume_unused: bool) -> Terms {
        Terms {
            assume_unused,
            patience: self.budget.total,
            signals: self.signals.clone(),
            onlooker: self.onlooker(),
            clock: self.clock,
        }
    }

    /// What leads a pasted command line to the board that was chosen.
    fn aim(&self) -> Aim {
        self.chosen.as_ref().map(Board::aim).unwrap_or_default()
    }

    /// Text with the command lines in it leading to the board that was chosen.
    fn aimed(&self, text: impl std::fmt::Display) -> String {
        self.aim().text(&text.to_string())
    }

    /// Says what to do next, about the board that was chosen.
    fn hint(&mut self, text: impl std::fmt::Display) {
        let hint = self.aimed(text);
        self.ui.hint(hint);
    }

    /// The budget of the whole invocation; its clock runs since the command line was read.
    pub fn budget(&self) -> Budget {
        self.budget
    }
}

/// The lock budget: `--timeout`, else Hermes' variable, else 30 seconds.
pub fn budget(globals: &Globals, env: &Env) -> Budget {
    let hermes = env
        .number("HERMES_KANBAN_BUSY_TIMEOUT_MS")
        .and_then(|value| u64::try_from(value).ok())
        .filter(|&value| value > 0)
        .map(Duration::from_millis);
    Budget::new(globals.timeout.or(hermes).unwrap_or(DEFAULT_BUDGET))
}

/// Runs the chosen verb.
///
/// # Errors
/// What the verb says; with `--if-busy skip` a lock that was not had is a success.
pub fn run(context: &mut Context<'_>, cli: &Cli) -> Outcome<Exit> {
    let outcome = dispatch(context, cli).map_err(|failure| match &context.chosen {
        Some(board) => board.blame(failure),
        None => failure,
    });
    for note in context.notes.take() {
        context.ui.warning(note);
    }
    for statement in context.statements.take() {
        context.ui.trace(format_args!("SQL: {statement}"));
    }
    match outcome {
        Err(failure) if failure.exit() == Exit::Busy && context.globals.if_busy == IfBusy::Skip => {
            context.ui.status(format_args!("Skipped: {failure}"));
            Ok(Exit::Ok)
        }
        other => other,
    }
}

fn dispatch(context: &mut Context<'_>, cli: &Cli) -> Outcome<Exit> {
    require_fitting_options(context, cli)?;
    match &cli.verb {
        Some(Verb::Backup(args)) => backup::run(context, args),
        Some(Verb::Backups(args)) => backups::run(context, args),
        Some(Verb::Boards(args)) => boards::run(context, args),
        Some(Verb::Checkpoint(args)) => checkpoint::run(context, args),
        Some(Verb::JournalMode(args)) => journal_mode::run(context, args),
        Some(Verb::Complete(args)) => complete::run(context, args),
        Some(Verb::Create(args)) => create::run(context, args),
        Some(Verb::Init(args)) => init::run(context, args),
        Some(Verb::List(args)) => list::run(context, args),
        Some(Verb::Show(args)) => show::run(context, args),
        Some(Verb::Stats(args)) => stats::run(context, args),
        Some(Verb::Stress(args)) => stress::run(context, args),
        Some(Verb::Completions(args)) => completions::run(context, args),
        Some(Verb::Health(args)) => health::run(context, args),
        Some(Verb::Man(args)) => man::run(context, args),
        Some(Verb::Recover(args)) => recover::run(context, args),
        Some(Verb::Repair(args)) => repair::run(context, args),
        Some(Verb::Restore(args)) => restore::run(context, args),
        Some(Verb::Version(args)) => version::run(context, args),
        None => overview::run(context),
    }
}

/// Refuses global options that mean nothing to the verb.
fn require_fitting_options(context: &Context<'_>, cli: &Cli) -> Outcome<()> {
    let monitors = matches!(cli.verb, Some(Verb::Health(_)));
    if context.ui.settings().format.is_monitoring() && !monitors {
        return Err(Failure::usage("--format nagios and prom belong to `kanbanctl health`."));
    }
    let spans = matches!(
        cli.verb,
        Some(
            Verb::Health(_)
                | Verb::Backup(_)
                | Verb::Backups(_)
                | Verb::Checkpoint(_)
                | Verb::List(_)
                | Verb::Stats(_)
        )
    );
    if context.globals.all_boards && !spans {
        return Err(Failure::usage(
            "--all-boards belongs to health, list, stats, checkpoint, backup and backups list.",
        ));
    }
    context.ui.check_output()
}
