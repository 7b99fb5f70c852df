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
    /// Column `error`.
    pub error: Option<&'a str>,
    /// Column `metadata`; an empty object is NULL.
    pub metadata: Option<&'a Value>,
    /// The profile of a run that is synthesized, where it is not the assignee.
    pub profile: Option<Option<&'a str>>,
}

impl<'a> RunEnd<'a> {
    /// An end without error and metadata.
    pub fn new(status: &'a str, outcome: &'a str, summary: Option<&'a str>) -> Self {
        Self { status, outcome, summary, error: None, metadata: None, profile: None }
    }
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

/// Closes the task's open run and clears the pointer as Hermes does; nothing where no run is open.
pub fn end(
    conn: &Connection,
    schema: &SchemaReport,
    task: &str,
    how: &RunEnd<'_>,
    now: i64,
) -> Outcome<Option<i64>> {
    let Some(run) = current(conn, schema, task)? else { return Ok(None) };
    // Newer versions look for the worker on the closed run.
    let claim = if schema.version.closed_runs_keep_worker() {
        "claim_expires = NULL"
    } else {
        "claim_lock = NULL, claim_expires = NULL, worker_pid = NULL"
    };
    conn.prepare_cached(&format!(
        "UPDATE task_runs SET status = ?1, outcome = ?2, summary = ?3, error = ?4, metadata = ?5, ended_at = ?6, \
         {claim} WHERE id = ?7 AND ended_at IS NULL",
    ))?
    .execute(params![how.status, how.outcome, how.summary, how.error, how.metadata_text(), now, run])?;
    conn.prepare_cached("UPDATE tasks SET current_run_id = NULL WHERE id = ?1")?.execute([task])?;
    Ok(Some(run))
}

/// Adds a run of no duration for a task that was never claimed as Hermes does.
pub fn synthesize(
    conn: &Connection,
    schema: &SchemaReport,
    task: &str,
    how: &RunEnd<'_>,
    now: i64,
) -> Outcome<i64> {
    let step = schema.has("tasks", "current_step_key");
    let sql = format!(
        "INSERT INTO task_runs (task_id, profile, step_key, status, outcome, summary, error, metadata, started_at, \
         ended_at) SELECT id, CASE WHEN ?8 THEN ?9 ELSE assignee END, {}, ?2, ?3, ?4, ?5, ?6, ?7, ?7 FROM tasks \
         WHERE id = ?1",
        if step { "current_step_key" } else { "NULL" }
    );
    conn.prepare_cached(&sql)?.execute(params![
        task,
        how.status,
        how.outcome,
        how.summary,
        how.error,
        how.metadata_text(),
        now,
        how.profile.is_some(),
        how.profile.flatten(),
    ])?;
    Ok(conn.last_insert_rowid())
}

/// Close a run that was left open, as an invariant that is restored.
pub fn reclaim(conn: &Connection, run: i64, note: &str, now: i64) -> Outcome<()> {
    conn.prepare_cached(
        "UPDATE task_runs SET status = 'reclaimed', outcome = 'reclaimed', summary = COALESCE(summary, ?1), \
         ended_at = ?2, claim_lock = NULL, claim_expires = NULL, worker_pid = NULL WHERE id = ?3 AND ended_at IS NULL",
    )?
    .execute(params![note, now, run])?;
    Ok(())
}

/// Open a run for a task that was claimed; its id.
pub fn open(
    conn: &Connection,
    schema: &SchemaReport,
    task: &str,
    lock: &str,
    expires: i64,
    now: i64,
) -> Outcome<i64> {
    let column = |name: &'static str| if schema.has("tasks", name) { name } else { "NULL" };
    conn.prepare_cached(&format!(
        "INSERT INTO task_runs (task_id, profile, step_key, status, claim_lock, claim_expires, max_runtime_seconds, \
         started_at) SELECT id, assignee, {}, 'running', ?2, ?3, {}, ?4 FROM tasks WHERE id = ?1",
        column("current_step_key"),
        column("max_runtime_seconds"),
    ))?
    .execute(params![task, lock, expires, now])?;
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
