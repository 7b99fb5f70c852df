//! Rows of `task_events`: Hermes' only signal to everybody else that something happened.

use rusqlite::{Connection, ErrorCode, params};
use serde::Serialize;
use serde_json::Value;

use super::field::Field;
use super::json;
use crate::failure::{Failure, Outcome};

/// One event as Hermes' `show --json` gives it.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Row id; also the cursor of every subscription.
    pub id: Field,
    /// What happened.
    pub kind: Field,
    /// A JSON object, or null.
    pub payload: Value,
    /// Unix seconds.
    pub created_at: Field,
    /// The same in RFC 3339, where it is a number.
    pub created_at_utc: Option<String>,
    /// The run it belongs to.
    pub run_id: Field,
}

/// Adds an event. An absent or empty payload is NULL, never `{}`.
pub fn append(
    conn: &Connection,
    task: &str,
    kind: &str,
    payload: Option<&Value>,
    run: Option<i64>,
    now: i64,
) -> Outcome<()> {
    let text = payload.filter(|value| value.as_object().is_none_or(|keys| !keys.is_empty())).map(json::dumps);
    conn.prepare_cached(
        "INSERT INTO task_events (task_id, run_id, kind, payload, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![task, run, kind, text, now])
    .map_err(|error| at_the_end(conn, error))?;
    Ok(())
}

/// SQLite says "full" for a disk and for a table whose numbers have come to their end; only the disk gets better by freeing
/// space.
fn at_the_end(conn: &Connection, error: rusqlite::Error) -> Failure {
    let last = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'task_events'";
    let exhausted = error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        && conn.query_row(last, [], |row| row.get::<_, i64>(0)).is_ok_and(|last| last == i64::MAX);
    if !exhausted {
        return error.into();
    }
    Failure::damaged(
        "the numbers of task_events have come to their end (sqlite_sequence); no event can be added.",
    )
    .hint(
        "No Hermes counts so far: the sequence is damaged. `kanbanctl recover --output NEW.db` counts anew.",
    )
}

/// Return the payload of a task's newest event of one kind, of one run where it is given; empty where there is none.
pub fn newest_payload(
    conn: &Connection,
    task: &str,
    kind: &str,
    run: Option<i64>,
) -> Outcome<serde_json::Map<String, Value>> {
    let payload = conn
        .prepare_cached(
            "SELECT payload FROM task_events WHERE task_id = ?1 AND kind = ?2 AND (?3 IS NULL OR run_id = ?3) \
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![task, kind, run], |row| row.get::<_, Field>(0));
    object(payload)
}

/// Return an event's payload as an object; empty where it is none.
pub(super) fn object(payload: rusqlite::Result<Field>) -> Outcome<serde_json::Map<String, Value>> {
    match payload {
        Ok(payload) => Ok(match payload.json() {
            Value::Object(keys) => keys,
            _ => serde_json::Map::new(),
        }),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(serde_json::Map::new()),
        Err(error) => Err(error.into()),
    }
}

/// A task's events in Hermes' order: by time, then by id.
pub fn of_task(conn: &Connection, task: &str) -> Outcome<Vec<Event>> {
    let mut statement = conn.prepare(
        "SELECT id, kind, payload, created_at, run_id FROM task_events WHERE task_id = ?1 ORDER BY created_at, id",
    )?;
    let rows = statement.query_map([task], |row| {
        let created_at: Field = row.get(3)?;
        Ok(Event {
            id: row.get(0)?,
            kind: row.get(1)?,
            payload: row.get::<_, Field>(2)?.json(),
            created_at_utc: created_at.integer().and_then(crate::process::clock::rfc3339),
            created_at,
            run_id: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
