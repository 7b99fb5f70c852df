//! The cascade that Hermes calls `recompute_ready`: tasks whose parents are all finished become ready, or go back to review.

use rusqlite::{Connection, params_from_iter};
use serde_json::{Value, json};

use super::field::Field;
use super::schema::SchemaReport;
use super::{event, link};
use crate::failure::Outcome;

/// Failures after which a blocked task stays blocked, where the task sets no `max_retries`.
const FAILURE_LIMIT: i64 = 2;

/// Most ids that one query names.
const IDS_PER_QUERY: usize = 500;

/// Which tasks to look at.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// Every waiting task of the board, as Hermes does.
    Board,
    /// The children of one task: all that can have changed since the whole board was last looked at.
    ChildrenOf(&'a str),
    /// These tasks, whose parents have changed.
    Tasks(&'a [String]),
}

/// Make ready what can be, with an event each; return the ids in the order of their events.
pub fn promote(conn: &Connection, schema: &SchemaReport, reach: Reach<'_>, now: i64) -> Outcome<Vec<String>> {
    let mut promoted = Vec::new();
    for waiting in due(conn, schema, reach)? {
        conn.prepare_cached("UPDATE tasks SET status = ?3 WHERE id = ?1 AND status = ?2")?.execute([
            waiting.id.as_str(),
            waiting.status.as_str(),
            waiting.resume,
        ])?;
        let payload = (waiting.resume != "ready").then(|| json!({ "status": waiting.resume }));
        event::append(conn, &waiting.id, "promoted", payload.as_ref(), None, now)?;
        promoted.push(waiting.id);
    }
    Ok(promoted)
}

/// A task that waits for nothing any more.
struct DueTask {
    id: String,
    status: String,
    resume: &'static str,
}

/// Return the ids of what would be promoted.
pub fn due_ids(conn: &Connection, schema: &SchemaReport) -> Outcome<Vec<String>> {
    Ok(due(conn, schema, Reach::Board)?.into_iter().map(|task| task.id).collect())
}

/// Return what would be promoted.
fn due(conn: &Connection, schema: &SchemaReport, reach: Reach<'_>) -> Outcome<Vec<DueTask>> {
    let mut due = Vec::new();
    for waiting in waiting(conn, schema, reach)? {
        let blocked = waiting.status == "blocked";
        if blocked && is_sticky(conn, schema, &waiting.id)? {
            continue;
        }
        if blocked && waiting.failures >= waiting.limit {
            continue;
        }
        let resume = resume_status(conn, schema, &waiting.id)?;
        due.push(DueTask { id: waiting.id, status: waiting.status, resume });
    }
    Ok(due)
}

struct WaitingTask {
    id: String,
    status: String,
    failures: i64,
    limit: i64,
}

/// Tasks that wait for no parent any more. Blocked before todo, then by rowid: the order in which Hermes' query walks the
/// status index. One statement asks for their parents: a board can have thousands of waiting tasks for each that is due.
fn waiting(conn: &Connection, schema: &SchemaReport, reach: Reach<'_>) -> Outcome<Vec<WaitingTask>> {
    match reach {
        Reach::Board => select(conn, schema, "1", &[]),
        Reach::ChildrenOf(parent) => {
            let children = "id IN (SELECT child_id FROM task_links WHERE parent_id = ?1)";
            select(conn, schema, children, &[parent.to_owned()])
        }
        Reach::Tasks(ids) => {
            let mut found = Vec::new();
            for ids in ids.chunks(IDS_PER_QUERY) {
                let marks = vec!["?"; ids.len()].join(", ");
                found.extend(select(conn, schema, &format!("id IN ({marks})"), ids)?);
            }
            Ok(found)
        }
    }
}

fn select(conn: &Connection, schema: &SchemaReport, only: &str, ids: &[String]) -> Outcome<Vec<WaitingTask>> {
    let column = |name: &'static str| if schema.has("tasks", name) { name } else { "NULL" };
    let sql = format!(
        "SELECT id, status, {}, {} FROM tasks WHERE status IN ('todo', 'blocked') AND {only} AND NOT {} \
         ORDER BY status, rowid",
        column("consecutive_failures"),
        column("max_retries"),
        link::HAS_OPEN_PARENT,
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(ids), |row| {
        Ok((
            row.get::<_, Field>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Field>(2)?,
            row.get::<_, Field>(3)?,
        ))
    })?;
    let mut waiting = Vec::new();
    for row in rows {
        let (Field::Text(id), status, failures, limit) = row? else { continue };
        waiting.push(WaitingTask {
            id,
            status,
            failures: failures.integer().unwrap_or(0),
            limit: limit.integer().unwrap_or(FAILURE_LIMIT),
        });
    }
    Ok(waiting)
}

/// True if somebody asked for a block, so that only `unblock` ends it.
fn is_sticky(conn: &Connection, schema: &SchemaReport, task: &str) -> Outcome<bool> {
    let asked = conn
        .prepare_cached(
            "SELECT 1 FROM (SELECT kind FROM task_events WHERE task_id = ?1 AND kind IN ('blocked', 'unblocked') \
             ORDER BY id DESC LIMIT 1) WHERE kind = 'blocked'",
        )?
        .exists([task])?;
    if asked || !schema.version.has_sticky_give_ups() {
        return Ok(asked);
    }
    let payload = conn
        .prepare_cached(
            "SELECT payload FROM task_events WHERE task_id = ?1 AND kind = 'gave_up' AND id > COALESCE((SELECT MAX(id) \
             FROM task_events WHERE task_id = ?1 AND kind = 'unblocked'), 0) ORDER BY id DESC LIMIT 1",
        )?
        .query_row([task], |row| row.get::<_, Field>(0));
    Ok(event::object(payload)?.get("sticky").is_some_and(is_truthy))
}

/// True if Python would take the value for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(keys) => !keys.is_empty(),
    }
}

/// Return the status to which a waiting task goes back: `review` where its newest lifecycle event says so.
pub fn resume_status(conn: &Connection, schema: &SchemaReport, task: &str) -> Outcome<&'static str> {
    if !schema.version.has_review_lane() {
        return Ok("ready");
    }
    let payload = conn
        .prepare_cached(
            "SELECT payload FROM task_events WHERE task_id = ?1 AND kind IN ('blocked', 'block_loop_detected', \
             'dependency_wait', 'gave_up', 'unblocked', 'changes_requested', 'review_reopened', 'status', 'reclaimed', \
             'stale', 'timed_out', 'crashed', 'spawn_failed', 'rate_limited') ORDER BY id DESC LIMIT 1",
        )?
        .query_row([task], |row| row.get::<_, Field>(0));
    let payload = event::object(payload)?;
    let review = ["resume_status", "retry_status", "source_status"]
        .iter()
        .any(|key| payload.get(*key).and_then(Value::as_str) == Some("review"));
    Ok(if review { "review" } else { "ready" })
}
