//! Values that Hermes never writes: storage classes on which it fails, ids and titles of no task of its making, tasks that
//! are done without the event that says so.
//!
//! Not here: text that is not UTF-8 ([`super::encoding`]) and words of a column that has few ([`super::vocabulary`]).

use rusqlite::Connection;

use super::audit::quoted;
use super::field::Field;
use super::schema::{CheckedColumn, SchemaReport};
use crate::failure::Outcome;

/// Integer columns in which Hermes keeps text.
const TEXT_IN_INTEGER: [&str; 1] = ["worker_started_at"];

/// Rows of one column with a storage class that Hermes cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The column, as `table.column`.
    pub column: String,
    /// The class that is there: `text` or `blob`.
    pub class: &'static str,
    /// The class that Hermes expects: `text` or `integer`.
    pub expected: &'static str,
    /// How many rows.
    pub rows: u64,
    /// The first of them, by the value of the table's first column.
    pub first: Vec<String>,
}

/// The storage class that Hermes expects in a column, by its declared type.
pub(super) fn expected(column: &CheckedColumn) -> Option<&'static str> {
    let declared = column.declared.to_uppercase();
    match declared.as_str() {
        _ if column.generated || TEXT_IN_INTEGER.contains(&column.name.as_str()) => None,
        declared if declared.contains("INT") => Some("integer"),
        declared if declared.contains("TEXT") || declared.contains("CHAR") => Some("text"),
        _ => None,
    }
}

/// Find the storage classes on which Hermes fails, in every one of its tables: text and BLOBs where it computes with a
/// number, BLOBs where it reads text. At most `named` rows of each column by name. Only the headers of records are read.
///
/// # Errors
/// What SQLite says.
pub fn misfits(connection: &Connection, schema: &SchemaReport, named: usize) -> Outcome<Vec<Misfit>> {
    let mut found: Vec<Misfit> = Vec::new();
    for (table, there) in &schema.tables {
        let columns: Vec<(&str, &'static str)> = there
            .columns
            .iter()
            .filter_map(|column| Some((column.name.as_str(), expected(column)?)))
            .collect();
        let Some(first) = there.columns.iter().find(|column| !column.generated) else { continue };
        if columns.is_empty() {
            continue;
        }
        let odd: Vec<String> = columns
            .iter()
            .map(|(column, expected)| match *expected {
                "integer" => format!("typeof({}) IN ('text', 'blob')", quoted(column)),
                _ => format!("typeof({}) = 'blob'", quoted(column)),
            })
            .collect();
        let classes: Vec<String> =
            columns.iter().map(|(column, _)| format!("typeof({})", quoted(column))).collect();
        let sql = format!(
            "SELECT {}, {} FROM {} NOT INDEXED WHERE {}",
            quoted(&first.name),
            classes.join(", "),
            quoted(table),
            odd.join(" OR ")
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (place, (column, expected)) in columns.iter().enumerate() {
                let class = match row.get::<_, String>(place + 1)?.as_str() {
                    "blob" => "blob",
                    "text" if *expected == "integer" => "text",
                    _ => continue,
                };
                let column = format!("{table}.{column}");
                let known = found.iter_mut().find(|known| known.column == column && known.class == class);
                let name = || Ok::<_, rusqlite::Error>(row.get::<_, Field>(0)?.show());
                match known {
                    Some(known) => {
                        known.rows += 1;
                        if known.first.len() < named {
                            known.first.push(name()?);
                        }
                    }
                    None => found.push(Misfit { column, class, expected, rows: 1, first: vec![name()?] }),
                }
            }
        }
    }
    found.sort_by(|one, other| one.column.cmp(&other.column));
    Ok(found)
}

/// The tasks whose id is none that Hermes makes, or whose title is blank, which it refuses.
///
/// # Errors
/// What SQLite says.
pub fn never_made(connection: &Connection, schema: &SchemaReport) -> Outcome<Vec<String>> {
    if !schema.has("tasks", "id") || !schema.has("tasks", "title") {
        return Ok(Vec::new());
    }
    let digits = "[0-9a-f]".repeat(8);
    ids(
        connection,
        &format!(
            "SELECT id FROM tasks NOT INDEXED WHERE typeof(id) = 'text' AND (id NOT GLOB 't_{digits}' OR trim(title) = '')"
        ),
    )
}

/// The tasks that are done although no event says that anything ended them, and whose first event is still there: Hermes'
/// own clean-up removes events from the first on.
///
/// # Errors
/// What SQLite says.
pub fn done_by_hand(connection: &Connection, schema: &SchemaReport) -> Outcome<Vec<String>> {
    let needed = [("tasks", "status"), ("task_events", "kind"), ("task_events", "task_id")];
    if needed.iter().any(|(table, column)| !schema.has(table, column)) {
        return Ok(Vec::new());
    }
    ids(
        connection,
        "SELECT id FROM tasks NOT INDEXED WHERE status = 'done' AND id NOT IN (
             SELECT task_id FROM task_events NOT INDEXED WHERE kind IN ('completed', 'status', 'reconciled', 'imported'))
         AND EXISTS (SELECT 1 FROM task_events WHERE task_id = tasks.id AND kind = 'created')",
    )
}

