//! Two looks before damage is reported (docs/architecture.md, rule 4), and reading where the board itself cannot be read.

use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;

use super::{Access, Pool};
use crate::board::Inspection;
use crate::board::Sidecars;
use crate::board::private_copy::PrivateCopy;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::store::audit::{self, Integrity};

/// How long a finding of damage rests before the second look (docs/architecture.md, rule 4).
pub(super) const SECOND_LOOK: Duration = Duration::from_millis(250);
impl Pool {
    /// One look, and a second one when the first finds damage (docs/architecture.md, rule 4).
    pub(crate) fn look<T>(&mut self, work: &mut impl FnMut(&Connection) -> Outcome<T>) -> Outcome<T> {
        let opened = self.opened();
        let first = opened.and_then(|()| self.with_connection(work));
        let outcome = match first {
            Err(failure) if self.wants_copy(&failure) => {
                self.handle = None;
                self.take_copy()?;
                self.notes.add(if failure.is_interrupted_transaction() {
                    "an interrupted transaction lies in the -journal: it was rolled back in a private copy, and that was \
                     read. The next writer rolls it back on the board."
                } else {
                    "the directory does not let SQLite share the WAL's index: a private copy was read."
                });
                self.opened().and_then(|()| self.with_connection(work))
            }
            Err(failure) if failure.is_sqlite_damage() => {
                self.rest();
                self.opened().and_then(|()| self.with_connection(work))
            }
            other => other,
        };
        if outcome.is_ok() {
            self.tell_of_rollback();
        }
        outcome.map_err(|failure| self.explain(failure))
    }

    /// Whether reading failed only because the `-shm` beside a WAL cannot be made here (tests/incidents.md F33), or because a
    /// reader must not roll back what a writer left half done.
    fn wants_copy(&self, failure: &Failure) -> bool {
        let refused = failure.sqlite_code().is_some_and(|code| matches!(code & 0xff, 8 | 14));
        let helps = self.inspection.sidecars.wal.is_some() || failure.is_interrupted_transaction();
        refused && helps && self.access == Access::Read && self.copy.is_none() && self.scratch.is_some()
    }

    pub(crate) fn take_copy(&mut self) -> Outcome<()> {
        if let Some(scratch) = &self.scratch {
            self.copy = Some(PrivateCopy::of(&self.inspection.resolved, scratch)?);
        }
        Ok(())
    }

    /// Says once that opening the board ended somebody else's transaction. A `stat` is safe beside the open handle.
    fn tell_of_rollback(&mut self) {
        let gone = |seen: &Inspection| {
            Sidecars::beside(&seen.resolved)
                .is_ok_and(|beside| beside.journal.is_none_or(|journal| journal.stamp.len == 0))
        };
        if self.interrupted && self.copy.is_none() && gone(&self.inspection) {
            self.interrupted = false;
            self.notes.add("an interrupted transaction lay in the -journal; it was rolled back first.");
        }
    }

    fn with_connection<T>(&self, work: &mut impl FnMut(&Connection) -> Outcome<T>) -> Outcome<T> {
        match &self.handle {
            Some(handle) => {
                let outcome = self.budget.keep_trying(&self.signals, || work(&handle.connection));
                self.onlooker.over();
                outcome
            }
            None => Err(Failure::failed("the board is not open.")),
        }
    }

    /// Lets a finding of damage rest before the second look at it.
    pub fn rest(&self) {
        match &self.handle {
            Some(handle) => rest_between_looks(&handle.connection),
            None => sleep(SECOND_LOOK),
        }
    }

    /// What remains of a failure in work that never runs twice.
    pub(crate) fn confirmed(&self, failure: Failure) -> Failure {
        match &self.handle {
            Some(handle) => confirmed(&handle.connection, failure),
            None => failure,
        }
    }
}

/// Waits between two looks at damage, with SQLite's cache dropped, or the second look would read the first one's pages
/// (docs/architecture.md, rule 4).
pub fn rest_between_looks(connection: &Connection) {
    // Without it the second look is weaker, never wrong.
    let _ = connection.execute_batch("PRAGMA shrink_memory");
    sleep(SECOND_LOOK);
}

/// Damage that was met in work which never runs twice, and whose transaction is over: the whole board is looked at
/// instead. Damage that is not found again is `unchecked`; SQLite also calls a page damaged that the disk failed to read
/// once.
pub fn confirmed(connection: &Connection, failure: Failure) -> Failure {
    if !failure.is_sqlite_damage() {
        return failure;
    }
    rest_between_looks(connection);
    match audit::integrity(connection, Integrity::Quick) {
        Ok(said) if said.is_empty() => failure
            .with_exit(Exit::Unchecked)
            .context("damage was met once and not found again; nothing was changed")
            .hint("Try again. If it comes back, ask the kernel about the disk (`dmesg`)."),
        _ => failure,
    }
}
