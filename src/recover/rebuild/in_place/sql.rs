//! What SQLite does to the file of pages: builds the indexes, takes the rows that stand apart, counts the sequences on.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, ErrorCode};

use super::kept_rows::SeparateRows;
use super::preconditions::Baseline;
use crate::failure::Outcome;
use crate::recover::merge::{Merged, MergedTable};
use crate::recover::rebuild::insert;
use crate::recover::rebuild::insert::{InsertedRows, Inserts};
use crate::salvage::source::cache::{PayloadReader, SourceCache};

/// Completes the file behind `connection`. `None` when SQLite does not take it as it is, or a row finds no place: then the
/// row path has to decide between the rows.
///
/// # Errors
/// When a row can no longer be read, or the file cannot be written.
pub(crate) fn complete(
    connection: &Connection,
    merged: &mut Merged,
    ground: &Baseline,
    apart: &SeparateRows,
    shelf: &SourceCache<'_>,
) -> Outcome<Option<HashMap<String, InsertedRows>>> {
    // A key that two rows have shows here, and whether the schema is one. No journal is kept: what fails is thrown away.
    let built = connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA temp_store = FILE; PRAGMA ignore_check_constraints = ON; BEGIN; REINDEX",
    );
    if !taken(built)? {
        return Ok(None);
    }
    let mut all = HashMap::new();
    let mut reader = PayloadReader::new(shelf, &merged.odds);
    for ((table, root), apart) in merged.tables.iter().zip(&ground.tables).zip(apart) {
        if root.is_none() && !taken(connection.execute(&table.table.sql, []))? {
            return Ok(None);
        }
        count_on(connection, table)?;
        let mut written = InsertedRows::default();
        let mut indexes: Vec<usize> = apart.iter().copied().collect();
        indexes.sort_unstable();
        let mut inserts = Inserts::new(connection, &table.table);
        for row in indexes.iter().filter_map(|index| table.rows.get(*index)) {
            if !inserts.take(table, &row, &mut reader)? {
                return Ok(None);
            }
        }
        written.rows += table.rows.len() as u64;
        for row in table.asked.iter() {
            written.count(&row, inserts.take(table, &row, &mut reader)?);
        }
        all.insert(table.table.name.clone(), written);
    }
    insert::sequences(connection, merged)?;
    let there: HashSet<&str> = ground.schema.entries.iter().map(|entry| entry.name.as_str()).collect();
    let known = std::mem::take(&mut merged.indexes);
    merged.indexes = known.iter().filter(|index| !there.contains(index.name.as_str())).cloned().collect();
    let made = taken(insert::indexes(connection, merged));
    merged.indexes = known;
    if !made? {
        merged.dropped.clear();
        return Ok(None);
    }
    connection.execute_batch("COMMIT")?;
    Ok(Some(all))
}

/// What inserting every row of `table` would have left in `sqlite_sequence`.
fn count_on(connection: &Connection, table: &MergedTable) -> Outcome<()> {
    let Some(last) = table.rows.last().map(|row| row.rowid.max(0)) else { return Ok(()) };
    let column = table.table.rowid_column.and_then(|column| table.table.columns.get(column));
    let Some(column) = column else { return Ok(()) };
    let name = table.table.name.as_str();
    let (.., counts) = connection.column_metadata(Some("main"), name, column.name.as_str())?;
    if counts {
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [name])?;
        connection.execute("INSERT INTO sqlite_sequence(name, seq) VALUES (?1, ?2)", (name, last))?;
    }
    Ok(())
}

/// Whether SQLite did it; false when it is the content of the file that it did not take, or room that it did not have.
fn taken<T>(result: rusqlite::Result<T>) -> Outcome<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) => match error.sqlite_error_code() {
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::Unknown
                // Sorting needs a temporary file, which the row path does without.
                | ErrorCode::CannotOpen
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure,
            ) => Ok(false),
            _ => Err(error.into()),
        },
    }
}
