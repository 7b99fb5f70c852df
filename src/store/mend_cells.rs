//! The way out of values that Hermes cannot read: U+FFFD for bytes that are not UTF-8, TEXT for BLOBs that are, numbers for
//! numbers and times that are written as text.
//!
//! Finds the cells first and changes them one by one, so that memory holds a place per cell and one value. Not here: what
//! such values mean to Hermes ([`super::encoding`], [`super::odd_values`]).

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params};

use super::audit::quoted;
use super::field::Field;
use super::odd_values::expected;
use super::schema::SchemaReport;
use crate::failure::Outcome;
use crate::process::clock;

/// What is done to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellMend {
    /// Bytes that are not UTF-8 become U+FFFD.
    Replacement,
    /// A BLOB of UTF-8 becomes TEXT.
    BlobToText,
    /// A number or time that is written as text becomes an integer.
    TextToInteger,
    /// Nothing: what it should be cannot be told.
    None,
}

/// One cell that Hermes cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MendCell {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The row's number.
    pub rowid: i64,
    /// The value of the row's first column, as it is shown.
    pub row: String,
    /// What is done.
    pub mend: CellMend,
}

/// Find the cells of Hermes' tables that it cannot read.
///
/// # Errors
/// What SQLite says.
pub fn find(connection: &Connection, schema: &SchemaReport) -> Outcome<Vec<MendCell>> {
    let mut found = Vec::new();
    for (table, there) in &schema.tables {
        let columns: Vec<(&str, &'static str)> = there
            .columns
            .iter()
            .filter_map(|column| Some((column.name.as_str(), expected(column)?)))
            .collect();
        let Some(first) = there.columns.iter().find(|column| !column.generated) else { continue };
        let names: Vec<String> = columns.iter().map(|(column, _)| quoted(column)).collect();
        let sql = format!(
            "SELECT rowid, {}, {} FROM {} NOT INDEXED",
            quoted(&first.name),
            names.join(", "),
            quoted(table)
        );
        // A table without row numbers is none of Hermes' making.
        let Ok(mut statement) = connection.prepare(&sql) else { continue };
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (place, (column, expected)) in columns.iter().enumerate() {
                let Some(mend) = mend(row.get_ref(place + 2)?, expected, column) else { continue };
                found.push(MendCell {
                    table: table.clone(),
                    column: (*column).to_owned(),
                    rowid: row.get(0)?,
                    row: row.get::<_, Field>(1)?.show(),
                    mend,
                });
            }
        }
    }
    Ok(found)
}

/// Change the cells. The caller holds the transaction.
///
/// # Errors
/// What SQLite says: two ids can become one.
pub fn apply(connection: &Connection, cells: &[MendCell]) -> Outcome<()> {
    for cell in cells.iter().filter(|cell| cell.mend != CellMend::None) {
        let (table, column) = (quoted(&cell.table), quoted(&cell.column));
        let read = format!("SELECT {column} FROM {table} NOT INDEXED WHERE rowid = ?1");
        let mended = connection
            .prepare_cached(&read)?
            .query_row([cell.rowid], |row| Ok(mended(row.get_ref(0)?, cell.mend, &cell.column)))?;
        if let Some(value) = mended {
            connection
                .prepare_cached(&format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2"))?
                .execute(params![value, cell.rowid])?;
        }
    }
    Ok(())
}

/// What is to be done to `value` where Hermes expects `expected`; nothing where it is right.
fn mend(value: ValueRef<'_>, expected: &str, column: &str) -> Option<CellMend> {
    let is_text = |bytes: &[u8]| simdutf8::basic::from_utf8(bytes).is_ok();
    match (expected, value) {
        ("text", ValueRef::Text(bytes)) if !is_text(bytes) => Some(CellMend::Replacement),
        ("text", ValueRef::Blob(bytes)) => {
            Some(if is_text(bytes) { CellMend::BlobToText } else { CellMend::Replacement })
        }
        ("integer", ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => {
            Some(number(bytes, column).map_or(CellMend::None, |_| CellMend::TextToInteger))
        }
        _ => None,
    }
}

fn mended(value: ValueRef<'_>, mend: CellMend, column: &str) -> Option<Value> {
    let bytes = value.as_bytes().ok()?;
    match mend {
        CellMend::Replacement | CellMend::BlobToText => {
            Some(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
        }
        CellMend::TextToInteger => number(bytes, column).map(Value::Integer),
        CellMend::None => None,
    }
}

/// The integer that a text stands for: a number, or in a column of times a moment.
fn number(bytes: &[u8], column: &str) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let is_time = column.ends_with("_at") || column.ends_with("_expires");
    text.parse().ok().or_else(|| if is_time { clock::epoch_of(text) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_value_becomes_follows_from_its_column() {
        let text = |bytes| mend(ValueRef::Text(bytes), "text", "title");
        assert_eq!(text(b"a"), None);
        assert_eq!(text(b"a\xff"), Some(CellMend::Replacement));
        assert_eq!(mend(ValueRef::Blob(b"a"), "text", "title"), Some(CellMend::BlobToText));
        assert_eq!(mend(ValueRef::Blob(b"\xff"), "text", "title"), Some(CellMend::Replacement));
        let time = |text: &str| number(text.as_bytes(), "created_at");
        assert_eq!(time("1780000000"), Some(1_780_000_000));
        assert_eq!(time("2026-05-28T20:26:40Z"), Some(1_780_000_000));
        assert_eq!(time("2026-05-28T22:26:40+02:00"), Some(1_780_000_000));
        assert_eq!(time("2026-05-28 20:26:40"), Some(1_780_000_000));
        assert_eq!(time("%s"), None);
        assert_eq!(number(b"2026-05-28T20:26:40Z", "priority"), None);
        let lossy = mended(ValueRef::Text(b"a\xffb"), CellMend::Replacement, "title");
        assert_eq!(lossy, Some(Value::Text("a\u{fffd}b".to_owned())));
    }
}
