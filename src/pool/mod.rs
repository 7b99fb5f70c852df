//! The one connection of an invocation (docs/architecture.md, "The one connection").
//!
//! Opens a board once with every pragma and switch explicit. Has the lock budget, the transaction boundary, the second look at
//! damage and the one close. It takes a finished [`Inspection`] by value, so no byte of the file is read by hand while the
//! handle lives. Not here: SQL text ([`crate::store`]) and changes of the journal mode ([`crate::journal_mode`]).

mod budget;
mod gate;
mod open;
pub(crate) mod operator_log;
pub(crate) mod retry_on_damage;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, Transaction};

use crate::board::holders::Onlooker;
use crate::board::index_guard::IndexGuard;
use crate::board::private_copy::PrivateCopy;
use crate::board::rollback;
use crate::board::signs;
use crate::board::{Inspection, Sidecars, Stamp};
use crate::failure::count;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::process::signals::Signals;
use crate::store::schema::{SchemaComparison, SchemaReport, check};
pub use budget::Budget;
pub(crate) use open::immutable_uri;
pub use open::protect;
use open::{configure, connect};
pub use operator_log::Lines;
pub use retry_on_damage::{confirmed, rest_between_looks};

/// The length of a WAL from which on a writer makes it restart: the hundred frames after which SQLite checkpoints by
/// itself, in bytes.
const LONG_WAL: u64 = 100 * 4_120;

/// The most pages that are kept, in bytes.
const LARGEST_CACHE: u64 = 256 << 20;

/// What the invocation may do with the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Physically read-only (docs/architecture.md, rule 8).
    Read,
    /// Read and write.
    Write,
}

/// The pool of one: at most one open connection to one board.
#[derive(Debug)]
pub struct Pool {
    inspection: Inspection,
    access: Access,
    budget: Budget,
    signals: Signals,
    dry_run: bool,
    log: Option<Lines>,
    scratch: Option<PathBuf>,
    notes: Lines,
    /// Where the board's version is written down, once.
    describes: Option<Lines>,
    onlooker: Onlooker,
    // Dropped after the handle that reads it.
    handle: Option<Handle>,
    compared: SchemaComparison,
    copy: Option<PrivateCopy>,
    /// What says that a write would destroy rows, until the board is checked for it.
    signs: Vec<String>,
    /// True where the board is held open over the changes of others.
    held: bool,
    /// A transaction that was cut short, until it is known to be rolled back.
    interrupted: bool,
    /// How many bytes of pages are kept; SQLite's own choice where it is nothing.
    page_cache: Option<u64>,
}

#[derive(Debug)]
struct Handle {
    connection: Connection,
    immutable: bool,
    wrote: bool,
    // Dropped after the connection, whose locks its closing would take away.
    _guard: Option<IndexGuard>,
}

impl Pool {
    /// A pool for the inspected board; nothing is open yet.
    ///
    /// # Errors
    /// Where there is no SQLite file to open (see [`Inspection::require_sqlite`]).
    pub fn new(inspection: Inspection, access: Access, budget: Budget, signals: Signals) -> Outcome<Self> {
        inspection.require_sqlite()?;
        crate::board::log::require_belonging(&inspection)?;
        if access == Access::Write {
            crate::board::log::require_writable(&inspection)?;
        }
        let signs = if access == Access::Write { signs::before_writing(&inspection)? } else { Vec::new() };
        let interrupted = access == Access::Write && rollback::is_interrupted(&inspection)?;
        Ok(Self {
            inspection,
            access,
            budget,
            signals,
            dry_run: false,
            log: None,
            scratch: None,
            notes: Lines::default(),
            describes: None,
            onlooker: Onlooker::default(),
            handle: None,
            compared: SchemaComparison::default(),
            copy: None,
            signs,
            held: false,
            interrupted,
            page_cache: None,
        })
    }