fn ids(connection: &Connection, sql: &str) -> Outcome<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok(row.get::<_, Field>(0)?.show()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Rows that one index names and its table does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexOnlyRows {
    /// The index.
    pub index: String,
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// What the index still has of each of the first: the value of its first column.
    pub first: Vec<String>,
}

/// Find the rows that an index of one of Hermes' tables names and the table does not have, at most `named` of each by name:
/// the last trace of a row that is lost. `all` also looks at indexes beside that of the tasks' ids.
///
/// # Errors
/// What SQLite says.
pub fn indexed_but_gone(
    connection: &Connection,
    schema: &SchemaReport,
    all: bool,
    named: usize,
) -> Outcome<Vec<IndexOnlyRows>> {
    let mut found = Vec::new();
    for table in schema.tables.keys().filter(|table| all || table.as_str() == "tasks") {
        for (index, column) in plain_indexes(connection, table)? {
            if !all && !index.starts_with("sqlite_autoindex_") {
                continue;
            }
            let (table, index) = (table.clone(), index);
            // The index alone answers the inner query, the table alone the outer condition.
            let sql = format!(
                "SELECT entry.value FROM (SELECT {column} AS value, rowid AS number FROM {table} INDEXED BY {name}) AS entry
                 WHERE NOT EXISTS (SELECT 1 FROM {table} AS there NOT INDEXED WHERE there.rowid = entry.number)",
                column = quoted(&column),
                table = quoted(&table),
                name = quoted(&index),
            );
            let Ok(mut statement) = connection.prepare(&sql) else { continue };
            let mut rows = statement.query([])?;
            let mut gone = IndexOnlyRows { index, table, rows: 0, first: Vec::new() };
            while let Some(row) = rows.next()? {
                gone.rows += 1;
                if gone.first.len() < named {
                    gone.first.push(row.get::<_, Field>(0)?.show());
                }
            }
            if gone.rows > 0 {
                found.push(gone);
            }
        }
    }
    Ok(found)
}

/// The indexes of a table that have an entry for every row and begin with a column, and that column.
fn plain_indexes(connection: &Connection, table: &str) -> Outcome<Vec<(String, String)>> {
    let mut statement = connection.prepare(
        "SELECT list.name, info.name FROM pragma_index_list(?1) AS list, pragma_index_xinfo(list.name) AS info
         WHERE info.seqno = 0 AND info.cid >= 0 AND NOT list.partial AND list.name NOT IN (
             SELECT list.name FROM pragma_index_list(?1) AS list, pragma_index_xinfo(list.name) AS part WHERE part.cid = -2)",
    )?;
    let rows = statement
        .query_map([table], |row| Ok((super::schema::lossy(row, 0)?, super::schema::lossy(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
