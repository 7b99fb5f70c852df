//! Rows of `task_comments`.

use rusqlite::Connection;
use serde::Serialize;

use super::field::Field;
use crate::failure::Outcome;

/// One comment as Hermes' `show --json` gives it.
#[derive(Clone, Debug, Serialize)]
pub struct Comment {
    /// Who wrote it.
    pub author: Field,
    /// What it says.
    pub body: Field,
    /// Unix seconds.
    pub created_at: Field,
    /// The same in RFC 3339, where it is a number.
    pub created_at_utc: Option<String>,
}

/// A task's comments, oldest first.
pub fn of_task(conn: &Connection, task: &str) -> Outcome<Vec<Comment>> {
    let mut statement = conn.prepare(
        "SELECT author, body, created_at FROM task_comments WHERE task_id = ?1 ORDER BY created_at, id",
    )?;
    let rows = statement.query_map([task], |row| {
        let created_at: Field = row.get(2)?;
        Ok(Comment {
            author: row.get(0)?,
            body: row.get(1)?,
            created_at_utc: created_at.integer().and_then(crate::process::clock::rfc3339),
            created_at,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
