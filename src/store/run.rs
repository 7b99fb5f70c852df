//! Rows of `task_runs`: closing the open one, inventing a closed one, reading them.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::Value;

use super::field::Field;
use super::json;
use super::schema::SchemaReport;
use crate::failure::Outcome;

/// One run as Hermes' `show --json` gives it.
#[derive(Clone, Debug, Serialize)]
pub struct TaskRun {
    /// Row id.
    pub id: Field,
    /// Who ran it.
    pub profile: Field,
    /// Step of a workflow.
    pub step_key: Field,
    /// `running`, or how it ended.
    pub status: Field,
    /// NULL while open.
    pub outcome: Field,
    /// Hand-over text.
    pub summary: Field,
    /// Why it failed.
    pub error: Field,
    /// A JSON object, or null.
    pub metadata: Value,
    /// Process id of the worker.
    pub worker_pid: Field,
    /// Unix seconds.
    pub started_at: Field,
    /// The same in RFC 3339, where it is a number.
    pub started_at_utc: Option<String>,
    /// Unix seconds.
    pub ended_at: Field,
    /// The same in RFC 3339, where it is a number.
    pub ended_at_utc: Option<String>,
}

/// How a run ends.
pub struct RunEnd<'a> {
    /// Column `status`.
    pub status: &'a str,
    /// Column `outcome`.
    pub outcome: &'a str,
    /// Column `summary`.
    pub summary: Option<&'a str>,
    /// Column `metadata`; an empty object is NULL.
    pub metadata: Option<&'a Value>,
}

impl RunEnd<'_> {
    fn metadata_text(&self) -> Option<String> {
        self.metadata.filter(|value| value.as_object().is_some_and(|keys| !keys.is_empty())).map(json::dumps)
    }
}

/// The open run of a task, where the board knows one.
pub fn current(conn: &Connection, schema: &SchemaReport, task: &str) -> Outcome<Option<i64>> {
    if !schema.has("tasks", "current_run_id") {
        return Ok(None);
    }
    let id: Option<Field> = conn
        .prepare_cached("SELECT current_run_id FROM tasks WHERE id = ?1")?
        .query_row([task], |row| row.get(0))
        .optional()?;
    Ok(id.and_then(|id| id.integer()).filter(|id| *id != 0))
}

/// Closes the task's open run and clears the pointer (board-format.md 4.1); nothing where no run is open.
pub fn end(
    conn: &Connection,
    schema: &SchemaReport,
    task: &str,
    how: &RunEnd<'_>,
    now: i64,
) -> Outcome<Option<i64>> {
    let Some(run) = current(conn, schema, task)? else { return Ok(None) };
    conn.prepare_cached(
        "UPDATE task_runs SET status = ?1, outcome = ?2, summary = ?3, error = NULL, metadata = ?4, ended_at = ?5, \
         claim_lock = NULL, claim_expires = NULL, worker_pid = NULL WHERE id = ?6 AND ended_at IS NULL",
    )?
    .execute(params![how.status, how.outcome, how.summary, how.metadata_text(), now, run])?;
    conn.prepare_cached("UPDATE tasks SET current_run_id = NULL WHERE id = ?1")?.execute([task])?;
    Ok(Some(run))
}

/// Adds a run of no duration for a task that was never claimed (board-format.md 4.1).
pub fn synthesize(
    conn: &Connection,
    schema: &SchemaReport,
    task: &str,
    how: &RunEnd<'_>,
    now: i64,
) -> Outcome<i64> {
    let step = schema.has("tasks", "current_step_key");
    let sql = format!(
        "INSERT INTO task_runs (task_id, profile, step_key, status, outcome, summary, metadata, started_at, ended_at) \
         SELECT id, assignee, {}, ?2, ?3, ?4, ?5, ?6, ?6 FROM tasks WHERE id = ?1",
        if step { "current_step_key" } else { "NULL" }
    );
    conn.prepare_cached(&sql)?.execute(params![
        task,
        how.status,
        how.outcome,
        how.summary,
        how.metadata_text(),
        now
    ])?;
    Ok(conn.last_insert_rowid())
}

/// A task's runs in Hermes' order: by start, then by id.
pub fn of_task(conn: &Connection, task: &str) -> Outcome<Vec<TaskRun>> {
    let mut statement = conn.prepare(
        "SELECT id, profile, step_key, status, outcome, summary, error, metadata, worker_pid, started_at, ended_at \
         FROM task_runs WHERE task_id = ?1 ORDER BY started_at, id",
    )?;
    let rows = statement.query_map([task], |row| {
        let started_at: Field = row.get(9)?;
        let ended_at: Field = row.get(10)?;
        Ok(TaskRun {
            id: row.get(0)?,
            profile: row.get(1)?,
            step_key: row.get(2)?,
            status: row.get(3)?,
            outcome: row.get(4)?,
            summary: row.get(5)?,
            error: row.get(6)?,
            metadata: row.get::<_, Field>(7)?.json(),
            worker_pid: row.get(8)?,
            started_at_utc: started_at.integer().and_then(crate::process::clock::rfc3339),
            started_at,
            ended_at_utc: ended_at.integer().and_then(crate::process::clock::rfc3339),
            ended_at,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest summary that is not empty.
pub fn latest_summary(conn: &Connection, task: &str) -> Outcome<Field> {
    let summary = conn
        .prepare(
            "SELECT summary FROM task_runs WHERE task_id = ?1 AND summary IS NOT NULL AND summary != '' \
             ORDER BY COALESCE(ended_at, started_at) DESC, id DESC LIMIT 1",
        )?
        .query_row([task], |row| row.get(0))
        .optional()?;
    Ok(summary.unwrap_or(Field::Null))
}

/// The outcome of the task's newest run (by number) that has one of these.
pub fn newest_outcome(conn: &Connection, task: &str, outcomes: &[&str]) -> Outcome<Option<String>> {
    let mut statement =
        conn.prepare_cached("SELECT outcome FROM task_runs WHERE task_id = ?1 ORDER BY id DESC")?;
    let mut rows = statement.query([task])?;
    while let Some(row) = rows.next()? {
        let outcome = row.get::<_, Field>(0)?.show();
        if outcomes.contains(&outcome.as_str()) {
            return Ok(Some(outcome));
        }
    }
    Ok(None)
}

/// How many of the task's newest runs crashed before one that was completed or reclaimed, and the newest error of them.
pub fn trailing_crashes(conn: &Connection, task: &str) -> Outcome<(i64, Field)> {
    let mut statement =
        conn.prepare_cached("SELECT outcome, error FROM task_runs WHERE task_id = ?1 ORDER BY id DESC")?;
    let mut rows = statement.query([task])?;
    let (mut crashes, mut error) = (0, Field::Null);
    while let Some(row) = rows.next()? {
        match row.get::<_, Field>(0)?.text() {
            Some("crashed") => {
                crashes += 1;
                if error.is_null() {
                    error = row.get(1)?;
                }
            }
            Some("completed" | "reclaimed") => break,
            _ => {}
        }
    }
    Ok((crashes, error))
}
