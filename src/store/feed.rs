//! Events of the whole board in the order of their numbers: what `events` shows and `watch` follows.

use rusqlite::{Connection, ToSql};
use serde::Serialize;
use serde_json::Value;

use super::field::Field;
use crate::failure::Outcome;
use crate::process::clock;

/// One event and the task that it is about.
#[derive(Clone, Debug, Serialize)]
pub struct BoardEvent {
    /// Row id; also the cursor of every subscription.
    pub id: Field,
    /// The task.
    pub task_id: Field,
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
    /// The task's assignee as it is now.
    pub assignee: Field,
}

/// Which events; everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only of this task.
    pub task: Option<String>,
    /// Only of these kinds; all where empty.
    pub kinds: Vec<String>,
    /// Only of tasks of these profiles; all where empty.
    pub assignees: Vec<String>,
    /// Only of tasks of this tenant.
    pub tenant: Option<String>,
    /// Only with a number above this.
    pub after: Option<i64>,
    /// At most this many.
    pub limit: Option<u32>,
    /// The newest ones where there are more than the limit, else the oldest ones.
    pub newest: bool,
}

/// The events in the order of their numbers.
pub fn events(conn: &Connection, filter: &EventFilter) -> Outcome<Vec<BoardEvent>> {
    let mut events = Vec::new();
    each(conn, filter, |event| {
        events.push(event);
        Ok(())
    })?;
    Ok(events)
}

/// Gives `take` the events in the order of their numbers.
pub fn each(
    conn: &Connection,
    filter: &EventFilter,
    mut take: impl FnMut(BoardEvent) -> Outcome<()>,
) -> Outcome<()> {
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(after) = &filter.after {
        values.push(after);
        conditions.push(format!("e.id > ?{}", values.len()));
    }
    if let Some(task) = &filter.task {
        values.push(task);
        conditions.push(format!("e.task_id = ?{}", values.len()));
    }
    if let Some(tenant) = &filter.tenant {
        values.push(tenant);
        conditions.push(format!("t.tenant = ?{}", values.len()));
    }
    for (column, wanted) in [("e.kind", &filter.kinds), ("t.assignee", &filter.assignees)] {
        if wanted.is_empty() {
            continue;
        }
        let mut marks = Vec::with_capacity(wanted.len());
        for value in wanted {
            values.push(value);
            marks.push(format!("?{}", values.len()));
        }
        conditions.push(format!("{column} IN ({})", marks.join(", ")));
    }
    let newest = filter.newest && filter.limit.is_some();
    let order = if newest { "DESC" } else { "ASC" };
    let mut sql = format!(
        "SELECT e.id, e.task_id, e.kind, e.payload, e.created_at, e.run_id, t.assignee \
         FROM task_events e LEFT JOIN tasks t ON t.id = e.task_id{}{} ORDER BY e.id {order}{}",
        if conditions.is_empty() { "" } else { " WHERE " },
        conditions.join(" AND "),
        filter.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default(),
    );
    if newest {
        sql = format!("SELECT * FROM ({sql}) ORDER BY id");
    }
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        let created_at: Field = row.get(4)?;
        Ok(BoardEvent {
            id: row.get(0)?,
            task_id: row.get(1)?,
            kind: row.get(2)?,
            payload: row.get::<_, Field>(3)?.json(),
            created_at_utc: created_at.integer().and_then(clock::rfc3339),
            created_at,
            run_id: row.get(5)?,
            assignee: row.get(6)?,
        })
    })?;
    for event in rows {
        take(event?)?;
    }
    Ok(())
}

/// The number of the newest event; 0 where there is none.
pub fn last(conn: &Connection) -> Outcome<i64> {
    Ok(conn.query_row("SELECT COALESCE(MAX(id), 0) FROM task_events", [], |row| row.get(0))?)
}
