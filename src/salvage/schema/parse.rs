//! `CREATE` texts taken apart by SQLite itself, in a database in memory that never holds a row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::column_values::Domain;
use super::{Affinity, Catalog, SchemaEntry, TableColumn, TableSchema, hermes_table};
use crate::failure::Outcome;
use crate::store::audit::quoted;
use crate::store::schema;

/// So many texts are remembered; a hostile heap of copies has no two alike.
const MAX_KNOWN: usize = 4096;

/// Takes `CREATE` texts apart; what it has taken apart once it knows.
#[derive(Debug)]
pub(crate) struct Schemas {
    scratch: Mutex<ParseDatabase>,
}

impl Schemas {
    /// Nothing taken apart yet.
    ///
    /// # Errors
    /// When SQLite cannot make a database in memory.
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self { scratch: Mutex::new(ParseDatabase::new()?) })
    }

    /// The table that `sql` makes; `None` if it makes none that can be read.
    pub(crate) fn table(&self, sql: &str) -> Option<Arc<TableSchema>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).table(sql)
    }

    /// The schema that `entries` describe, and Hermes' own tables without roots where they are missing. The first of
    /// two entries with the same name counts.
    pub(crate) fn catalog(&self, entries: &[SchemaEntry]) -> Catalog {
        Catalog::build(&mut self.scratch.lock().unwrap_or_else(PoisonError::into_inner), entries)
    }
}

/// A database in memory in which `CREATE TABLE` texts are taken apart.
#[derive(Debug)]
pub(crate) struct ParseDatabase {
    connection: Connection,
    known: HashMap<String, Option<Arc<TableSchema>>>,
}

impl ParseDatabase {
    fn new() -> Outcome<Self> {
        /// Virtual-machine steps that any `CREATE TABLE` of a board stays far below.
        const STEPS: std::ffi::c_int = 1_000_000;
        let mut connection = Connection::open_in_memory()?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.progress_handler(STEPS, Some(|| true))?;
        Ok(Self { connection, known: HashMap::new() })
    }

    /// The table that `sql` makes; `None` if it makes none, or one with generated columns.
    pub(crate) fn table(&mut self, sql: &str) -> Option<Arc<TableSchema>> {
        if let Some(known) = self.known.get(sql) {
            return known.clone();
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        let table = self.take_apart(sql).map(Arc::new);
        self.known.insert(sql.to_owned(), table.clone());
        table
    }

    fn take_apart(&self, sql: &str) -> Option<TableSchema> {
        let head = sql.get(..12)?;
        if !head.eq_ignore_ascii_case("create table") {
            return None;
        }
        self.connection.execute_batch("SAVEPOINT look").ok()?;
        let table = self.inspect(sql);
        self.connection.execute_batch("ROLLBACK TO look; RELEASE look").ok()?;
        table
    }

    fn inspect(&self, sql: &str) -> Option<TableSchema> {
        self.connection.execute(sql, []).ok()?;
        let (name, without_rowid): (String, bool) = self
            .connection
            .query_row(
                "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .ok()?;
        let mut statement = self
            .connection
            .prepare("SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden FROM pragma_table_xinfo(?1)")
            .ok()?;
        let mut rows = statement.query([&name]).ok()?;
        let known = hermes_table(&name);
        let mut columns = Vec::new();
        let mut keys = Vec::new();
        while let Some(row) = rows.next().ok()? {
            let (declared, pk, hidden): (String, i64, i64) =
                (row.get(1).ok()?, row.get(4).ok()?, row.get(5).ok()?);
            if hidden != 0 {
                return None;
            }
            if pk > 0 {
                keys.push((pk, columns.len(), declared.eq_ignore_ascii_case("integer")));
            }
            let column: String = row.get(0).ok()?;
            columns.push(TableColumn {
                affinity: affinity(&declared),
                not_null: row.get(2).ok()?,
                has_default: row.get(3).ok()?,
                sense: known.map_or(Domain::Any, |_| Domain::of(&column)),
                name: column,
            });
        }
        if without_rowid {
            keys.sort_unstable();
            let is_key = |column: usize| keys.iter().position(|(_, at, _)| *at == column);
            let mut placed: Vec<_> = columns.into_iter().enumerate().collect();
            placed.sort_by_key(|(at, _)| is_key(*at).unwrap_or(usize::MAX));
            let columns = placed.into_iter().map(|(_, column)| column).collect();
            let (key, keyed) = ((0..keys.len()).collect(), Some(keys.len()));
            return Some(TableSchema { name, sql: sql.to_owned(), columns, rowid_column: None, key, keyed });
        }
        // `INTEGER PRIMARY KEY DESC` is the one exception, and nobody's column.
        let rowid_column = match keys.as_slice() {
            [(_, column, true)] => Some(*column),
            _ => None,
        };
        let key = keys.iter().map(|(_, column, _)| *column).collect();
        Some(TableSchema { name, sql: sql.to_owned(), columns, rowid_column, key, keyed: None })
    }

    /// A text of one of Hermes' tables in which a single name differs from Hermes' own has had a flipped bit: then the
    /// known text is right. One that brings along what would be run is replaced by Hermes' own declarations for the same
    /// columns.
    pub(crate) fn believe(&mut self, found: Arc<TableSchema>) -> Arc<TableSchema> {
        let Some(facts) = hermes_table(&found.name) else { return found };
        let Some(known) = self.table(&schema::create_table(facts)) else { return found };
        let differing =
            known.columns.iter().zip(&found.columns).filter(|(one, other)| one.name != other.name).count();
        if known.columns.len() == found.columns.len() && differing == 1 {
            return known;
        }
        if !schema::brings_code(&found.sql) {
            return found;
        }
        let declared = |column: &TableColumn| {
            let known = facts.columns.iter().find(|(name, _)| *name == column.name);
            known.map_or_else(|| quoted(&column.name), |(name, declaration)| format!("{name} {declaration}"))
        };
        let harmless = schema::create_table_of(facts, found.columns.iter().map(declared));
        self.table(&harmless).unwrap_or(known)
    }
}

/// The affinity of a declared type ("Datatypes In SQLite", section 3.1).
fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else {
        Affinity::Any
    }
}
