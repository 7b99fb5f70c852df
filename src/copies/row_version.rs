//! Row versions: what a row says, whatever file, page and column order it stands in.
//!
//! Two rows are the same version when they are of one table, have the same key and the same values. A value that Hermes'
//! schema gives by itself (`DEFAULT`, else NULL) counts as absent, so that a row from before a migration equals the same
//! row after it. Responsible for naming versions by a hash; who holds which is for `thinning` and `comparison`.

use sha2::{Digest, Sha256};

use crate::hermes;
use crate::ondisk::record::{Record, Value};
use crate::salvage::schema::TableSchema;

/// The name of a version or of a row: 128 bits of a SHA-256 over its table, key and values.
pub(crate) type Name = u128;

/// A value without a text of its own: what a column of an unknown table takes when a row is short.
const UNKNOWN_DEFAULT: u8 = 5;

/// How the rows of one table in one source are named.
#[derive(Debug)]
pub(crate) struct Namer {
    /// The columns by name, with the value that need not be written.
    columns: Vec<(usize, Absent<'static>)>,
    /// Whether the rowid is part of what a row says: it is its key, or nothing is known of the table.
    by_rowid: bool,
}

/// What it means when a row does not say what stands in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Absent<'a> {
    Means(Value<'a>),
    Unknown,
}

impl Namer {
    /// The namer for rows of `table`, whose columns may stand in any order.
    pub(crate) fn new(table: &TableSchema) -> Self {
        let absent = |place: usize| {
            let column = table.columns.get(place);
            match column.and_then(|column| declared(&table.name, &column.name)) {
                Some(declaration) => Absent::Means(default_of(declaration)),
                None if column.is_some_and(|column| column.has_default) => Absent::Unknown,
                None => Absent::Means(Value::Null),
            }
        };
        let mut columns: Vec<_> = (0..table.columns.len()).map(|place| (place, absent(place))).collect();
        columns.sort_by_key(|(place, _)| table.columns.get(*place).map(|column| &column.name));
        let known = hermes::table(&table.name).is_some();
        Self { columns, by_rowid: table.rowid_column.is_some() || !known }
    }

    /// What the whole row with this record says.
    pub(crate) fn version(&self, table: &TableSchema, rowid: i64, record: &Record<'_>) -> Name {
        let mut hash = begin(b'v', table);
        if self.by_rowid {
            hash.update(rowid.to_be_bytes());
        }
        self.said(table, record, &mut |name, value| {
            sized(&mut hash, name.as_bytes());
            write(&mut hash, value);
        });
        finish(hash)
    }

    /// Gives every value that says something to `visit`, with its column's name, in the order of the names. `table` is the one that it was made for.
    pub(crate) fn each<'r>(
        &self,
        table: &TableSchema,
        record: &Record<'r>,
        visit: &mut dyn FnMut(&str, Value<'r>),
    ) {
        self.said(table, record, &mut |name, value| {
            if let Some(value) = value {
                visit(name, value);
            }
        });
    }

    /// As [`Namer::each`], with `None` for a value that a short row of an unknown table leaves open.
    fn said<'r>(
        &self,
        table: &TableSchema,
        record: &Record<'r>,
        visit: &mut dyn FnMut(&str, Option<Value<'r>>),
    ) {
        let values: Vec<Value<'r>> = record.values().collect();
        for &(place, absent) in &self.columns {
            let Some(column) = table.columns.get(place) else { continue };
            let value = match (values.get(place), absent) {
                // It is the rowid.
                _ if table.rowid_column == Some(place) => continue,
                (Some(value), Absent::Means(meant)) if *value == meant => continue,
                (None, Absent::Means(_)) => continue,
                (Some(value), _) => Some(*value),
                (None, Absent::Unknown) => None,
            };
            visit(&column.name, value);
        }
    }

    /// Which row it is by the key that Hermes gives it: a task stays itself where another row takes its rowid.
    pub(crate) fn key(&self, table: &TableSchema, rowid: i64, record: &Record<'_>) -> Name {
        let facts = hermes::table(&table.name);
        let columns = match facts {
            Some(facts) if table.rowid_column.is_none() => facts.primary_key.unwrap_or("id"),
            _ => return Self::row(table, rowid),
        };
        let mut hash = begin(b'k', table);
        self.said(table, record, &mut |name, value| {
            if columns.split(", ").any(|column| column == name) {
                sized(&mut hash, name.as_bytes());
                write(&mut hash, value);
            }
        });
        finish(hash)
    }

    /// Which row it is in its file, whatever it says.
    pub(crate) fn row(table: &TableSchema, rowid: i64) -> Name {
        let mut hash = begin(b'r', table);
        hash.update(rowid.to_be_bytes());
        finish(hash)
    }
}

fn begin(what: u8, table: &TableSchema) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update([what]);
    sized(&mut hash, table.name.as_bytes());
    hash
}

