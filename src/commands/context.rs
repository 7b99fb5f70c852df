//! What every verb has at hand: streams, options, environment, clock, the board and its pool.

use std::path::PathBuf;
use std::time::Duration;

use super::globals::Globals;
use crate::board::holders::Onlooker;
use crate::board::{Board, FileState, Inspection, location};
use crate::failure::hint::Aim;
use crate::failure::{Failure, Outcome};
use crate::install::Terms;
use crate::pool::{Access, Budget, Lines, Pool};
use crate::process::clock::Clock;
use crate::process::env::Env;
use crate::process::signals::Signals;
use crate::ui::Ui;

/// The lock budget where neither `--timeout` nor `HERMES_KANBAN_BUSY_TIMEOUT_MS` says otherwise (docs/architecture.md
/// rule 6).
const DEFAULT_BUDGET: Duration = Duration::from_secs(30);

/// What every verb has at hand.
#[derive(Debug)]
pub struct Context<'a> {
    /// The whole command line, for manual pages and completions.
    pub command: fn() -> clap::Command,
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
    /// Where what only `-v` shows gathers.
    pub details: Lines,
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
    pub(super) fn board_of(&mut self, request: &location::BoardRequest) -> Outcome<Board> {
        let board = self.chosen.insert(location::locate(request, self.env)?).clone();
        self.limit_output(&board);
        self.ui.detail(format_args!("Board: {} (chosen by {}).", board.path.display(), board.origin));
        Ok(board)
    }

    /// The boards under the root that are there, or of which something is left.
    ///
    /// # Errors
    /// Exit 10 when there is none; when the root cannot be listed.
    pub(super) fn every_board(&mut self) -> Outcome<Vec<Board>> {
        let mut boards = location::discover(self.env)?;
        let never_made = |seen: &Inspection| matches!(seen.state, FileState::Missing) && !seen.leftovers();
        boards.retain(|board| !board.inspect().is_ok_and(|seen| never_made(&seen)));
        for board in &boards {
            self.limit_output(board);
        }
        if boards.is_empty() {
            let root = location::root(self.env)?;
            return Err(Failure::no_board(format!("there is no board under {}.", root.display()))
                .hint(
                    "HERMES_KANBAN_HOME or HERMES_HOME names another root; `kanbanctl init` creates a board.",
                )
                .at(&root));
        }
        Ok(boards)
    }

    /// What is written about a board with `-o` is no more open than the board.
    fn limit_output(&mut self, board: &Board) {
        if let Some(mode) = crate::newfile::permissions(&board.path) {
            self.ui.limit_output(mode);
        }
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
        let bytes = inspection.bytes_on_disk();
        Ok(self.pool_within(inspection, access, self.budget().for_bytes(bytes))?.caching(bytes, 1))
    }

    pub(super) fn pool_within(
        &mut self,
        inspection: Inspection,
        access: Access,
        budget: Budget,
    ) -> Outcome<Pool> {
        if access == Access::Write {
            self.require_unfenced(&inspection.resolved)?;
        }
        PoolSettings { budget, ..self.pool_settings() }.pool(inspection, access)
    }

    /// How pools are made in this invocation, apart from the streams.
    pub(super) fn pool_settings(&self) -> PoolSettings {
        PoolSettings {
            budget: self.budget,
            signals: self.signals.clone(),
            dry_run: self.globals.dry_run,
            statements: (self.globals.verbose >= 2).then(|| self.statements.clone()),
            details: (self.globals.verbose >= 1).then(|| self.details.clone()),
            notes: self.notes.clone(),
            scratch: self.scratch(),
            onlooker: self.onlooker(),
            at_once: 1,
        }
    }

    /// Refuse to write where Hermes has fenced a board off: a child that a worker delegated to may read its boards only.
    ///
    /// # Errors
    /// Exit 12.
    pub(super) fn require_unfenced(&self, path: &std::path::Path) -> Outcome<()> {
        if self.globals.dry_run || !location::is_fenced(path, self.env)? {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "{} may only be read here: this process is a delegated child (HERMES_DELEGATED_CHILD_CONTEXT).",
            path.display()
        ))
        .hint("Leave the change to the worker that delegated, or unset the variable if this is no child of one.")
        .at(path))
    }

    /// The line on a terminal that says who is in the way while a lock is waited for.
    pub(super) fn onlooker(&self) -> Onlooker {
        self.ui.line().map_or_else(Onlooker::default, |line| Onlooker::new(move |text| line.show(text)))
    }

    /// Where private copies go: `TMPDIR`, else `/tmp`.
    pub(super) fn scratch(&self) -> PathBuf {
        self.env
            .get("TMPDIR")
            .filter(|dir| !dir.is_empty())
            .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
    }

    /// How an install goes about it. The lock budget counts from the moment at which the locks are asked for: building
    /// what is installed takes as long as the board is large.
    ///
    /// # Errors
    /// As [`Context::require_unfenced`].
    pub(super) fn terms(&self, assume_unused: bool) -> Outcome<Terms> {
        if let Some(board) = &self.chosen {
            self.require_unfenced(&board.path)?;
        }
        Ok(Terms {
            assume_unused,
            patience: self.budget.total,
            signals: self.signals.clone(),
            onlooker: self.onlooker(),
            clock: self.clock,
        })
    }

    /// Show a report that can be long: on a terminal that is shorter it goes through the pager.
    pub(super) fn show<R: crate::ui::Report>(&mut self, report: &R) -> Outcome<()> {
        if !self.ui.pages() {
            return self.ui.emit(report);
        }
        let text = self.ui.drawn(report);
        if self.ui.fits(&text) {
            return self.ui.raw(&text);
        }
        let pager = ["KANBANCTL_PAGER", "PAGER"].into_iter().find_map(|name| self.env.get(name));
        self.ui.paged(&text, pager)
    }

    /// What leads a pasted command line to the board that was chosen.
    pub(super) fn aim(&self) -> Aim {
        self.chosen.as_ref().map(Board::aim).unwrap_or_default()
    }

    /// Text with the command lines in it leading to the board that was chosen.
    pub(super) fn aimed(&self, text: impl std::fmt::Display) -> String {
        self.aim().text(&text.to_string())
    }

    /// Says what to do next, about the board that was chosen.
    pub(super) fn hint(&mut self, text: impl std::fmt::Display) {
        let hint = self.aimed(text);
        self.ui.hint(hint);
    }

    /// Return the profile that Hermes would take for the caller's own: its variables, else the home's name.
    pub(super) fn own_profile(&self) -> String {
        for name in ["HERMES_PROFILE_NAME", "HERMES_PROFILE"] {
            let value = self.env.get(name).and_then(|value| value.to_str()).map(str::trim);
            if let Some(profile) = value.filter(|value| !value.is_empty()) {
                return profile.to_owned();
            }
        }
        let home = self.env.get("HERMES_HOME").map(std::path::Path::new);
        let profile = home
            .filter(|home| {
                home.parent().and_then(std::path::Path::file_name).is_some_and(|name| name == "profiles")
            })
            .and_then(|home| home.file_name()?.to_str());
        profile.unwrap_or("default").to_owned()
    }

    /// The budget of the whole invocation; its clock runs since the command line was read.
    pub fn budget(&self) -> Budget {
        self.budget
    }
}

