//! `CREATE` texts taken apart by SQLite itself, in a database in memory that never holds a row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::column_values::Domain;
use super::{Affinity, Catalog, ColumnOwner, SchemaEntry, TableColumn, TableSchema, column_sets};
use crate::failure::Outcome;
use crate::hermes::{self, ColumnFacts, TableFacts};
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

/// A column as it is declared.
struct DeclaredColumn {
    /// Its number in the declaration.
    at: usize,
    /// Its place in the primary key, from 1; 0 outside of it.
    pk: i64,
    /// Whether a record has a value of it.
    is_stored: bool,
    column: TableColumn,
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

    /// The table that `sql` makes; `None` if it makes none.
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
        let known = hermes::table(&name);
        let declared = self.declared_columns(&name, known)?;
        let stored: Vec<usize> = if without_rowid {
            // The order of the key's own index, in which a column with two collations stands twice.
            self.key_order(&name)?
        } else {
            declared.iter().filter(|column| column.is_stored).map(|column| column.at).collect()
        };
        let named = |at: usize| declared.iter().find(|column| column.at == at);
        let columns = stored.iter().map(|at| Some(named(*at)?.column.clone())).collect::<Option<Vec<_>>>()?;
        let mut keys: Vec<(i64, usize)> = Vec::new();
        for (place, at) in stored.iter().enumerate() {
            let pk = named(*at)?.pk;
            if pk > 0 {
                keys.push((pk, place));
            }
        }
        if without_rowid {
            let keyed: i64 = self
                .connection
                .query_row(
                    "SELECT count(*) FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x \
                 WHERE l.origin = 'pk' AND x.key",
                    [&name],
                    |row| row.get(0),
                )
                .ok()?;
            let keyed = usize::try_from(keyed).ok()?;
            let key = (0..keyed).collect();
            return Some(TableSchema {
                name,
                sql: sql.to_owned(),
                columns,
                rowid_column: None,
                key,
                keyed: Some(keyed),
            });
        }
        keys.sort_unstable();
        // A key with an index of its own (`INTEGER PRIMARY KEY DESC`, one column twice) is no other name of the rowid.
        let has_index: bool = self
            .connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')",
                [&name],
                |row| row.get(0),
            )
            .ok()?;
        let rowid_column = match keys.as_slice() {
            [(_, column)] if !has_index => Some(*column),
            _ => None,
        };
        let key = keys.into_iter().map(|(_, column)| column).collect();
        Some(TableSchema { name, sql: sql.to_owned(), columns, rowid_column, key, keyed: None })
    }

    /// The columns of table `name` in the order in which they are declared; `None` for a virtual table.
    fn declared_columns(&self, name: &str, known: Option<&TableFacts>) -> Option<Vec<DeclaredColumn>> {
        /// What `pragma_table_xinfo` says of a column that is computed when it is read, and of one that is computed when it is
        /// written.
        const COMPUTED_WHEN_READ: i64 = 2;
        const COMPUTED_WHEN_WRITTEN: i64 = 3;
        let mut statement = self
            .connection
            .prepare("SELECT cid, name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden FROM pragma_table_xinfo(?1)")
            .ok()?;
        let mut rows = statement.query([name]).ok()?;
        let mut columns = Vec::new();
        while let Some(row) = rows.next().ok()? {
            let (column, declared, hidden): (String, String, i64) =
                (row.get(1).ok()?, row.get(2).ok()?, row.get(6).ok()?);
            // Hermes computes no column, so its values are there whatever a text says that was changed later.
            let is_own = known.is_some_and(|facts| facts.column(&column).is_some());
            let (is_stored, generated) = match hidden {
                0 => (true, false),
                COMPUTED_WHEN_READ => (is_own, false),
                COMPUTED_WHEN_WRITTEN => (true, !is_own),
                _ => return None,
            };
            columns.push(DeclaredColumn {
                at: usize::try_from(row.get::<_, i64>(0).ok()?).ok()?,
                pk: row.get(5).ok()?,
                is_stored,
                column: TableColumn {
                    affinity: affinity(&declared),
                    owner: known.map_or(ColumnOwner::Other, |_| ColumnOwner::Hermes),
                    not_null: row.get(3).ok()?,
                    has_default: row.get(4).ok()?,
                    generated,
                    sense: known.map_or(Domain::Any, |_| Domain::of(name, &column)),
                    name: column,
                },
            });
        }
        Some(columns)
    }

    /// The columns of table `name`, which has no rowids, in the order in which a record has them.
    fn key_order(&self, name: &str) -> Option<Vec<usize>> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT x.cid FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x WHERE l.origin = 'pk' \
                 ORDER BY x.seqno",
            )
            .ok()?;
        let columns = statement.query_map([name], |row| row.get::<_, i64>(0)).ok()?;
        columns.map(|column| usize::try_from(column.ok()?).ok()).collect()
    }

    /// A text of one of Hermes' tables in which a single name differs from Hermes' own has had a flipped bit: then the
    /// known text is right. One that brings along what would be run is replaced by Hermes' own declarations for the same
    /// columns.
    pub(crate) fn believe(&mut self, found: Arc<TableSchema>) -> Arc<TableSchema> {
        let Some(facts) = hermes::table(&found.name) else { return found };
        let names: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
        let is_known = |column: &&str| facts.column(column).is_some();
        if names.iter().filter(|name| !is_known(name)).count() == 1 {
            let differing = |order: &[&ColumnFacts]| {
                order.iter().zip(&names).filter(|(column, name)| column.name != **name).count()
            };
            let orders = hermes::orders(facts);
            let same = orders.iter().find(|order| order.len() == names.len() && differing(order) == 1);
            if let Some(known) =
                same.and_then(|order| self.table(&column_sets::text(facts, order.iter().copied())))
            {
                return known;
            }
        }
        if !schema::brings_code(&found.sql) {
            return found;
        }
        let declared = |column: &TableColumn| {
            let known = facts.column(&column.name);
            known
                .map_or_else(|| quoted(&column.name), |known| format!("{} {}", known.name, known.declaration))
        };
        let harmless = schema::create_table_of(facts, found.columns.iter().map(declared));
        self.table(&harmless).or_else(|| self.table(&schema::create_table(facts))).unwrap_or(found)
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
