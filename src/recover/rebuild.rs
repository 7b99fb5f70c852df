//! The new file's content: tables, rows, sequences and indexes, in one transaction.
//!
//! The file's life (temporary name, exclusive, recorded journal mode, sync, publication) is [`crate::own`]'s.

use std::collections::HashMap;

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::catalog::Table;
use super::merge::{Merged, MergedTable};
use super::{Stage, Watch};
use crate::failure::Outcome;
use crate::ondisk::record::{Record, Value};
use crate::own::RecordedMode;
use crate::store::audit::quoted;
use crate::store::schema;

/// Rows between two looks at the watch.
const STRIDE: u64 = 1024;

/// What the new file takes over besides its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) page_size: usize,
    pub(crate) user_version: i32,
    pub(crate) application_id: i32,
    pub(crate) mode: RecordedMode,
}

/// What became of the rows of one table.
#[derive(Debug, Default, Clone)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    /// Rows that a constraint kept out: another row has their key, or they lack a value.
    pub(crate) refused: u64,
}

/// Writes `merged` into the empty file behind `connection`. `shapes` gives each source's own columns of a table.
pub(crate) fn write(
    connection: &Connection,
    merged: &mut Merged<'_>,
    shapes: &[HashMap<String, Table>],
    traits: Traits,
    watch: &mut dyn Watch,
) -> Outcome<HashMap<String, Written>> {
    prepare(connection, traits)?;
    let total: u64 = merged.tables.iter().map(|table| table.rows.len() as u64).sum();
    let mut done = 0;
    let mut written = HashMap::new();
    connection.execute_batch("BEGIN")?;
    let mut kept = Vec::new();
    for table in std::mem::take(&mut merged.tables) {
        if connection.execute(&table.table.sql, []).is_err() {
            merged.unread.push(table.table.name.clone());
            continue;
        }
        let result = fill(connection, &table, shapes, &mut |rows| {
            done += rows;
            watch.step(Stage::Rebuild, done, total)
        })?;
        written.insert(table.table.name.clone(), result);
        kept.push(table);
    }
    merged.tables = kept;
    sequences(connection, merged)?;
    indexes(connection, merged);
    connection.execute_batch("COMMIT")?;
    Ok(written)
}

/// Sets what can only be set while the file is empty, and lets rows in that today's constraints would keep out.
fn prepare(connection: &Connection, traits: Traits) -> Outcome<()> {
    Ok(connection.execute_batch(&format!(
        "PRAGMA page_size = {};
         PRAGMA ignore_check_constraints = ON;
         PRAGMA user_version = {};
         PRAGMA application_id = {};",
        traits.page_size, traits.user_version, traits.application_id
    ))?)
}

/// Inserts the rows of `table` in the order of their rowids.
fn fill(
    connection: &Connection,
    table: &MergedTable<'_>,
    shapes: &[HashMap<String, Table>],
    tick: &mut dyn FnMut(u64) -> Outcome<()>,
) -> Outcome<Written> {
    let mut written = Written::default();
    let mut pending = 0;
    for (rowid, (row, source)) in &table.rows {
        let shape = shapes.get(*source).and_then(|shapes| shapes.get(&table.table.name));
        let shape = shape.unwrap_or(&table.table);
        let Ok(record) = Record::read(&row.payload) else { continue };
        if insert(connection, &table.table, shape, *rowid, &record)? {
            written.rows += 1;
        } else {
            written.refused += 1;
        }
        pending += 1;
        if pending == STRIDE {
            tick(std::mem::take(&mut pending))?;
        }
    }
    tick(pending)?;
    Ok(written)
}

/// Columns that a short record lacks are left to their DEFAULT.
fn insert(
    connection: &Connection,
    table: &Table,
    shape: &Table,
    rowid: i64,
    record: &Record<'_>,
) -> Outcome<bool> {
    let mut sql = format!("INSERT OR IGNORE INTO {}(", quoted(&table.name));
    sql.push_str(rowid_name(table));
    let mut values = vec![Bound::Rowid(rowid)];
    for (index, (column, value)) in shape.columns.iter().zip(record.values()).enumerate() {
        if shape.rowid_column == Some(index) || table.columns.iter().all(|known| known.name != column.name) {
            continue;
        }
        sql.push(',');
        sql.push_str(&quoted(&column.name));
        values.push(Bound::Value(value));
    }
    sql.push_str(") VALUES (?");
    sql.push_str(&",?".repeat(values.len() - 1));
    sql.push(')');
    match connection.prepare_cached(&sql)?.execute(params_from_iter(values)) {
        Ok(count) => Ok(count == 1),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// The name of the rowid that no column of `table` hides.
fn rowid_name(table: &Table) -> &'static str {
    let free = |name: &&str| table.columns.iter().all(|column| !column.name.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(free).unwrap_or("rowid")
}

enum Bound<'a> {
    Rowid(i64),
    Value(Value<'a>),
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Rowid(rowid) => ToSqlOutput::Owned(Owned::Integer(rowid)),
            Self::Value(value) => ToSqlOutput::Borrowed(match value {
                Value::Null => ValueRef::Null,
                Value::Integer(number) => ValueRef::Integer(number),
                Value::Real(number) => ValueRef::Real(number),
                Value::Text(bytes) => ValueRef::Text(bytes),
                Value::Blob(bytes) => ValueRef::Blob(bytes),
            }),
        })
    }
}

/// `sqlite_sequence`: at least the highest number seen anywhere, so that no number is given out twice.
fn sequences(connection: &Connection, merged: &Merged<'_>) -> Outcome<()> {
    let has: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence')",
        [],
        |row| row.get(0),
    )?;
    if !has {
        return Ok(());
    }
    for table in &merged.tables {
        let name = &table.table.name;
        let Some(&last) = merged.sequences.get(name) else { continue };
        let raised = connection
            .execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", (name, last))?;
        let counts = table.table.sql.to_ascii_uppercase().contains("AUTOINCREMENT");
        if raised == 0 && counts {
            connection.execute("INSERT INTO sqlite_sequence(name, seq) VALUES (?1, ?2)", (name, last))?;
        }
    }
    Ok(())
}

/// Creates the indexes as found, then Hermes' own where they are missing. One that cannot be made is named in `dropped`.
fn indexes(connection: &Connection, merged: &mut Merged<'_>) {
    for index in &merged.indexes {
        let is_index = index.sql.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("create "));
        if !is_index || connection.execute(&index.sql, []).is_err() {
            merged.dropped.push(index.name.clone());
        }
    }
    for (name, on) in schema::INDEXES {
        let exists = connection
            .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)", [name], |row| {
                row.get(0)
            })
            .unwrap_or(false);
        if !exists && connection.execute(&format!("CREATE INDEX {name} ON {on}"), []).is_ok() {
            merged.dropped.retain(|dropped| dropped != name);
        }
    }
}