fn sized(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn write(hash: &mut Sha256, value: Option<Value<'_>>) {
    match value {
        Some(Value::Null) => hash.update([0]),
        Some(Value::Integer(number)) => {
            hash.update([1]);
            hash.update(number.to_be_bytes());
        }
        Some(Value::Real(number)) => {
            hash.update([2]);
            hash.update(number.to_bits().to_be_bytes());
        }
        Some(Value::Text(bytes)) => {
            hash.update([3]);
            sized(hash, bytes);
        }
        Some(Value::Blob(bytes)) => {
            hash.update([4]);
            sized(hash, bytes);
        }
        None => hash.update([UNKNOWN_DEFAULT]),
    }
}

fn finish(hash: Sha256) -> Name {
    hash.finalize().iter().take(16).fold(0, |name, &byte| name << 8 | Name::from(byte))
}

/// The name of a single value.
pub(crate) fn value(value: Value<'_>) -> Name {
    let mut hash = Sha256::new();
    write(&mut hash, Some(value));
    finish(hash)
}

/// How Hermes declares a column.
fn declared(table: &str, column: &str) -> Option<&'static str> {
    Some(hermes::table(table)?.column(column)?.declaration)
}

/// What stands behind DEFAULT in one of Hermes' declarations: a number, a text, or nothing.
fn default_of(declaration: &'static str) -> Value<'static> {
    let Some((_, literal)) = declaration.split_once(" DEFAULT ") else { return Value::Null };
    match literal.parse() {
        Ok(number) => Value::Integer(number),
        Err(_) => Value::Text(literal.trim_matches('\'').as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salvage::schema::{Affinity, TableColumn};

    fn table(name: &str, columns: &[&str], rowid_column: Option<usize>) -> TableSchema {
        let column = |name: &&str| TableColumn {
            name: (*name).to_owned(),
            affinity: Affinity::Any,
            owner: crate::salvage::schema::ColumnOwner::Other,
            not_null: false,
            has_default: name.starts_with("default"),
            generated: false,
            sense: crate::salvage::schema::column_values::Domain::Any,
        };
        let columns = columns.iter().map(column).collect();
        let (name, sql) = (name.to_owned(), String::new());
        TableSchema { name, sql, columns, rowid_column, key: Vec::new(), keyed: None }
    }

    /// `[header length, serial types..., values...]` of small integers, texts and NULLs.
    fn record(values: &[Value<'_>]) -> Vec<u8> {
        let (mut types, mut body) = (Vec::new(), Vec::new());
        for value in values {
            match value {
                Value::Integer(number) => {
                    types.push(1);
                    body.push(u8::try_from(*number).unwrap());
                }
                Value::Text(text) => {
                    types.push(u8::try_from(13 + 2 * text.len()).unwrap());
                    body.extend_from_slice(text);
                }
                _ => types.push(0),
            }
        }
        let mut bytes = vec![u8::try_from(types.len() + 1).unwrap()];
        bytes.extend(types);
        bytes.extend(body);
        bytes
    }

    fn version(table: &TableSchema, rowid: i64, values: &[Value<'_>]) -> Name {
        Namer::new(table).version(table, rowid, &Record::read(&record(values)).unwrap())
    }

    const A: Value<'_> = Value::Text(b"t_1");
    const B: Value<'_> = Value::Text(b"title");

    #[test]
    fn the_order_of_columns_and_absent_defaults_say_nothing() {
        let old = table("tasks", &["id", "title"], None);
        let new = table("tasks", &["title", "goal_mode", "id", "tenant"], None);
        let one = version(&old, 1, &[A, B]);
        assert_eq!(one, version(&new, 7, &[B, Value::Integer(0), A, Value::Null]));
        assert_eq!(one, version(&new, 7, &[B, Value::Integer(0), A]));
        assert_ne!(one, version(&new, 7, &[B, Value::Integer(1), A]));
        assert_ne!(one, version(&new, 7, &[B, Value::Null, A]));
        assert_ne!(one, version(&old, 1, &[B, A]));
    }

    #[test]
    fn a_key_is_part_of_a_version_and_tables_are_apart() {
        let events = table("task_events", &["id", "kind"], Some(0));
        let row = [Value::Null, B];
        assert_eq!(version(&events, 1, &row), version(&events, 1, &row));
        assert_ne!(version(&events, 1, &row), version(&events, 2, &row));
        let runs = table("task_runs", &["id", "kind"], Some(0));
        assert_ne!(version(&events, 1, &row), version(&runs, 1, &row));
        let foreign = table("notes", &["words"], None);
        assert_ne!(version(&foreign, 1, &[B]), version(&foreign, 2, &[B]));
    }

    #[test]
    fn what_a_short_row_of_an_unknown_table_says_is_its_own_version() {
        let notes = table("notes", &["words", "default_size"], None);
        assert_ne!(version(&notes, 1, &[B]), version(&notes, 1, &[B, Value::Null]));
        assert_ne!(version(&notes, 1, &[B]), version(&notes, 1, &[B, Value::Integer(5)]));
    }

    #[test]
    fn defaults_are_read_from_declarations() {
        assert_eq!(default_of("INTEGER NOT NULL DEFAULT 0"), Value::Integer(0));
        assert_eq!(default_of("TEXT NOT NULL DEFAULT 'scratch'"), Value::Text(b"scratch"));
        assert_eq!(default_of("TEXT NOT NULL DEFAULT ''"), Value::Text(b""));
        assert_eq!(default_of("INTEGER"), Value::Null);
    }
}
