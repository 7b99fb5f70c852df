//! Reads across tables: the list with Hermes' filters and orders, one task with all that hangs on it, the counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::{Connection, ToSql};
use serde::Serialize;

use super::comment::{self, Comment};
use super::event::{self, Event};
use super::field::Field;
use super::run::{self, TaskRun};
use super::task::{self, Task};
use super::{link, text};
use crate::failure::{Failure, Outcome};

/// Names of Hermes' sort orders and what they mean.
pub const SORTS: [(&str, &str); 8] = [
    ("created", "created_at ASC, id ASC"),
    ("created-desc", "created_at DESC, id DESC"),
    ("priority", "priority DESC, created_at ASC"),
    ("priority-desc", "priority ASC, created_at ASC"),
    ("status", "status ASC, created_at ASC"),
    ("assignee", "assignee ASC, created_at ASC"),
    ("title", "title ASC, id ASC"),
    ("updated", "started_at DESC NULLS LAST, created_at DESC"),
];

/// Which tasks to list; everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Assignee as typed.
    pub assignee: Option<String>,
    /// Status, any text.
    pub status: Option<String>,
    /// Tenant.
    pub tenant: Option<String>,
    /// Session that made the task.
    pub session: Option<String>,
    /// Workflow template.
    pub workflow_template_id: Option<String>,
    /// Workflow step.
    pub step_key: Option<String>,
    /// Archived tasks too.
    pub archived: bool,
    /// A name in [`SORTS`]; `priority` where absent.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Tasks as stored: nothing is promoted by looking. With `columns` named, the others read as NULL.
pub fn list(conn: &Connection, filter: &Filter, columns: &[&str]) -> Outcome<Vec<Task>> {
    let assignee = filter.assignee.as_deref().map(|name| text::canonical_assignee(name).unwrap_or_default());
    let mut conditions = Vec::new();
    let mut values: Vec<&dyn ToSql> = Vec::new();
    let given = [
        ("assignee", assignee.as_ref()),
        ("status", filter.status.as_ref()),
        ("tenant", filter.tenant.as_ref()),
        ("session_id", filter.session.as_ref()),
        ("workflow_template_id", filter.workflow_template_id.as_ref()),
        ("current_step_key", filter.step_key.as_ref()),
    ];
    for (column, value) in &given {
        if let Some(value) = value {
            values.push(*value);
            conditions.push(format!("{column} = ?{}", values.len()));
        }
    }
    // Beside a status that is asked for it would say nothing.
    if !filter.archived && filter.status.is_none() {
        conditions.push("status != 'archived'".to_owned());
    }
    let mut tail = String::new();
    if !conditions.is_empty() {
        tail = format!("WHERE {} ", conditions.join(" AND "));
    }
    tail.push_str("ORDER BY ");
    tail.push_str(order(filter.sort.as_deref())?);
    if let Some(limit) = filter.limit {
        // Writing to a String cannot fail.
        let _ = write!(tail, " LIMIT {limit}");
    }
    task::select(conn, columns, &tail, &values)
}

fn order(name: Option<&str>) -> Outcome<&'static str> {
    let name = name.unwrap_or("priority");
    SORTS.iter().find(|(known, _)| *known == name).map(|(_, order)| *order).ok_or_else(|| {
        let known: Vec<&str> = SORTS.iter().map(|(known, _)| *known).collect();
        Failure::usage(format!("there is no sort order {name}; there are {}.", known.join(", ")))
    })
}

/// A task with everything that hangs on it, under the keys of Hermes' `show --json`.
#[derive(Clone, Serialize)]
pub struct ShownTask {
    /// The task.
    pub task: Task,
    /// The newest summary that is not empty.
    pub latest_summary: Field,
    /// Ids of what it waits for.
    pub parents: Vec<String>,
    /// Ids of what waits for it.
    pub children: Vec<String>,
    /// Oldest first.
    pub comments: Vec<Comment>,
    /// Oldest first.
    pub events: Vec<Event>,
    /// Oldest first.
    pub runs: Vec<TaskRun>,
}

/// One task by id or unique prefix.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous prefix.
pub fn show(conn: &Connection, typed: &str) -> Outcome<ShownTask> {
    let id = task::resolve(conn, typed)?;
    let task = task::get(conn, &id)?
        .ok_or_else(|| Failure::not_found(format!("task {id} vanished while it was read.")))?;
    Ok(ShownTask {
        latest_summary: run::latest_summary(conn, &id)?,
        parents: link::parents(conn, &id)?,
        children: link::children(conn, &id)?,
        comments: comment::of_task(conn, &id)?,
        events: event::of_task(conn, &id)?,
        runs: run::of_task(conn, &id)?,
        task,
    })
}

/// Counts under the keys of Hermes' `stats --json`; archived tasks are left out.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Tasks of each status that occurs.
    pub by_status: BTreeMap<String, i64>,
    /// The same for each assignee.
    pub by_assignee: BTreeMap<String, BTreeMap<String, i64>>,
    /// Seconds since the oldest ready task was created.
    pub oldest_ready_age_seconds: Option<i64>,
    /// Unix seconds of this count.
    pub now: i64,
    /// The same in RFC 3339.
    pub now_utc: Option<String>,
}

/// Counts the board.
pub fn stats(conn: &Connection, now: i64) -> Outcome<Stats> {
    let mut by_status = BTreeMap::new();
    let mut by_assignee: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut statement = conn.prepare(
        "SELECT assignee, status, COUNT(*) FROM tasks WHERE status != 'archived' GROUP BY assignee, status",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (assignee, status, count) =
            (row.get::<_, Field>(0)?, row.get::<_, Field>(1)?.show(), row.get::<_, i64>(2)?);
        *by_status.entry(status.clone()).or_insert(0) += count;
        if !assignee.is_null() {
            *by_assignee.entry(assignee.show()).or_default().entry(status).or_insert(0) += count;
        }
    }
    let oldest: Field =
        conn.query_row("SELECT MIN(created_at) FROM tasks WHERE status = 'ready'", [], |row| row.get(0))?;
    Ok(Stats {
        by_status,
        by_assignee,
        oldest_ready_age_seconds: oldest.integer().map(|oldest| now.saturating_sub(oldest)),
        now,
        now_utc: crate::process::clock::rfc3339(now),
    })
}

/// Tasks that are not archived, by assignee and status.
pub fn counts_by_assignee(conn: &Connection) -> Outcome<BTreeMap<String, BTreeMap<String, i64>>> {
    let mut counts: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut statement = conn.prepare(
        "SELECT assignee, status, COUNT(*) FROM tasks WHERE status != 'archived' AND assignee IS NOT NULL \
         GROUP BY assignee, status",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (assignee, status) = (row.get::<_, Field>(0)?.show(), row.get::<_, Field>(1)?.show());
        *counts.entry(assignee).or_default().entry(status).or_insert(0) += row.get::<_, i64>(2)?;
    }
    Ok(counts)
}
