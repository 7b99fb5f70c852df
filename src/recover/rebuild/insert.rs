//! The new file's content: tables, rows and sequences in one transaction, indexes in another.
//!
//! The file's life (temporary name, exclusive, recorded journal mode, sync, publication) is [`crate::newfile`]'s.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ToSql};

use crate::failure::Outcome;
use crate::newfile::RecordedMode;
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;
use crate::recover::merge::{Merged, MergedTable};
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::TableSchema;
use crate::salvage::source::cache::{PayloadReader, SourceCache};
use crate::store::audit::quoted;
use crate::store::schema;
use crate::work::progress::{Stage, Watch};

/// More rows than this are not sorted in memory for an index, where each takes some 60 bytes.
const SORTED_IN_MEMORY: u64 = 1 << 20;
/// Bytes of a row of a table with computed columns.
const MAX_COMPUTED: i32 = 128 << 20;
/// Rows between two looks at the watch.
const STRIDE: u64 = 1024;

/// What the new file takes over besides its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) page_size: usize,
    pub(crate) encoding: Encoding,
    pub(crate) user_version: i32,
    pub(crate) application_id: i32,
    pub(crate) mode: RecordedMode,
}

/// What became of the rows of one table.
#[derive(Debug, Default, Clone)]
pub(crate) struct InsertedRows {
    pub(crate) rows: u64,
    /// Rows that a constraint kept out: another row has their key, or they lack a value.
    pub(crate) refused: u64,
    /// The same of rows that only an older source has: a newer one has their key.
    pub(crate) passed_over: u64,
    /// The rowids of both.
    pub(crate) missing: Vec<i64>,
}

impl InsertedRows {
    /// Counts `row`, which could be `stored` or not.
    pub(crate) fn count(&mut self, row: &Row, stored: bool) {
        if stored {
            self.rows += 1;
        } else {
            self.refused += u64::from(!row.is(row::OLDER));
            self.passed_over += u64::from(row.is(row::OLDER));
            self.missing.push(row.rowid);
        }
    }
}

/// Writes `merged` into the empty file behind `connection`; the rows' bytes are read from `shelf`.
pub(crate) fn write(
    connection: &Connection,
    merged: &mut Merged,
    shelf: &SourceCache<'_>,
    traits: Traits,
    watch: &mut dyn Watch,
) -> Outcome<HashMap<String, InsertedRows>> {
    prepare(connection, traits)?;
    let total: u64 = merged.tables.iter().map(MergedTable::chosen_count).sum();
    let mut done = 0;
    let mut written = HashMap::new();
    connection.execute_batch("BEGIN")?;
    let mut kept = Vec::new();
    let mut reader = PayloadReader::new(shelf, &merged.odds);
    for table in std::mem::take(&mut merged.tables) {
        if connection.execute(&table.table.sql, []).is_err() {
            merged.unread.push(table.table.name.clone());
            continue;
        }
        let result = fill(connection, &table, &mut reader, &mut |rows| {
            done += rows;
            watch.step(Stage::Rebuild, done, total)
        })?;
        written.insert(table.table.name.clone(), result);
        kept.push(table);
    }
    merged.tables = kept;
    sequences(connection, merged)?;
    connection.execute_batch("COMMIT")?;
    sorted(connection, merged, total)?;
    Ok(written)
}

/// Creates the indexes of `total` rows. Many are sorted in a temporary file; where there is none, in memory after all.
fn sorted(connection: &Connection, merged: &mut Merged, total: u64) -> Outcome<()> {
    if total > SORTED_IN_MEMORY {
        let dropped = merged.dropped.clone();
        match sorted_in(connection, merged, "FILE") {
            Err(error) if lacks_room(&error) => {}
            result => return Ok(result?),
        }
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        merged.dropped = dropped;
    }
    Ok(sorted_in(connection, merged, "MEMORY")?)
}

fn sorted_in(connection: &Connection, merged: &mut Merged, place: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("PRAGMA temp_store = {place}; BEGIN"))?;
    indexes(connection, merged)?;
    connection.execute_batch("COMMIT")
}

/// Whether the disk did not give SQLite what it asked for.
fn lacks_room(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::DiskFull | ErrorCode::SystemIoFailure)
    )
}

