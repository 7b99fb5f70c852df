//! The cascade that Hermes calls `recompute_ready`: tasks whose parents are all finished become ready.

use rusqlite::Connection;

use super::field::Field;
use super::schema::SchemaReport;
use super::{event, link};
use crate::failure::Outcome;

/// Failures after which a blocked task stays blocked, where the task sets no `max_retries` (board-format.md 4.2).
const FAILURE_LIMIT: i64 = 2;

/// Which tasks to look at.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// Every waiting task of the board, as Hermes does.
    Board,
    /// The children of one task: all that can have changed since the whole board was last looked at.
    ChildrenOf(&'a str),
}

/// Makes ready what can be, with an event each; gives back the ids in the order of their events.
pub fn promote(conn: &Connection, schema: &SchemaReport, reach: Reach<'_>, now: i64) -> Outcome<Vec<String>> {
    let mut promoted = Vec::new();
    for waiting in waiting(conn, schema, reach)? {
        let blocked = waiting.status == "blocked";
        if blocked && is_sticky(conn, &waiting.id)? {
            continue;
        }
        if !link::satisfied(conn, &waiting.id)? || (blocked && waiting.failures >= waiting.limit) {
            continue;
        }
        conn.prepare_cached("UPDATE tasks SET status = 'ready' WHERE id = ?1 AND status = ?2")?
            .execute([&waiting.id, &waiting.status])?;
        event::append(conn, &waiting.id, "promoted", None, None, now)?;
        promoted.push(waiting.id);
    }
    Ok(promoted)
}

struct WaitingTask {
    id: String,
    status: String,
    failures: i64,
    limit: i64,
}

/// Blocked before todo, then by rowid: the order in which Hermes' query walks the status index.
fn waiting(conn: &Connection, schema: &SchemaReport, reach: Reach<'_>) -> Outcome<Vec<WaitingTask>> {
    let column = |name: &'static str| if schema.has("tasks", name) { name } else { "NULL" };
    let only = match reach {
        Reach::Board => "?1 IS NULL",
        Reach::ChildrenOf(_) => "id IN (SELECT child_id FROM task_links WHERE parent_id = ?1)",
    };
    let parent = match reach {
        Reach::Board => None,
        Reach::ChildrenOf(parent) => Some(parent),
    };
    let sql = format!(
        "SELECT id, status, {}, {} FROM tasks WHERE status IN ('todo', 'blocked') AND {only} ORDER BY status, rowid",
        column("consecutive_failures"),
        column("max_retries"),
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([parent], |row| {
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

/// Whether somebody asked for a block: the newest of `blocked` and `unblocked` is `blocked`.
fn is_sticky(conn: &Connection, task: &str) -> Outcome<bool> {
    let sticky = conn
        .prepare_cached(
            "SELECT 1 FROM (SELECT kind FROM task_events WHERE task_id = ?1 AND kind IN ('blocked', 'unblocked') \
             ORDER BY id DESC LIMIT 1) WHERE kind = 'blocked'",
        )?
        .exists([task])?;
    Ok(sticky)
}
