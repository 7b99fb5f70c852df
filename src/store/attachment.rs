//! Rows of `task_attachments`.

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::field::Field;
use crate::failure::Outcome;

/// One attachment as Hermes' `attachments --json` gives it.
#[derive(Clone, Debug, Serialize)]
pub struct Attachment {
    /// Row id.
    pub id: Field,
    /// The task that it belongs to.
    pub task_id: Field,
    /// The name under which it is shown.
    pub filename: Field,
    /// Its type, as far as the name tells.
    pub content_type: Field,
    /// Bytes.
    pub size: Field,
    /// Who added it.
    pub uploaded_by: Field,
    /// Where the file lies.
    pub stored_path: Field,
    /// Unix seconds.
    pub created_at: Field,
    /// The same in RFC 3339, where it is a number.
    pub created_at_utc: Option<String>,
}

const COLUMNS: &str = "id, task_id, filename, content_type, size, uploaded_by, stored_path, created_at";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Attachment> {
    let created_at: Field = row.get(7)?;
    Ok(Attachment {
        id: row.get(0)?,
        task_id: row.get(1)?,
        filename: row.get(2)?,
        content_type: row.get(3)?,
        size: row.get(4)?,
        uploaded_by: row.get(5)?,
        stored_path: row.get(6)?,
        created_at_utc: created_at.integer().and_then(crate::process::clock::rfc3339),
        created_at,
    })
}

/// True if the board has the table; boards of early versions do not.
fn exists(conn: &Connection) -> Outcome<bool> {
    Ok(conn.table_exists(None, "task_attachments")?)
}

/// A task's attachments in Hermes' order: by time, then by id.
pub fn of_task(conn: &Connection, task: &str) -> Outcome<Vec<Attachment>> {
    if !exists(conn)? {
        return Ok(Vec::new());
    }
    let sql =
        format!("SELECT {COLUMNS} FROM task_attachments WHERE task_id = ?1 ORDER BY created_at ASC, id ASC");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([task], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every attachment of the board, by id.
pub fn all(conn: &Connection) -> Outcome<Vec<Attachment>> {
    if !exists(conn)? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare(&format!("SELECT {COLUMNS} FROM task_attachments ORDER BY id"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One attachment by its number.
pub fn get(conn: &Connection, id: i64) -> Outcome<Option<Attachment>> {
    if !exists(conn)? {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM task_attachments WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([id], read).optional()?)
}