/// How pools are made: what a thread needs of the [`Context`].
#[derive(Clone, Debug)]
pub(super) struct PoolSettings {
    /// What may be waited for locks in all.
    pub(super) budget: Budget,
    /// The flag that INT, TERM and HUP set.
    pub(super) signals: Signals,
    /// Every transaction is rolled back.
    pub(super) dry_run: bool,
    /// Where the statements of `-vv` gather.
    pub(super) statements: Option<Lines>,
    /// Where what only `-v` shows gathers.
    pub(super) details: Option<Lines>,
    /// Where the pool's own remarks gather.
    pub(super) notes: Lines,
    /// Where private copies go.
    pub(super) scratch: PathBuf,
    /// Reports which process is in the way.
    pub(super) onlooker: Onlooker,
    /// Boards that are open at the same time and share what is kept of pages.
    pub(super) at_once: u64,
}

impl PoolSettings {
    fn pool(&self, inspection: Inspection, access: Access) -> Outcome<Pool> {
        let pool = Pool::new(inspection, access, self.budget, self.signals.clone())?;
        Ok(pool
            .rehearsing(self.dry_run)
            .logging(self.statements.clone())
            .with_scratch(self.scratch.clone())
            .describing(self.details.clone())
            .noting(self.notes.clone())
            .telling(self.onlooker.clone()))
    }

    /// A pool for reading that takes as long as the board is large.
    ///
    /// # Errors
    /// As [`Pool::new`].
    pub(super) fn reader_for_long(&self, inspection: Inspection) -> Outcome<Pool> {
        let bytes = inspection.bytes_on_disk();
        let settings = Self { budget: self.budget.for_bytes(bytes), ..self.clone() };
        Ok(settings.pool(inspection, Access::Read)?.caching(bytes, self.at_once))
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