/// Sets what can only be set while the file is empty, and lets rows in that today's constraints would keep out.
fn prepare(connection: &Connection, traits: Traits) -> Outcome<()> {
    Ok(connection.execute_batch(&format!(
        "PRAGMA page_size = {};
         PRAGMA encoding = '{}';
         PRAGMA ignore_check_constraints = ON;
         PRAGMA user_version = {};
         PRAGMA application_id = {};",
        traits.page_size,
        traits.encoding.name(),
        traits.user_version,
        traits.application_id
    ))?)
}

/// Insert the rows of `table`.
fn fill(
    connection: &Connection,
    table: &MergedTable,
    reader: &mut PayloadReader<'_, '_>,
    tick: &mut dyn FnMut(u64) -> Outcome<()>,
) -> Outcome<InsertedRows> {
    let mut written = InsertedRows::default();
    let mut inserts = Inserts::new(connection, &table.table);
    // An expression of a board's own may not ask for more memory than a row of a board takes.
    let length = connection.limit(Limit::SQLITE_LIMIT_LENGTH)?;
    if table.table.is_computed() {
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length.min(MAX_COMPUTED))?;
    }
    let mut pending = 0;
    for row in table.in_order_of_insertion() {
        written.count(&row, inserts.take(table, &row, reader)?);
        pending += 1;
        if pending == STRIDE {
            tick(std::mem::take(&mut pending))?;
        }
    }
    tick(pending)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length)?;
    Ok(written)
}

/// The statements that put rows into one table: one for each set of columns that rows come with.
pub(crate) struct Inserts<'c> {
    connection: &'c Connection,
    table: &'c TableSchema,
    /// By the table that the rows are from and the number of their values.
    known: HashMap<(*const TableSchema, usize), Insert<'c>>,
}

/// A statement, and which values of a record it takes.
struct Insert<'c> {
    statement: Statement<'c>,
    takes: Vec<bool>,
    /// The columns of the record, for the types that their values should have.
    shape: Arc<TableSchema>,
    has_rowid: bool,
}

impl<'c> Inserts<'c> {
    /// For rows of `table`.
    pub(crate) fn new(connection: &'c Connection, table: &'c TableSchema) -> Self {
        Self { connection, table, known: HashMap::new() }
    }

    /// Puts `row` of `table` in; false if a constraint keeps it out.
    pub(crate) fn take(
        &mut self,
        table: &MergedTable,
        row: &Row,
        reader: &mut PayloadReader<'_, '_>,
    ) -> Outcome<bool> {
        let shape = table.shape_of(row.source);
        reader.payload(row, |payload| match Record::read(payload) {
            Ok(record) => {
                let stored =
                    self.of(shape, record.columns()).and_then(|insert| insert.run(row.rowid, &record));
                match stored {
                    // A column of another program that cannot be computed costs its row.
                    Err(error) if self.table.is_computed() && is_of_expression(&error) => Ok(false),
                    stored => Ok(stored?),
                }
            }
            Err(_) => Ok(false),
        })?
    }

    /// The one for records with `values` values of the columns of `shape`. Columns that a short record lacks are left to
    /// their DEFAULT.
    fn of(&mut self, shape: &Arc<TableSchema>, values: usize) -> rusqlite::Result<&mut Insert<'c>> {
        match self.known.entry((Arc::as_ptr(shape), values)) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(new) => {
                Ok(new.insert(Insert::prepare(self.connection, self.table, shape, values)?))
            }
        }
    }
}

impl<'c> Insert<'c> {
    fn prepare(
        connection: &'c Connection,
        table: &TableSchema,
        shape: &Arc<TableSchema>,
        values: usize,
    ) -> rusqlite::Result<Self> {
        let mut names = Vec::new();
        let rowid = rowid_name(table);
        let has_rowid = rowid.is_some();
        names.extend(rowid);
        let mut takes = Vec::new();
        for (index, column) in shape.columns.iter().enumerate().take(values) {
            let name = quoted(&column.name);
            // A key of a table without rowids can have one column twice.
            let is_stored = shape.rowid_column != Some(index)
                && table.columns.iter().any(|known| known.name == column.name && !known.generated)
                && !names.contains(&name);
            takes.push(is_stored);
            if is_stored {
                names.push(name);
            }
        }
        let marks = vec!["?"; names.len()].join(",");
        let sql =
            format!("INSERT OR IGNORE INTO {}({}) VALUES ({marks})", quoted(&table.name), names.join(","));
        Ok(Self { statement: connection.prepare(&sql)?, takes, shape: Arc::clone(shape), has_rowid })
    }

