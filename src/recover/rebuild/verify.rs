//! Whether the new file may be called recovered: SQLite finds it whole, and it holds every row that was chosen.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use rusqlite::Connection;

use super::insert::InsertedRows;
use crate::failure::{Failure, Outcome};
use crate::newfile::OwnFile;
use crate::recover::Built;
use crate::recover::merge::Merged;
use crate::store::audit::{self, Integrity, quoted};
use crate::work::progress::{Stage, Watch};

/// Tables whose `task_id` names a task.
const REFERRING: [&str; 5] =
    ["task_comments", "task_events", "task_runs", "task_attachments", "kanban_notify_subs"];

/// What the checks found.
#[derive(Debug, Default)]
pub(crate) struct Verification {
    /// What `integrity_check` and the counts have against the file; empty when all is well.
    pub(crate) faults: Vec<String>,
    /// Rows that name a task that is not there.
    pub(crate) dangling: u64,
}

/// Checks the new file, whose connection has committed all it had.
///
/// One whose rows were inserted gets SQLite's whole check. One that was `built` of pages gets the quick one. That one reads
/// every page, holds trees, keys and rows to their order, and counts the entries of every index; it leaves out only to look
/// each row up in each index, and whether keys are unique. Both are settled there already: SQLite has just built every
/// index from a walk over its whole table, and refuses equal keys when it does.
///
/// Rows are counted through a connection of its own, on another core: the file is finished, and nobody writes to it.
pub(crate) fn verify(
    file: &mut OwnFile,
    merged: &Merged,
    written: &HashMap<String, InsertedRows>,
    built: Built,
    watch: &mut dyn Watch,
) -> Outcome<Verification> {
    watch.step(Stage::Verify, 0, 2)?;
    let (connection, reader) = file.pair()?;
    let reader = Mutex::new(reader);
    let counting = || {
        let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        count(&reader, merged, written)
    };
    let (faults, counted) = std::thread::scope(|scope| {
        let beside = Builder::new().spawn_scoped(scope, counting);
        let faults = check(connection, merged, built);
        let ended = |_| Err(Failure::failed("the thread that counts rows has ended."));
        // Without a thread the rows are counted on this one.
        let counted = beside.map_or_else(|_| counting(), |beside| beside.join().unwrap_or_else(ended));
        (faults, counted)
    });
    let mut verdict = counted?;
    verdict.faults.splice(0..0, faults?);
    watch.step(Stage::Verify, 2, 2)?;
    Ok(verdict)
}

/// What SQLite has against the file. Its check of all tables would compute columns of other programs' tables; those are left
/// out.
fn check(connection: &Connection, merged: &Merged, built: Built) -> Outcome<Vec<String>> {
    if merged.tables.iter().any(|table| table.table.is_computed()) {
        return audit::integrity(connection, Integrity::Full);
    }
    let mut check = connection.prepare(match built {
        Built::Rows => "PRAGMA integrity_check(100)",
        Built::Pages => "PRAGMA quick_check(100)",
    })?;
    let lines = check.query_map([], |row| row.get(0))?;
    let lines = lines.collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Whether every row is there that was chosen, and how many name a task that is not.
fn count(
    connection: &Connection,
    merged: &Merged,
    written: &HashMap<String, InsertedRows>,
) -> Outcome<Verification> {
    let mut verdict = Verification::default();
    for table in &merged.tables {
        let name = &table.table.name;
        let sql = format!("SELECT count(*) FROM {} NOT INDEXED", quoted(name));
        let count: u64 = connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?.try_into().unwrap_or(0);
        let written = written.get(name).cloned().unwrap_or_default();
        let chosen = table.chosen_count();
        if count != written.rows || written.rows + written.refused + written.passed_over != chosen {
            verdict.faults.push(format!("{name} has {count} rows, {chosen} were chosen"));
        }
    }
    for name in REFERRING {
        let sql = format!("SELECT count(*) FROM {name} WHERE task_id NOT IN (SELECT id FROM tasks)");
        // A board with other columns has no such references.
        verdict.dangling +=
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_or(0, i64::unsigned_abs);
    }
    Ok(verdict)
}