    /// Every transaction is rolled back instead of committed.
    #[must_use]
    pub fn rehearsing(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Keep up to `bytes` of pages, for work that reads the board more than once; less where `at_once` boards are open.
    #[must_use]
    pub fn caching(mut self, bytes: u64, at_once: u64) -> Self {
        self.page_cache = Some(bytes.min(LARGEST_CACHE / at_once.max(1)));
        self
    }

    /// Holds the board open over the changes of others: it is never read as if it stood still.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Keeps every statement in `log`, when there is one.
    #[must_use]
    pub fn logging(mut self, log: Option<Lines>) -> Self {
        self.log = log;
        self
    }

    /// Where a private copy may be made of a board whose `-shm` cannot be; without it such a board is refused.
    #[must_use]
    pub fn with_scratch(mut self, scratch: PathBuf) -> Self {
        self.scratch = Some(scratch);
        self
    }

    /// Where the pool writes down what the operator should know besides the outcome.
    #[must_use]
    pub fn noting(mut self, notes: Lines) -> Self {
        self.notes = notes;
        self
    }

    /// Writes down in `lines`, where there is one, which version of Hermes the board belongs to.
    #[must_use]
    pub fn describing(mut self, lines: Option<Lines>) -> Self {
        self.describes = lines;
        self
    }

    /// Who is told who is in the way while a lock is waited for.
    #[must_use]
    pub fn telling(mut self, onlooker: Onlooker) -> Self {
        self.onlooker = onlooker;
        self
    }

    /// Tells the onlooker of a wait that has gone on since the given moment. Reads `/proc` alone: the board is open.
    fn waits(&self) -> impl FnMut(Instant) + Send + 'static {
        let (onlooker, seen) = (self.onlooker.clone(), &self.inspection);
        let (chosen, resolved) = (seen.board.path.clone(), seen.resolved.clone());
        move |since| onlooker.waits(&chosen, &resolved, since)
    }

    /// What was seen of the file before it was opened.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The budget of this invocation.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Gives what comes next a budget of its own, in a process that does many things one after the other.
    ///
    /// # Errors
    /// When SQLite does not take the handlers.
    pub fn renew(&mut self, budget: Budget) -> Outcome<()> {
        self.budget = budget;
        let Some(mut handle) = self.handle.take() else {
            return Ok(());
        };
        self.budget.arm(&mut handle.connection, &self.signals, self.waits())?;
        self.handle = Some(handle);
        Ok(())
    }

    /// Runs a reading closure; it may run a second time when the board changed underneath or damage is looked at
    /// again, so it must have no effect but its value.
    ///
    /// # Errors
    /// What the closure says, with the board's path; damage only when both looks find it.
    pub fn read<T>(&mut self, mut work: impl FnMut(&Connection) -> Outcome<T>) -> Outcome<T> {
        if let Some(lines) = self.describes.take() {
            // A schema that cannot be read is for `work` to tell.
            if let Ok(report) = self.look(&mut |connection| check(connection)).as_ref()
                && report.is_board()
            {
                lines.add(&format!("The board belongs to {}.", report.version));
            }
        }
        let first = self.look(&mut work);
        if self.handle.as_ref().is_some_and(|handle| handle.immutable) && self.changed_since_inspection() {
            self.handle = None;
            self.open(false)?;
            return self.look(&mut work);
        }
        first
    }

    /// As [`Pool::read`], for a closure that gives rows away before it has read the last one: only while [`Stillness::holds`].
    /// A second run must begin with the rows that were given away, or fail.
    ///
    /// # Errors
    /// As [`Pool::read`].
    pub fn read_rows<T>(
        &mut self,
        mut work: impl FnMut(&Connection, &Stillness) -> Outcome<T>,
    ) -> Outcome<T> {
        // What keeps it from opening is for the look below to tell.
        let _ = self.opened();
        let locked = self.handle.as_ref().is_some_and(|handle| !handle.immutable);
        let still = Stillness((!locked).then(|| self.inspection.clone()));
        self.read(|connection| {
            // Read again beside locks, the same check only holds back more.
            work(connection, &still)
        })
    }

