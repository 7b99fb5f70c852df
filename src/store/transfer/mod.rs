//! Rows as JSON lines and back, without any loss: what `export` writes and `import` reads.
//!
//! A file begins with a head that names tables and columns, has one line for each row, and ends with the counts, so that a
//! file that was cut short is told from a whole one. Text stays as it stands in the row: JSON inside it is not read.

mod import;

use std::collections::BTreeMap;

use rusqlite::types::{ToSql, ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::schema::{CheckedColumn, SchemaReport, check};
use crate::failure::{Failure, Outcome};
use crate::hermes::TABLES;

pub use import::{Imported, Incoming, import};

/// Raised when an older program could not read the lines.
const FORMAT: u32 = 1;

/// A value that may be text that is not UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportedValue {
    /// NULL, a number, text or bytes.
    Plain(Sql),
    /// Text that is not UTF-8.
    RawText(Vec<u8>),
}

impl ExportedValue {
    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Plain(Sql::Text(text.to_owned())),
                Err(_) => Self::RawText(bytes.to_vec()),
            },
            ValueRef::Null => Self::Plain(Sql::Null),
            ValueRef::Integer(number) => Self::Plain(Sql::Integer(number)),
            ValueRef::Real(number) => Self::Plain(Sql::Real(number)),
            ValueRef::Blob(bytes) => Self::Plain(Sql::Blob(bytes.to_vec())),
        }
    }

    fn integer(&self) -> Option<i64> {
        if let Self::Plain(Sql::Integer(number)) = self { Some(*number) } else { None }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Plain(Sql::Text(text)) = self { Some(text) } else { None }
    }

    fn is_null(&self) -> bool {
        *self == Self::Plain(Sql::Null)
    }

    /// A number with a point is never an integer; what JSON has no word for becomes an object.
    fn json(&self) -> Value {
        match self {
            Self::Plain(Sql::Null) => Value::Null,
            Self::Plain(Sql::Integer(number)) => json!(number),
            Self::Plain(Sql::Real(number)) => json!({ "real": format!("{number:?}") }),
            Self::Plain(Sql::Text(text)) => json!(text),
            Self::Plain(Sql::Blob(bytes)) => json!({ "bytes_hex": hex(bytes) }),
            Self::RawText(bytes) => json!({ "text_hex": hex(bytes) }),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Plain(Sql::Null),
            Value::String(text) => Self::Plain(Sql::Text(text.clone())),
            Value::Number(number) => Self::Plain(Sql::Integer(number.as_i64()?)),
            Value::Object(keys) if keys.len() == 1 => {
                let (key, value) = keys.iter().next()?;
                let text = value.as_str()?;
                match key.as_str() {
                    "real" => Self::Plain(Sql::Real(text.parse().ok()?)),
                    "bytes_hex" => Self::Plain(Sql::Blob(unhex(text)?)),
                    "text_hex" => Self::RawText(unhex(text)?),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}

impl ToSql for ExportedValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Plain(value) => ToSqlOutput::Borrowed(value.into()),
            Self::RawText(bytes) => ToSqlOutput::Borrowed(ValueRef::Text(bytes)),
        })
    }
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of hex digits; nothing where it is something else.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks(2).map(|pair| Some((value(*pair.first()?)? << 4) | value(*pair.get(1)?)?)).collect()
}

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportHead {
    format: u32,
    /// The version of Hermes whose columns the board has.
    hermes: String,
    /// Columns by table, in their order.
    tables: BTreeMap<String, Vec<ExportColumn>>,
    /// The highest number that each table has given out.
    sequences: BTreeMap<String, i64>,
}

/// A column as the board declares it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ExportColumn {
    name: String,
    declared: String,
    not_null: bool,
    default: Option<String>,
}

impl ExportColumn {
    fn of(column: &CheckedColumn) -> Self {
        Self {
            name: column.name.clone(),
            declared: column.declared.clone(),
            not_null: column.not_null,
            default: column.default.clone(),
        }
    }
}

