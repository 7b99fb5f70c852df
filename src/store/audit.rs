//! Questions about whether a board's rows agree with each other.
//!
//! Responsible for the SQL behind health's row checks; what an answer means is decided in [`crate::health`]. Every
//! question is asked of the connection that is given and writes nothing.

use rusqlite::{Connection, params};

use super::field::Field;
use super::schema;
use crate::failure::Outcome;

/// The most rows of an integrity check that are kept; the pragma's own default of 100 can hide a worse row behind a
/// flood of index rows (tests/incidents.md F04).
const MOST_ROWS: usize = 1_000_000;

/// How deep SQLite looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// `quick_check`: pages and cells, without comparing every index entry.
    Quick,
    /// `integrity_check`.
    Full,
}

/// What SQLite's own check says; empty when it says `ok`. The board's own conditions (CHECK) are not evaluated, and tables
/// that cannot be checked without running what they bring along are left out or checked less deeply (see
/// [`schema::carriers`]).
///
/// # Errors
/// What SQLite says; damage that stops even the check comes back as such.
pub fn integrity(connection: &Connection, depth: Integrity) -> Outcome<Vec<String>> {
    connection.execute_batch("PRAGMA ignore_check_constraints=ON")?;
    let mut carriers = schema::carriers(connection)?;
    if depth == Integrity::Quick {
        carriers.indexed.clear();
    }
    let most = MOST_ROWS.to_string();
    if carriers == schema::Carriers::default() {
        return ask(connection, depth, &most);
    }
    let mut said = Vec::new();
    if carriers.generated.is_empty() && carriers.modules.is_empty() {
        said = ask(connection, Integrity::Quick, &most)?;
    }
    for table in ordinary_tables(connection)? {
        if carriers.generated.contains(&table) {
            continue;
        }
        let depth = if carriers.indexed.contains(&table) { Integrity::Quick } else { depth };
        let more = ask(connection, depth, &quoted(&table))?;
        said.extend(more.into_iter().filter(|line| !said.contains(line)).collect::<Vec<_>>());
    }
    Ok(said)
}

/// One pragma, over everything (a number of rows) or over one table (its name in quotes).
fn ask(connection: &Connection, depth: Integrity, over: &str) -> Outcome<Vec<String>> {
    let pragma = match depth {
        Integrity::Quick => "quick_check",
        Integrity::Full => "integrity_check",
    };
    let mut statement = connection.prepare(&format!("PRAGMA {pragma}({over})"))?;
    let mut rows = statement.query([])?;
    let mut said = Vec::new();
    while let Some(row) = rows.next()? {
        let text = String::from_utf8_lossy(row.get_ref(0)?.as_bytes().unwrap_or(b"?")).into_owned();
        // One row may carry several messages, one a line.
        said.extend(
            text.lines()
                .filter(|line| !line.is_empty() && *line != "ok" && !line.starts_with("*** in database "))
                .map(str::to_owned),
        );
    }
    Ok(said)
}

/// What SQLite's check says of an index that its table does not agree with, up to the index's name.
const INDEX_CLASS: [&str; 5] = [
    "wrong # of entries in index ",
    " missing from index ",
    " values differ from index ",
    "non-unique entry in index ",
    " of index ",
];

/// The index that a finding of SQLite's check is about, whose table is whole (tests/incidents.md F04); nothing when it is about
/// anything else.
pub fn index_at_fault(finding: &str) -> Option<&str> {
    let is_row = finding.starts_with("row ") || finding.starts_with("rowid not at end-of-record for row ");
    INDEX_CLASS.iter().find_map(|words| {
        let (before, name) = finding.split_once(words)?;
        (before.is_empty() || (is_row && words.starts_with(' '))).then_some(name)
    })
}

/// The journal mode that the connection sees.
///
/// # Errors
/// What SQLite says.
pub fn journal_mode(connection: &Connection) -> Outcome<String> {
    Ok(connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?)
}

/// Sets the journal mode; the word with which SQLite answers. It answers before it commits the change of the header, so the
/// statement is run to its end: an error of that commit is an error.
///
/// # Errors
/// What SQLite says.
pub fn set_journal_mode(connection: &Connection, mode: &str) -> Outcome<String> {
    Ok(connection.query_one(&format!("PRAGMA journal_mode={mode}"), [], |row| row.get(0))?)
}