    /// Whether the row could be stored: a constraint may keep it out.
    fn run(&mut self, rowid: i64, record: &Record<'_>) -> rusqlite::Result<bool> {
        if self.has_rowid {
            self.statement.raw_bind_parameter(1, rowid)?;
        }
        let values = record.values().zip(&self.shape.columns).zip(&self.takes).filter(|(_, takes)| **takes);
        for (((value, column), _), parameter) in values.zip(1 + usize::from(self.has_rowid)..) {
            let value = match value {
                Value::Blob(bytes) if column.reads_as_text(bytes) => Value::Text(bytes),
                value => value,
            };
            self.statement.raw_bind_parameter(parameter, Bound(value))?;
        }
        match self.statement.raw_execute() {
            Ok(count) => Ok(count == 1),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// True if SQLite could not evaluate an expression of the table.
fn is_of_expression(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::TooBig | ErrorCode::Unknown | ErrorCode::OutOfMemory))
}

/// Return a name for the rowid of `table` in SQL. `None` where there is no rowid, or columns have all of its names: then no
/// statement can say it, and SQLite numbers the rows in their order.
fn rowid_name(table: &TableSchema) -> Option<String> {
    if table.keyed.is_some() {
        return None;
    }
    if let Some(column) = table.rowid_column.and_then(|at| table.columns.get(at)) {
        return Some(quoted(&column.name));
    }
    let free = |name: &&str| table.columns.iter().all(|column| !column.name.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(free).map(str::to_owned)
}

struct Bound<'a>(Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Real(number) => ValueRef::Real(number),
            Value::Text(bytes) => ValueRef::Text(bytes),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// `sqlite_sequence`: at least the highest number seen anywhere, so that no number is given out twice.
pub(crate) fn sequences(connection: &Connection, merged: &Merged) -> Outcome<()> {
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
        let stated = merged.sequences.get(name).copied();
        let apart = table.partial.iter().chain(&table.uncommitted).map(|row| row.rowid).max();
        // At its end a sequence is no count of anything, and would let no row in.
        let known = [stated, apart, named(connection, name)?].into_iter().flatten();
        let Some(last) = known.filter(|last| *last < i64::MAX).max() else { continue };
        let raised = connection
            .execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", (name, last))?;
        let counts = table.table.sql.to_ascii_uppercase().contains("AUTOINCREMENT");
        if raised == 0 && counts {
            connection.execute("INSERT INTO sqlite_sequence(name, seq) VALUES (?1, ?2)", (name, last))?;
        }
    }
    Ok(())
}

/// What other tables name rows of Hermes' tables by, with their numbers: they were given out, whether the row is there or not
/// (docs/board-format.md, 2.4, 2.5, 8).
const NAMES: [(&str, &str, &str); 3] = [
    ("task_events", "kanban_notify_subs", "last_event_id"),
    ("task_runs", "tasks", "current_run_id"),
    ("task_runs", "task_events", "run_id"),
];

/// The highest number by which a row of `table` is named.
fn named(connection: &Connection, table: &str) -> Outcome<Option<i64>> {
    let mut highest = None;
    for (_, other, column) in NAMES.iter().filter(|(of, ..)| *of == table) {
        if connection.column_exists(None, *other, *column)? {
            let sql = format!("SELECT max({column}) FROM {other} WHERE typeof({column}) = 'integer'");
            highest = connection.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))?.max(highest);
        }
    }
    Ok(highest)
}

/// Creates the indexes as found, then Hermes' own where they are missing. One that cannot be made is named in `dropped`.
///
/// # Errors
/// When it is the disk that has no room for one.
pub(crate) fn indexes(connection: &Connection, merged: &mut Merged) -> rusqlite::Result<()> {
    let made = |sql: &str| match connection.execute(sql, []) {
        Ok(_) => Ok(true),
        Err(error) if lacks_room(&error) => Err(error),
        Err(_) => Ok(false),
    };
    for index in &merged.indexes {
        let is_index = index.sql.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("create "));
        // An expression or a condition would be run for every row.
        if !is_index || !schema::is_plain_index(&index.sql) || !made(&index.sql)? {
            merged.dropped.push(index.name.clone());
        }
    }
    for (name, on) in crate::hermes::INDEXES {
        let exists = connection
            .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)", [name], |row| {
                row.get(0)
            })
            .unwrap_or(false);
        if !exists && made(&format!("CREATE INDEX {name} ON {on}"))? {
            merged.dropped.retain(|dropped| dropped != name);
        }
    }
    Ok(())
}
