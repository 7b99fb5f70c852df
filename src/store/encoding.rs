//! Text that is none: bytes in a text column that are not UTF-8.
//!
//! Hermes 0.19.0 reads every row of a list at once and fails on the first such value, so one spoilt title hides every task.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::audit::quoted;
use super::field::Field;
use super::schema::SchemaReport;
use crate::failure::Outcome;

/// Values of one column that cannot be decoded.
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// The column, as `table.column`.
    pub column: String,
    /// How many rows.
    pub rows: u64,
    /// The first of them, by the value of the table's first column.
    pub first: Vec<String>,
}

/// The text of `table`, one of Hermes', that is not UTF-8, at most `named` rows of each column by name. Computed columns
/// are not evaluated.
///
/// # Errors
/// What SQLite says.
pub fn undecodable(
    connection: &Connection,
    schema: &SchemaReport,
    table: &str,
    named: usize,
) -> Outcome<Vec<Undecodable>> {
    let Some(there) = schema.tables.get(table) else { return Ok(Vec::new()) };
    let columns: Vec<&str> =
        there.columns.iter().filter(|column| !column.generated).map(|column| column.name.as_str()).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<Undecodable> = columns
        .iter()
        .map(|column| Undecodable { column: format!("{table}.{column}"), rows: 0, first: Vec::new() })
        .collect();
    let listed = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare(&format!("SELECT {listed} FROM {} NOT INDEXED", quoted(table)))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (place, column) in found.iter_mut().enumerate() {
            let ValueRef::Text(text) = row.get_ref(place)? else { continue };
            if simdutf8::basic::from_utf8(text).is_ok() {
                continue;
            }
            column.rows += 1;
            if column.first.len() < named {
                column.first.push(row.get::<_, Field>(0)?.show());
            }
        }
    }
    found.retain(|column| column.rows > 0);
    Ok(found)
}
