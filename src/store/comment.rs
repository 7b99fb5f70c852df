//! Rows of `task_comments`.

use rusqlite::Connection;
use serde::Serialize;

use super::field::Field;
use super::text;
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

/// Add a comment and its event, as Hermes' `comment` does: the row is stripped, the event counts what was given.
pub fn add(conn: &Connection, task: &str, author: &str, body: &str, now: i64) -> Outcome<i64> {
    conn.prepare_cached(
        "INSERT INTO task_comments (task_id, author, body, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(rusqlite::params![task, text::strip(author), text::strip(body), now])?;
    let id = conn.last_insert_rowid();
    let payload = serde_json::json!({ "author": author, "len": body.chars().count() });
    super::event::append(conn, task, "commented", Some(&payload), None, now)?;
    Ok(id)
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
