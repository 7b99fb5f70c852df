//! How much of the truth came back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::TABLES;

/// How a recovered board compares with the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    /// Rows of the truth.
    pub(crate) truth: usize,
    /// Rows equal in every column.
    pub(crate) right: usize,
    /// Rows that are older versions of rows of the truth, or were deleted since.
    pub(crate) older: usize,
    /// Rows that never were.
    pub(crate) wrong: usize,
}

impl Score {
    /// The share of the truth that came back, in percent.
    pub(crate) fn percent(self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "row counts of test boards are small")]
        let share = self.right as f64 / self.truth.max(1) as f64;
        share * 100.0
    }
}

/// Compares whole rows, table by table, in the columns of the truth. A table of another program whose name is lost counts
/// where its rows stand under a name that the truth does not have.
pub(crate) fn score(truth: &Path, candidate: &Path) -> Score {
    score_since(truth, &[], candidate)
}

/// The same; `earlier` are sound boards of earlier moments.
pub(crate) fn score_since(truth: &Path, earlier: &[PathBuf], candidate: &Path) -> Score {
    let (truth, candidate) = (open(truth), open(candidate));
    let earlier: Vec<_> = earlier.iter().map(|path| open(path)).collect();
    let mut score = Score::default();
    for table in tables(&truth) {
        let columns = columns(&truth, &table);
        let wanted = read(&truth, &table, &columns);
        let found = match self::columns(&candidate, &table) {
            found if found.is_empty() && !TABLES.contains(&table.as_str()) => nameless(&truth, &candidate),
            found => {
                let known = |name: &String| if found.contains(name) { name.clone() } else { "NULL".into() };
                let columns: Vec<_> = columns.iter().map(known).collect();
                read(&candidate, &table, &columns)
            }
        };
        let right = wanted.iter().map(|(row, count)| *found.get(row).unwrap_or(&0).min(count)).sum::<usize>();
        score.truth += wanted.values().sum::<usize>();
        score.right += right;
        if !self::columns(&candidate, &table).is_empty() {
            let old: Vec<_> = earlier.iter().map(|earlier| read(earlier, &table, &columns)).collect();
            for (row, &count) in &found {
                let extra = count.saturating_sub(*wanted.get(row).unwrap_or(&0));
                if old.iter().any(|old| old.contains_key(row)) {
                    score.older += extra;
                } else {
                    score.wrong += extra;
                }
            }
        }
    }
    score
}

/// Which of the rows of the truth, given as (table, rowid), did not come back: for the message of a failed test.
pub(crate) fn unreached(truth: &Path, candidate: &Path, rows: &[(String, i64)]) -> Vec<(String, i64)> {
    let (truth, candidate) = (open(truth), open(candidate));
    let mut unreached = Vec::new();
    for table in tables(&truth) {
        let columns = columns(&truth, &table);
        let found = self::columns(&candidate, &table);
        let known = |name: &String| if found.contains(name) { name.clone() } else { "NULL".into() };
        let found = read(&candidate, &table, &columns.iter().map(known).collect::<Vec<_>>());
        let sql = format!("SELECT {} FROM \"{table}\" WHERE rowid = ?", columns.join(", "));
        let Ok(mut statement) = truth.prepare(&sql) else { continue };
        for (_, rowid) in rows.iter().filter(|(name, _)| *name == table) {
            let row = statement.query_row([rowid], |row| Ok(text(row, columns.len()))).unwrap();
            if !found.contains_key(&row) {
                unreached.push((table.clone(), *rowid));
            }
        }
    }
    unreached
}

/// The rows of the candidate's tables that the truth does not have, with NULL as their rowid: an `INTEGER PRIMARY KEY`
/// has no value of its own in a record.
fn nameless(truth: &Connection, candidate: &Connection) -> BTreeMap<String, usize> {
    let known = tables(truth);
    let mut all = BTreeMap::new();
    for table in tables(candidate).into_iter().filter(|table| !known.contains(table)) {
        let mut columns = columns(candidate, &table);
        for (row, count) in read(candidate, &table, &columns) {
            *all.entry(row).or_default() += count;
        }
        if let Some(first) = columns.first_mut() {
            *first = format!("coalesce({first}, rowid)");
        }
        for (row, count) in read(candidate, &table, &columns) {
            all.entry(row).or_insert(count);
        }
    }
    all
}

fn open(board: &Path) -> Connection {
    Connection::open_with_flags(board, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The tables of a board; one whose name is no text is nobody's.
pub(crate) fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let Ok(mut statement) = connection.prepare(sql) else { return Vec::new() };
    statement.query_map([], |row| row.get(0)).unwrap().filter_map(Result::ok).collect()
}

fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let Ok(mut statement) = connection.prepare("SELECT name FROM pragma_table_info(?)") else {
        return Vec::new();
    };
    statement.query_map([table], |row| row.get(0)).unwrap().filter_map(Result::ok).collect()
}

/// The rows of `table` as text and how often each is there.
fn read(connection: &Connection, table: &str, columns: &[String]) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    let sql = format!("SELECT {} FROM \"{table}\" NOT INDEXED", columns.join(", "));
    let Ok(mut statement) = connection.prepare(&sql) else { return all };
    let mut rows = statement.query([]).unwrap();
    while let Ok(Some(row)) = rows.next() {
        *all.entry(text(row, columns.len())).or_default() += 1;
    }
    all
}

fn text(row: &rusqlite::Row<'_>, columns: usize) -> String {
    (0..columns).map(|at| value(row.get_ref(at).unwrap()) + "|").collect()
}

/// A value as text; whole numbers are the same whatever the column's type.
fn value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
    }
}