/// One line of an export: its kind and its data.
pub type ExportLine = (&'static str, Value);

/// Write the board, or some tasks with everything that hangs on them, line by line. Returns the names of tables that are
/// not Hermes' and stay behind.
///
/// # Errors
/// What SQLite says, and what `line` says.
pub fn export(
    conn: &Connection,
    tasks: Option<&[String]>,
    line: &mut dyn FnMut(ExportLine) -> Outcome<()>,
) -> Outcome<Vec<String>> {
    let schema = check(conn)?;
    line(("export", json!(head(conn, &schema)?)))?;
    let mut counts = Map::new();
    for facts in TABLES {
        let Some(table) = schema.tables.get(facts.name) else { continue };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let mut count = 0_u64;
        let mut write = |condition: &str, values: &[&String]| -> Outcome<()> {
            let list: Vec<String> = names.iter().map(|name| quoted_name(name)).collect();
            let sql = format!("SELECT {} FROM {} {condition} ORDER BY rowid", list.join(", "), facts.name);
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                let mut keys = Map::with_capacity(names.len());
                for (at, name) in names.iter().enumerate() {
                    keys.insert((*name).to_owned(), ExportedValue::of(row.get_ref(at)?).json());
                }
                count += 1;
                line(("export.row", json!({ "table": facts.name, "values": keys })))?;
            }
            Ok(())
        };
        match (tasks, facts.name) {
            (None, _) => write("", &[])?,
            (Some(ids), "tasks") => ids.iter().try_for_each(|id| write("WHERE id = ?1", &[id]))?,
            (Some(ids), "task_links") => {
                for child in ids {
                    for parent in ids {
                        write("WHERE child_id = ?1 AND parent_id = ?2", &[child, parent])?;
                    }
                }
            }
            (Some(ids), _) => ids.iter().try_for_each(|id| write("WHERE task_id = ?1", &[id]))?,
        }
        counts.insert(facts.name.to_owned(), json!(count));
    }
    line(("export.end", json!({ "rows": counts })))?;
    Ok(schema.extra_tables)
}

/// The line that says how the board is called: the keys of its `board.json`.
pub fn board_line(fields: &Map<String, Value>) -> ExportLine {
    ("export.board", json!(fields))
}

fn head(conn: &Connection, schema: &SchemaReport) -> Outcome<ExportHead> {
    let mut statement = conn.prepare("SELECT name, seq FROM sqlite_sequence")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let tables = schema
        .tables
        .iter()
        .map(|(name, table)| (name.clone(), table.columns.iter().map(ExportColumn::of).collect()))
        .collect();
    Ok(ExportHead {
        format: FORMAT,
        hermes: schema.version.to_string(),
        tables,
        sequences: rows.collect::<Result<_, _>>()?,
    })
}

/// A column's name as SQL text.
fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn malformed(what: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("this is no line of an export: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = ExportedValue> {
        prop_oneof![
            Just(ExportedValue::Plain(Sql::Null)),
            any::<i64>().prop_map(|number| ExportedValue::Plain(Sql::Integer(number))),
            any::<f64>()
                .prop_filter("NaN is NULL in SQLite", |number| !number.is_nan())
                .prop_map(|number| ExportedValue::Plain(Sql::Real(number))),
            any::<String>().prop_map(|text| ExportedValue::Plain(Sql::Text(text))),
            proptest::collection::vec(any::<u8>(), 0..9)
                .prop_map(|bytes| ExportedValue::Plain(Sql::Blob(bytes))),
            Just(ExportedValue::RawText(vec![0xc3, 0x28, 0])),
        ]
    }

    proptest! {
        #[test]
        fn values_survive_the_way_through_json(value in value()) {
            let text = serde_json::to_string(&value.json()).unwrap();
            let back = ExportedValue::from_json(&serde_json::from_str(&text).unwrap());
            prop_assert_eq!(back, Some(value));
        }
    }
}