    /// Runs a closure in one `BEGIN IMMEDIATE` transaction and commits it; the boundary waits for the lock within
    /// the budget, the body never runs twice.
    ///
    /// A write looks at what it touches and at what can be seen without reading the board: its header, its log, its names.
    /// Damage elsewhere does not stop it. To find that, every page would have to be read before every write, and most of
    /// the damage that is known (indexes, events of tasks long done) harms no new row; new rows are as safe there as the
    /// pages that take them, and recovery brings them back with the others. Finding it is what `health` is run for.
    ///
    /// # Errors
    /// Exit 11 when the lock is not had; 12 when the board is not ours to write; what the closure says. Nothing is
    /// written then.
    pub fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Rc<SchemaReport>) -> Outcome<T>,
    ) -> Outcome<T> {
        if self.access == Access::Read {
            return Err(self.explain(Failure::failed("a reading verb asked for a transaction.")));
        }
        if self.compared.is_empty() {
            // Here damage is looked at twice; later changes are seen under the lock.
            let mut compared = SchemaComparison::default();
            self.look(&mut |connection| compared.report(connection)?.require_writable())?;
            self.compared = compared;
            if let (Some(lines), Some(version)) = (self.describes.take(), self.compared.version()) {
                lines.add(&format!("The board belongs to {version}."));
            }
        }
        let outcome = self.transact(work).map_err(|failure| self.confirmed(failure));
        outcome.map_err(|failure| self.explain(failure))
    }

    /// Lends the bare connection, for verbs that are about the connection itself.
    ///
    /// # Errors
    /// What the closure says, with the board's path.
    pub fn connection<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &Inspection) -> Outcome<T>,
    ) -> Outcome<T> {
        // Also finds out whether the board can be read at all, or only a copy of it.
        self.look(&mut |connection| Ok(connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?))?;
        let outcome = match &mut self.handle {
            Some(handle) => work(&mut handle.connection, &self.inspection),
            None => Err(Failure::failed("the board is not open.")),
        };
        self.onlooker.over();
        outcome.map_err(|failure| self.explain(self.confirmed(failure)))
    }

    /// Closes the connection, after a PASSIVE checkpoint when this invocation wrote (docs/architecture.md, rule 7).
    ///
    /// # Errors
    /// When SQLite cannot close; the checkpoint never fails the command.
    pub fn close(mut self) -> Outcome<()> {
        let Some(handle) = self.handle.take() else {
            return Ok(());
        };
        if handle.wrote {
            // The rows are durable in the WAL; a checkpoint that cannot run is somebody else's next one.
            let _ = handle.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
        handle
            .connection
            .close()
            .map_err(|(_, error)| self.explain(Failure::from(error).context("closing the board failed")))
    }

    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Rc<SchemaReport>) -> Outcome<T>,
    ) -> Outcome<T> {
        let dry_run = self.dry_run;
        let Some(handle) = &mut self.handle else {
            return Err(Failure::failed("the board is not open."));
        };
        let long = self.inspection.sidecars.wal.as_ref().is_some_and(|wal| wal.stamp.len > LONG_WAL);
        if long && !dry_run && !handle.wrote {
            // Written back whole, the log restarts with the next commit. Without this a row of short processes
            // makes it grow for ever: the index forgets how far it was written back when its last user closes.
            let _ = handle.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
        let begun = self.budget.begin(&handle.connection, &self.signals);
        self.onlooker.over();
        let txn = begun?;
        let schema = self.compared.report(&txn)?;
        schema.require_writable()?;
        let value = work(&txn, &schema)?;
        require_same_file(&self.inspection)?;
        if dry_run {
            txn.rollback()?;
        } else {
            txn.commit()?;
            handle.wrote = true;
        }
        Ok(value)
    }

    fn opened(&mut self) -> Outcome<()> {
        if self.handle.is_some() {
            return Ok(());
        }
        self.pass_gate()?;
        if self.dry_run && self.interrupted && self.copy.is_none() {
            self.take_copy()?;
        }
        let immutable = self.access == Access::Read && !self.held && self.is_at_rest();
        self.open(immutable)
    }

    /// Whether the file can be read as if it never changed: a cleanly closed WAL board that nobody has locked.
    fn is_at_rest(&self) -> bool {
        let beside = &self.inspection.sidecars;
        self.inspection.is_wal()
            && !beside.wal_has_bytes()
            && beside.journal.is_none()
            && !crate::board::getlk::anyone_locked(&self.inspection.resolved)
    }

    fn open(&mut self, immutable: bool) -> Outcome<()> {
        let path = self.copy.as_ref().map_or(self.inspection.resolved.as_path(), PrivateCopy::path);
        let shared = !immutable && self.copy.is_none();
        let guard = if shared { IndexGuard::of(&self.inspection)? } else { None };
        // In a copy SQLite may also roll back.
        let access = if self.copy.is_some() { Access::Write } else { self.access };
        let connection = connect(path, access, immutable).and_then(|mut connection| {
            self.budget.arm(&mut connection, &self.signals, self.waits())?;
            if let Some(log) = self.log.clone() {
                let keep = move |event: TraceEvent<'_>| {
                    if let TraceEvent::Stmt(_, sql) = event {
                        log.add(sql);
                    }
                };
                connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(keep))?;
            }
            configure(&connection, self.access)?;
            if let Some(bytes) = self.page_cache {
                connection.execute_batch(&format!("PRAGMA cache_size=-{}", (bytes >> 10).max(2_000)))?;
            }
            Ok(connection)
        })?;
        self.handle = Some(Handle { connection, immutable, wrote: false, _guard: guard });
        Ok(())
    }

    fn has_impossible_header(&self) -> bool {
        self.inspection.header().is_some_and(|header| !header.faults().is_empty())
    }

    fn changed_since_inspection(&self) -> bool {
        has_changed(&self.inspection)
    }

    /// Adds the path, turns an interruption into its cause, and says what to do about damage and locks.
    fn explain(&self, failure: Failure) -> Failure {
        let path = &self.inspection.resolved;
        let interrupted = failure.sqlite_code().is_some_and(|code| code & 0xff == 9);
        if let Some(signal) = self.signals.received()
            && (interrupted || failure.exit() == Exit::Busy)
        {
            return failure.with_exit(Exit::Interrupted(signal)).at(path);
        }
        if interrupted {
            return failure
                .context(format!(
                    "it was not done within {} and was given up; nothing was changed",
                    count::waiting_time(self.budget.total)
                ))
                .hint("Give it more time with --timeout; if it still does not end, the board is made or damaged so that it cannot: `kanbanctl recover --dry-run` reads it without SQLite.")
                .at(path);
        }
        if failure.exit() == Exit::Failed && failure.sqlite_code().is_some() && self.has_impossible_header() {
            return failure
                .with_exit(Exit::Damaged)
                .context("the header of the file cannot be right")
                .advised()
                .at(path);
        }
        let busy = failure.sqlite_code().is_some() && failure.exit() == Exit::Busy;
        let failure = if busy {
            let waited = if self.budget.is_over() {
                format!(" within {}", count::waiting_time(self.budget.total))
            } else {
                String::new()
            };
            failure
                .context(format!("could not get the lock{waited}; nothing was changed"))
                .hint("Try again, or give more time with --timeout. `kanbanctl health` names who has the board open.")
        } else {
            failure.advised()
        };
        failure.at(path)
    }
}

