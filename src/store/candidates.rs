//! What a shell completes from a board: ids with titles, and assignees. Bounded, by index, and in order of use.
//!
//! Not here: making the text safe to show ([`crate::ui::text`]).

use rusqlite::{Connection, named_params};

use crate::failure::Outcome;

/// A task as it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCandidate {
    /// Its id.
    pub id: String,
    /// Its stored status.
    pub status: String,
    /// Its title.
    pub title: String,
}

/// Return the newest tasks whose ids begin with `prefix`.
///
/// # Errors
/// What SQLite says.
pub fn tasks(
    connection: &Connection,
    prefix: &str,
    unfinished: bool,
    most: usize,
) -> Outcome<Vec<TaskCandidate>> {
    // The range is what an index can use; LIKE would read every row.
    let status = if unfinished { "AND status IN ('running', 'ready', 'blocked')" } else { "" };
    let order = if prefix.len() > 2 { "id" } else { "rowid DESC" };
    let sql = format!(
        "SELECT id, status, title FROM tasks WHERE id >= :prefix AND id < :past {status} ORDER BY {order} LIMIT :most"
    );
    // Without a beginning the newest come first, and `+id` keeps SQLite from sorting the range of the index.
    let sql = if prefix.len() > 2 {
        sql
    } else {
        sql.replace("WHERE id >= :prefix AND id", "WHERE +id >= :prefix AND +id")
    };
    let mut statement = connection.prepare(&sql)?;
    let past = format!("{prefix}\u{10ffff}");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(named_params! { ":prefix": prefix, ":past": past, ":most": most }, |row| {
            Ok(TaskCandidate { id: row.get(0)?, status: row.get(1)?, title: row.get(2)? })
        })?;
    // A row that is no text is passed over.
    Ok(rows.filter_map(Result::ok).collect())
}

/// Return the names that tasks are assigned to.
///
/// # Errors
/// What SQLite says.
pub fn assignees(connection: &Connection, most: usize) -> Outcome<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT DISTINCT assignee FROM tasks WHERE assignee IS NOT NULL ORDER BY assignee LIMIT ?1",
    )?;
    let rows = statement.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| row.get(0))?;
    Ok(rows.filter_map(Result::ok).collect())
}
