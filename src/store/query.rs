//! Reads across tables: the list with Hermes' filters and orders, one task with all that hangs on it, the counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::{Connection, ToSql};
use serde::Serialize;

use super::attachment::{self, Attachment};
use super::comment::{self, Comment};
use super::event::{self, Event};
use super::field::Field;
use super::run::{self, TaskRun};
use super::task::{self, Task, TaskRow};
use super::vocabulary::STATUSES;
use super::{link, text};
use crate::failure::{Failure, Outcome};

/// Names of Hermes' sort orders and what they mean.
pub const SORTS: [(&str, &str); 9] = [
    ("completed-desc", "completed_at DESC NULLS LAST, id DESC"),
    ("created", "created_at ASC, id ASC"),
    ("created-desc", "created_at DESC, id DESC"),
    ("priority", "priority DESC, created_at ASC"),
    ("priority-desc", "priority ASC, created_at ASC"),
    ("status", "status ASC, created_at ASC"),
    ("assignee", "assignee ASC, created_at ASC"),
    ("title", "title ASC, id ASC"),
    ("updated", "started_at DESC NULLS LAST, created_at DESC"),
];

/// Which tasks to list; everything given must hold, and several values of one kind are a union.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Assignees as typed.
    pub assignees: Vec<String>,
    /// Tasks that have no assignee; a union with [`Filter::assignees`].
    pub no_assignee: bool,
    /// Statuses, any text.
    pub statuses: Vec<String>,
    /// Tenants.
    pub tenants: Vec<String>,
    /// Sessions that made the task.
    pub sessions: Vec<String>,
    /// Workflow templates.
    pub workflow_template_ids: Vec<String>,
    /// Workflow steps.
    pub step_keys: Vec<String>,
    /// Ids in full, or unique beginnings of them, of tasks that these wait for.
    pub parents: Vec<String>,
    /// Created at this moment or later.
    pub since: Option<i64>,
    /// Created before this moment.
    pub before: Option<i64>,
    /// Text in the title or the body, without regard to the case of ASCII letters.
    pub text: Option<String>,
    /// Archived tasks too.
    pub archived: bool,
    /// A name in [`SORTS`]; `priority` where absent.
    pub sort: Option<String>,
    /// At most this many.
    pub limit: Option<u32>,
}

/// The conditions of a query and their values.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    fn value(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    fn one_of(&mut self, column: &str, values: &[String]) -> Option<String> {
        if values.is_empty() {
            return None;
        }
        let marks: Vec<String> = values.iter().map(|value| self.value(value.clone())).collect();
        Some(format!("{column} IN ({})", marks.join(", ")))
    }

    fn of(conn: &Connection, filter: &Filter) -> Outcome<Self> {
        let mut these = Self::default();
        let assignees: Vec<String> =
            filter.assignees.iter().map(|name| text::canonical_assignee(name).unwrap_or_default()).collect();
        let nobody = filter.no_assignee.then(|| "assignee IS NULL OR assignee = ''".to_owned());
        let assigned: Vec<String> = these.one_of("assignee", &assignees).into_iter().chain(nobody).collect();
        if !assigned.is_empty() {
            these.texts.push(format!("({})", assigned.join(" OR ")));
        }
        for (column, values) in [
            ("status", &filter.statuses),
            ("tenant", &filter.tenants),
            ("session_id", &filter.sessions),
            ("workflow_template_id", &filter.workflow_template_ids),
            ("current_step_key", &filter.step_keys),
        ] {
            let condition = these.one_of(column, values);
            these.texts.extend(condition);
        }
        let parents: Vec<String> =
            filter.parents.iter().map(|typed| task::resolve(conn, typed)).collect::<Outcome<_>>()?;
        if let Some(condition) = these.one_of("parent_id", &parents) {
            these.texts.push(format!("id IN (SELECT child_id FROM task_links WHERE {condition})"));
        }
        for (at, comparison) in [(filter.since, ">="), (filter.before, "<")] {
            if let Some(at) = at {
                let mark = these.value(at);
                these.texts.push(format!("created_at {comparison} {mark}"));
            }
        }
        if let Some(text) = &filter.text {
            let mark = these.value(super::search::like_pattern(text));
            these.texts.push(format!("(title LIKE {mark} ESCAPE '\\' OR body LIKE {mark} ESCAPE '\\')"));
        }
        // Beside a status that is asked for it would say nothing.
        if !filter.archived && filter.statuses.is_empty() {
            these.texts.push("status != 'archived'".to_owned());
        }
        Ok(these)
    }
}

