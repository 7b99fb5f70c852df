//! The shape of a board: what Hermes 0.19.0 creates, what newer versions add, and whether a board may be written.
//!
//! Column names, declared types, defaults and indexes are facts of the format (docs/board-format.md, 2); with all of them
//! equal, Hermes' own opening finds nothing to do.

mod check;
mod code;
mod text;
mod version;

use rusqlite::Connection;

use crate::failure::{Failure, Outcome};
use crate::hermes::{INDEXES, SchemaVersion, TABLES, TableFacts};

pub(super) use check::lossy;
pub use check::{CheckedColumn, CheckedTable, SchemaComparison, SchemaReport, SchemaVerdict, check};
pub use code::{Carriers, carriers, require_board};
pub use text::{brings_code, computes_columns, is_plain_index};
pub use version::BoardVersion;

/// Creates every table and index of Hermes 0.19.0 that is missing. The caller holds the transaction.
pub fn create(conn: &Connection) -> Outcome<()> {
    create_as(conn, SchemaVersion::CREATED)
}

/// The same as a version of Hermes makes them.
///
/// # Errors
/// What SQLite says.
pub fn create_as(conn: &Connection, version: SchemaVersion) -> Outcome<()> {
    for table in TABLES {
        let columns = table.created(version).map(|column| format!("{} {}", column.name, column.declaration));
        conn.execute_batch(&create_table_of(table, columns))?;
    }
    for (name, on) in INDEXES {
        conn.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {name} ON {on}"))?;
    }
    Ok(())
}

/// Return which Hermes a board belongs to.
///
/// # Errors
/// What SQLite says.
pub fn version(conn: &Connection) -> Outcome<BoardVersion> {
    Ok(check(conn)?.version)
}

fn no_board() -> Failure {
    Failure::no_board("the file is an SQLite database without Hermes' tables: it holds no board.")
        .hint("Name another file with --db or --board; `kanbanctl -v` says which rule chose this one.")
        .hint("If a board was there, see what can be brought back with `kanbanctl recover --dry-run`.")
}

/// Return the `CREATE TABLE` text of one of Hermes' tables as a new board gets it.
pub fn create_table(table: &TableFacts) -> String {
    create_table_of(
        table,
        table.created(SchemaVersion::CREATED).map(|column| format!("{} {}", column.name, column.declaration)),
    )
}

/// The `CREATE TABLE` text of one of Hermes' tables with these columns, each as it is declared.
pub fn create_table_of(table: &TableFacts, columns: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = columns.map(|column| format!("  {column}")).collect();
    if let Some(key) = table.primary_key {
        parts.push(format!("  PRIMARY KEY ({key})"));
    }
    format!("CREATE TABLE IF NOT EXISTS {} (\n{}\n)", table.name, parts.join(",\n"))
}
