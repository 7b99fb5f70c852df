//! The new file: written under a temporary name beside its destination, whole and synced before it has its own.
//!
//! Only this process knows the file, so architecture.md rule 11 holds: exclusive, no sidecar left, the recorded journal
//! mode set as the last step.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use super::catalog::Table;
use super::merge::{Merged, MergedTable};
use super::{Stage, Watch};
use crate::failure::{Failure, Outcome};
use crate::ondisk::record::{Record, Value};
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
    pub(crate) wal: bool,
}

/// A new file that has no name of its own yet; gone when dropped.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    kept: bool,
}

impl Draft {
    /// An empty file beside `destination`, which must not exist.
    pub(crate) fn beside(destination: &Path) -> Outcome<Self> {
        if fs::symlink_metadata(destination).is_ok() {
            return Err(exists(destination));
        }
        let name = destination
            .file_name()
            .ok_or_else(|| Failure::usage("The destination is no file name.").at(destination))?;
        for attempt in 0..100 {
            let mut draft = std::ffi::OsString::from(".");
            draft.push(name);
            draft.push(format!(".{}.{attempt}.tmp", std::process::id()));
            let path = destination.with_file_name(draft);
            // 0600 until it has its name: rows of a board are nobody else's business.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(_) => return Ok(Self { path, kept: false }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Failure::io(error, "creating the new file").at(&path)),
            }
        }
        Err(Failure::refused("There is no free name for a temporary file.").at(destination))
    }

    /// The temporary name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the file and gives it the name `destination`, which must not exist, with these permission bits.
    pub(crate) fn keep(mut self, destination: &Path, mode: u32) -> Outcome<()> {
        let failed = |error| Failure::io(error, "syncing the new file").at(destination);
        let permissions = fs::Permissions::from_mode(mode & 0o777);
        fs::set_permissions(&self.path, permissions).map_err(failed)?;
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(failed)?;
        rename(&self.path, destination)?;
        self.kept = true;
        let dir = destination.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // Nothing is left to report to; the name says whose file it is.
            let _ = fs::remove_file(super::sources::sidecar(&self.path, suffix));
        }
    }
}

/// Renames without replacing; by a hard link where the filesystem has no such rename.
fn rename(from: &Path, to: &Path) -> Outcome<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::EXIST) => Err(exists(to)),
        Err(_) => fs::hard_link(from, to)
            .and_then(|()| fs::remove_file(from))
            .map_err(|error| Failure::io(error, "naming the new file").at(to)),
    }
}

fn exists(destination: &Path) -> Failure {
    Failure::refused("The destination exists already.")
        .at(destination)
        .hint("Name a file that does not exist.")
}

/// What became of the rows of one table.
#[derive(Debug, Default, Clone)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    /// Rows that a constraint kept out: another row has their key, or they lack a value.
    pub(crate) refused: u64,
}

/// Writes `merged` into the empty file at `path`. `layouts` gives each source's own columns of a table.
pub(crate) fn write(
    path: &Path,
    merged: &mut Merged<'_>,
    shapes: &[HashMap<String, Table>],
    traits: Traits,
    watch: &mut dyn Watch,
) -> Outcome<(Connection, HashMap<String, Written>)> {
    let connection = open(path, traits)?;
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
        let result = fill(&connection, &table, shapes, &mut |rows| {
            done += rows;
            watch.step(Stage::Rebuild, done, total)
        })?;
        written.insert(table.table.name.clone(), result);
        kept.push(table);
    }
    merged.tables = kept;
    sequences(&connection, merged)?;
    indexes(&connection, merged);
    connection.execute_batch("COMMIT")?;
    Ok((connection, written))
}

fn open(path: &Path, traits: Traits) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = {};
         PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = MEMORY;
         PRAGMA synchronous = OFF;
         PRAGMA foreign_keys = OFF;
         PRAGMA ignore_check_constraints = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA user_version = {};
         PRAGMA application_id = {};",
        traits.page_size, traits.user_version, traits.application_id
    ))?;
    Ok(connection)
}

/// Sets the recorded journal mode and closes; nothing is left beside the file.
pub(crate) fn finish(connection: Connection, traits: Traits) -> Outcome<()> {
    let mode = if traits.wal { "WAL" } else { "DELETE" };
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    let set: String = connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |row| row.get(0))?;
    if !set.eq_ignore_ascii_case(mode) {
        return Err(Failure::failed(format!("The new file did not take journal mode {mode}.")));
    }
    connection.close().map_err(|(_, error)| Failure::from(error))
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