/// Tasks as stored: nothing is promoted by looking. With `columns` named, the others read as NULL.
pub fn list(conn: &Connection, filter: &Filter, columns: &[&str]) -> Outcome<Vec<Task>> {
    let (conditions, tail) = tail(conn, filter)?;
    let values: Vec<&dyn ToSql> = conditions.values.iter().map(AsRef::as_ref).collect();
    task::select(conn, columns, &tail, &values)
}

/// As [`list`] with every column, one task after the other.
pub fn each(
    conn: &Connection,
    filter: &Filter,
    take: impl FnMut(&TaskRow<'_>) -> Outcome<()>,
) -> Outcome<()> {
    let (conditions, tail) = tail(conn, filter)?;
    let values: Vec<&dyn ToSql> = conditions.values.iter().map(AsRef::as_ref).collect();
    task::each(conn, &tail, &values, take)
}

/// Return what stands behind the tables of a query: conditions, order and limit.
fn tail(conn: &Connection, filter: &Filter) -> Outcome<(Conditions, String)> {
    let conditions = Conditions::of(conn, filter)?;
    let mut tail = String::new();
    if !conditions.texts.is_empty() {
        tail = format!("WHERE {} ", conditions.texts.join(" AND "));
    }
    tail.push_str("ORDER BY ");
    tail.push_str(order(filter.sort.as_deref())?);
    if let Some(limit) = filter.limit {
        // Writing to a String cannot fail.
        let _ = write!(tail, " LIMIT {limit}");
    }
    Ok((conditions, tail))
}

/// One column of the board.
#[derive(Serialize)]
pub struct BoardColumn {
    /// The status.
    pub status: String,
    /// Tasks in it.
    pub count: i64,
    /// The first of them: by priority, finished ones by their end.
    pub tasks: Vec<Task>,
}

/// Columns that a card of the board shows.
const CARD: [&str; 6] = ["id", "title", "assignee", "priority", "created_at", "completed_at"];

/// The statuses that have tasks, archived ones left out, each with its first tasks.
pub fn columns(conn: &Connection, assignee: Option<&str>, limit: u32) -> Outcome<Vec<BoardColumn>> {
    let assignee = assignee.map(|name| text::canonical_assignee(name).unwrap_or_default());
    let mut statement = conn.prepare(
        "SELECT status, COUNT(*) FROM tasks WHERE status != 'archived' AND (?1 IS NULL OR assignee = ?1) \
         GROUP BY status",
    )?;
    let counts = statement
        .query_map([&assignee], |row| Ok((row.get::<_, Field>(0)?.show(), row.get::<_, i64>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::with_capacity(counts.len());
    for (status, count) in counts {
        let filter = Filter {
            statuses: vec![status.clone()],
            assignees: assignee.clone().into_iter().collect(),
            sort: (status == "done").then(|| "completed-desc".to_owned()),
            limit: Some(limit),
            ..Filter::default()
        };
        found.push(BoardColumn { tasks: list(conn, &filter, &CARD)?, status, count });
    }
    let place = |status: &str| STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
    found.sort_by(|one, other| (place(&one.status), &one.status).cmp(&(place(&other.status), &other.status)));
    Ok(found)
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
    /// Oldest first.
    pub attachments: Vec<Attachment>,
    /// Title and status of each parent and child that is there, by id.
    #[serde(skip)]
    pub related: BTreeMap<String, (String, String)>,
}

/// One task by id or unique prefix.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous prefix.
pub fn show(conn: &Connection, typed: &str) -> Outcome<ShownTask> {
    let id = task::resolve(conn, typed)?;
    let task = task::get(conn, &id)?
        .ok_or_else(|| Failure::not_found(format!("task {id} vanished while it was read.")))?;
    let (parents, children) = (link::parents(conn, &id)?, link::children(conn, &id)?);
    let mut related = BTreeMap::new();
    for other in parents.iter().chain(&children) {
        let found = task::select(conn, &["title", "status"], "WHERE id = ?1", &[other])?.pop();
        if let Some(found) = found {
            related.insert(other.clone(), (found.field("title").show(), found.field("status").show()));
        }
    }
    Ok(ShownTask {
        latest_summary: run::latest_summary(conn, &id)?,
        parents,
        children,
        related,
        attachments: attachment::of_task(conn, &id)?,
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