/// How many rows each table of the board has, by name; SQLite's own and virtual tables are left out.
///
/// # Errors
/// What SQLite says.
pub fn counts(connection: &Connection) -> Outcome<Vec<(String, i64)>> {
    let count = |name: String| {
        let sql = format!("SELECT count(*) FROM {}", quoted(&name));
        let count = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((name, count))
    };
    ordinary_tables(connection)?.into_iter().map(count).collect()
}

/// Count the tasks by stored status; nothing where there is no such column.
///
/// # Errors
/// What SQLite says.
pub fn tasks_by_status(connection: &Connection) -> Outcome<Vec<(String, i64)>> {
    if !connection.column_exists(None, "tasks", "status")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT CAST(status AS TEXT), count(*) FROM tasks WHERE status IS NOT NULL GROUP BY status ORDER BY status",
    )?;
    let rows = statement.query_map([], |row| Ok((super::schema::lossy(row, 0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many of the newest rows a first look reads.
const NEWEST: i64 = 100;

/// Read the newest rows of the tables that grow, so that damage on the way to them shows.
///
/// # Errors
/// What SQLite says, damage among it.
pub fn newest(connection: &Connection) -> Outcome<()> {
    for name in ["tasks", "task_events", "task_runs", "task_comments"] {
        if connection.table_exists(None, name)? {
            let sql = format!("SELECT * FROM {} ORDER BY rowid DESC LIMIT {NEWEST}", quoted(name));
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
        }
    }
    Ok(())
}

/// The tables whose rows lie in the file.
fn ordinary_tables(connection: &Connection) -> Outcome<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_master WHERE type='table' AND rootpage > 0
         AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// An identifier in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One kind of row that points nowhere.
#[derive(Clone, Debug)]
pub struct Dangling {
    /// What points, as `table.column`.
    pub from: &'static str,
    /// How many rows do.
    pub rows: u64,
    /// The first of them: what each is called, and where it points.
    pub first: Vec<(String, String)>,
}

/// The references of Hermes' tables: what points, its table, what a row of it is called, and the table that it points into.
/// Hermes' own deletion of a task takes all of these along.
const REFERENCES: [(&str, &str, &str, &str); 7] = [
    ("task_links.parent_id", "task_links", "child_id", "tasks"),
    ("task_links.child_id", "task_links", "parent_id", "tasks"),
    ("task_comments.task_id", "task_comments", "id", "tasks"),
    ("task_runs.task_id", "task_runs", "id", "tasks"),
    ("task_events.task_id", "task_events", "id", "tasks"),
    ("tasks.current_run_id", "tasks", "id", "task_runs"),
    ("kanban_notify_subs.task_id", "kanban_notify_subs", "platform", "tasks"),
];

/// The references that lead nowhere, by kind, at most `named` rows of each by name; kinds whose table is missing are left
/// out.
///
/// # Errors
/// What SQLite says.
pub fn dangling(connection: &Connection, named: usize) -> Outcome<Vec<Dangling>> {
    let mut found = Vec::new();
    for (from, table, name, into) in REFERENCES {
        if !connection.table_exists(None, table)? || !connection.table_exists(None, into)? {
            continue;
        }
        let column = from.rsplit_once('.').map_or(from, |(_, column)| column);
        // An older Hermes has fewer columns.
        if !connection.column_exists(None, table, column)? {
            continue;
        }
        let sql = format!(
            "SELECT {name}, {column} FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {into})"
        );
        let mut dangling = Dangling { from, rows: 0, first: Vec::new() };
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            dangling.rows += 1;
            if dangling.first.len() < named {
                dangling.first.push((row.get::<_, Field>(0)?.show(), row.get::<_, Field>(1)?.show()));
            }
        }
        if dangling.rows > 0 {
            found.push(dangling);
        }
    }
    Ok(found)
}

/// A running task that nobody can be working on.
#[derive(Clone, Debug)]
pub struct StaleRunning {
    /// The task.
    pub id: String,
    /// When its claim ran out, Unix seconds; nothing when it has none and Hermes would never reclaim it.
    pub expired: Option<i64>,
}

/// Running tasks whose claim has run out before `now`, or that have no claim at all (docs/board-format.md, 8.10).
///
/// # Errors
/// What SQLite says.
pub fn stale_running(connection: &Connection, now: i64) -> Outcome<Vec<StaleRunning>> {
    let mut statement = connection.prepare(
        "SELECT id, claim_expires FROM tasks WHERE status='running'
         AND (claim_lock IS NULL OR claim_expires IS NULL OR claim_expires < ?1) ORDER BY id",
    )?;
    let rows = statement.query_map(params![now], |row| {
        Ok(StaleRunning {
            id: String::from_utf8_lossy(row.get_ref(0)?.as_bytes().unwrap_or_default()).into_owned(),
            expired: row.get(1).unwrap_or(None),
        })
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

/// A task that says it is being worked on.
#[derive(Clone, Debug)]
pub struct Running {
    /// The task.
    pub id: String,
    /// The worker's process, on the machine that claimed it.
    pub worker: Option<u32>,
    /// The machine in the claim (`host:pid`).
    pub host: Option<String>,
    /// When the claim runs out, Unix seconds.
    pub expires: Option<i64>,
}

/// Every task that says it is being worked on, by id (docs/board-format.md, 8.10).
///
/// # Errors
/// What SQLite says.
pub fn running(connection: &Connection) -> Outcome<Vec<Running>> {
    let mut statement = connection.prepare(
        "SELECT id, worker_pid, claim_lock, claim_expires FROM tasks WHERE status='running' ORDER BY id",
    )?;
    let text = |value: rusqlite::types::ValueRef<'_>| {
        String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
    };
    let rows = statement.query_map([], |row| {
        let claim = text(row.get_ref(2)?);
        Ok(Running {
            id: text(row.get_ref(0)?),
            worker: row.get(1).unwrap_or(None),
            host: claim.rsplit_once(':').map(|(host, _)| host.to_owned()),
            expires: row.get(3).unwrap_or(None),
        })
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

/// Hermes' tables whose next number would be beyond what SQLite can count to.
///
/// # Errors
/// What SQLite says.
pub fn exhausted_sequences(connection: &Connection) -> Outcome<Vec<String>> {
    if !connection.table_exists(None, "sqlite_sequence")? {
        return Ok(Vec::new());
    }
    let mut statement =
        connection.prepare("SELECT DISTINCT name FROM sqlite_sequence WHERE seq = ?1 ORDER BY name")?;
    let names = statement.query_map(params![i64::MAX], |row| row.get::<_, Field>(0))?;
    Ok(names.map(|name| name.map(|name| name.show())).collect::<Result<_, _>>()?)
}

/// Hermes' tables whose rows have higher numbers than `sqlite_sequence` says were given out: numbers of rows that were
/// deleted may be given out again.
///
/// # Errors
/// What SQLite says.
pub fn lagging_sequences(connection: &Connection) -> Outcome<Vec<String>> {
    if !connection.table_exists(None, "sqlite_sequence")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type='table' AND upper(sql) LIKE '%AUTOINCREMENT%' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| Ok(row.get::<_, Field>(0)?.show()))?;
    let mut lagging = Vec::new();
    for name in names {
        let name = name?;
        let lags = format!(
            "SELECT ifnull((SELECT max(rowid) FROM {}), 0) > ifnull((SELECT max(seq) FROM sqlite_sequence WHERE name = ?1), 0)",
            quoted(&name)
        );
        let is_known = crate::hermes::table(&name).is_some();
        if is_known && connection.query_row(&lags, [&name], |row| row.get(0))? {
            lagging.push(name);
        }
    }
    Ok(lagging)
}

/// The tasks of subscriptions whose cursor is ahead of every event that was ever written: they stay silent
/// (docs/board-format.md, 8.1).
///
/// # Errors
/// What SQLite says.
pub fn cursors_ahead(connection: &Connection) -> Outcome<Vec<String>> {
    if !connection.table_exists(None, "sqlite_sequence")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT task_id FROM kanban_notify_subs WHERE typeof(last_event_id) = 'integer' AND last_event_id >
         max(ifnull((SELECT seq FROM sqlite_sequence WHERE name='task_events'), 0),
             ifnull((SELECT max(id) FROM task_events), 0))",
    )?;
    let tasks = statement.query_map([], |row| row.get::<_, Field>(0))?;
    Ok(tasks.map(|task| task.map(|task| task.show())).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_that_could_not_be_committed_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = Connection::open(folder.path().join("x.db")).unwrap();
        connection.execute_batch("CREATE TABLE t(a)").unwrap();
        connection.commit_hook(Some(|| true)).unwrap();
        assert!(set_journal_mode(&connection, "wal").is_err());
        connection.commit_hook(None::<fn() -> bool>).unwrap();
        assert_eq!(set_journal_mode(&connection, "wal").unwrap(), "wal");
    }
}