/// Whether what was read so far is one state of the board. SQLite's locks see to that, or the file must be as it was
/// inspected (docs/architecture.md, rule 8).
#[derive(Debug)]
pub struct Stillness(Option<Inspection>);

impl Stillness {
    /// Looks at the file now: a few calls of `stat`, none where the board is read under locks.
    pub fn holds(&self) -> bool {
        self.0.as_ref().is_none_or(|inspection| !has_changed(inspection))
    }
}

/// Whether the file, or what lies beside it, is no longer as it was inspected.
fn has_changed(inspection: &Inspection) -> bool {
    let now = Stamp::of(&inspection.resolved);
    let same = matches!((&now, &inspection.stamp), (Ok(Some(now)), Some(then)) if now == then);
    let quiet = Sidecars::beside(&inspection.resolved)
        .is_ok_and(|beside| beside.journal.is_none() && !beside.wal_has_bytes());
    !(same && quiet)
}

/// Refuses to commit into a file that the board's path no longer names: nobody would ever see the rows.
fn require_same_file(inspection: &Inspection) -> Outcome<()> {
    let then = inspection.stamp.map(|stamp| (stamp.dev, stamp.ino));
    let now = Stamp::of(&inspection.resolved)?.map(|stamp| (stamp.dev, stamp.ino));
    if then == now {
        return Ok(());
    }
    Err(Failure::busy(format!(
        "{} was replaced by another file while it was open; nothing was written.",
        inspection.resolved.display()
    ))
    .hint("Run the command again: it will open the new file."))
}
