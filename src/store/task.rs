//! Rows of `tasks`: how one is read whole, and how an id that a person typed finds it.

use std::fmt::Write as _;
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::field::{Field, FieldRef};
use crate::failure::{Failure, Outcome, nearest};
use crate::process::clock;

/// Keys of a task in JSON: Hermes' own in Hermes' order in the order of `show --json`, then its other columns.
pub const KEYS: [&str; 35] = [
    "id",
    "title",
    "body",
    "assignee",
    "status",
    "priority",
    "tenant",
    "workspace_kind",
    "workspace_path",
    "branch_name",
    "project_id",
    "created_by",
    "created_at",
    "started_at",
    "completed_at",
    "result",
    "skills",
    "max_retries",
    "session_id",
    "workflow_template_id",
    "current_step_key",
    "claim_lock",
    "claim_expires",
    "idempotency_key",
    "consecutive_failures",
    "worker_pid",
    "last_failure_error",
    "max_runtime_seconds",
    "last_heartbeat_at",
    "current_run_id",
    "model_override",
    "goal_mode",
    "goal_max_turns",
    "block_kind",
    "block_recurrences",
];

/// Columns of newer versions, which JSON has at the top level where the board has them.
pub const NEWER_KEYS: [&str; 4] =
    ["provider_override", "reasoning_effort", "worker_started_at", "completion_contract"];

/// How many candidates an ambiguous prefix names.
const CANDIDATES: usize = 10;

/// Where each key is in a row of this board, and the names of columns that no known version has.
struct TaskColumns {
    places: [Option<usize>; KEYS.len()],
    newer: [Option<usize>; NEWER_KEYS.len()],
    extra: Vec<(usize, String)>,
}

impl TaskColumns {
    fn of(names: &[String]) -> Rc<Self> {
        let place = |key: &str| names.iter().position(|name| name.eq_ignore_ascii_case(key));
        let known = |name: &str| KEYS.iter().chain(&NEWER_KEYS).any(|key| name.eq_ignore_ascii_case(key));
        let extra = names
            .iter()
            .enumerate()
            .filter(|(_, name)| !known(name))
            .map(|(place, name)| (place, name.clone()))
            .collect();
        Rc::new(Self { places: KEYS.map(place), newer: NEWER_KEYS.map(place), extra })
    }
}

/// One task, with every column that the board has.
#[derive(Clone)]
pub struct Task {
    layout: Rc<TaskColumns>,
    fields: Vec<Field>,
}

impl Task {
    fn read(layout: &Rc<TaskColumns>, row: &Row<'_>, width: usize) -> rusqlite::Result<Self> {
        let fields = (0..width).map(|place| row.get(place)).collect::<Result<_, _>>()?;
        Ok(Self { layout: Rc::clone(layout), fields })
    }

    /// Return a column by its name in Hermes; NULL where the board does not have it.
    pub fn field(&self, name: &str) -> &Field {
        let places = KEYS.iter().zip(&self.layout.places);
        let mut places = places.chain(NEWER_KEYS.iter().zip(&self.layout.newer));
        places
            .find(|(key, _)| **key == name)
            .and_then(|(_, place)| *place)
            .and_then(|place| self.fields.get(place))
            .unwrap_or(&Field::Null)
    }

    /// A column by any name that the board has; NULL where it has none.
    pub fn any_field(&self, name: &str) -> &Field {
        if KEYS.contains(&name) {
            return self.field(name);
        }
        self.extra().find(|(known, _)| *known == name).map_or(&Field::Null, |(_, field)| field)
    }

    /// The id, for people and for further queries.
    pub fn id(&self) -> String {
        self.field("id").show()
    }

    /// Return names and values of the columns that no known version has.
    pub fn extra(&self) -> impl Iterator<Item = (&str, &Field)> {
        let extra = self.layout.extra.iter();
        let extra =
            extra.filter_map(|(place, name)| self.fields.get(*place).map(|field| (name.as_str(), field)));
        extra.chain(self.odd_skills().map(|skills| ("skills", skills)))
    }

    /// The names in the `skills` column; none where it holds something else, which [`Task::extra`] then has.
    pub fn skills(&self) -> serde_json::Value {
        match self.field("skills").json() {
            skills @ serde_json::Value::Array(_) => skills,
            _ => serde_json::Value::Array(Vec::new()),
        }
    }

    /// Return what the `skills` column holds where that is no array.
    fn odd_skills(&self) -> Option<&Field> {
        let skills = self.field("skills");
        (!skills.is_null() && !skills.json().is_array()).then_some(skills)
    }
}

/// The key of the same time in RFC 3339, where a column is a time.
fn utc_key(key: &str) -> Option<&'static str> {
    Some(match key {
        "created_at" => "created_at_utc",
        "started_at" => "started_at_utc",
        "completed_at" => "completed_at_utc",
        "claim_expires" => "claim_expires_utc",
        "last_heartbeat_at" => "last_heartbeat_at_utc",
        _ => return None,
    })
}

/// Write a task whose column at each place is `value`; both forms of a task share it.
fn serialize<'v, S: Serializer>(
    layout: &TaskColumns,
    value: impl Fn(usize) -> FieldRef<'v>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let at = |place: Option<usize>| place.map_or(FieldRef::Null, &value);
    let mut odd_skills = None;
    let mut map = serializer.serialize_map(None)?;
    for (key, place) in KEYS.iter().zip(&layout.places) {
        let field = at(*place);
        if *key == "skills" {
            if let skills @ serde_json::Value::Array(_) = field.json() {
                map.serialize_entry(key, &skills)?;
            } else {
                map.serialize_entry(key, &[(); 0])?;
                odd_skills = (!field.is_null()).then_some(field);
            }
            continue;
        }
        map.serialize_entry(key, &field)?;
        if let Some(utc) = utc_key(key) {
            map.serialize_entry(utc, &field.integer().and_then(clock::rfc3339))?;
        }
    }
    for (key, place) in NEWER_KEYS.iter().zip(&layout.newer) {
        if let Some(place) = place {
            map.serialize_entry(key, &value(*place))?;
        }
    }
    if !layout.extra.is_empty() || odd_skills.is_some() {
        let extra = layout.extra.iter().map(|(place, name)| (name.as_str(), value(*place)));
        map.serialize_entry(
            "extra",
            &Extra(extra.chain(odd_skills.map(|skills| ("skills", skills))).collect()),
        )?;
    }
    map.end()
}

struct Extra<'a>(Vec<(&'a str, FieldRef<'a>)>);

impl Serialize for Extra<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = |place: usize| self.fields.get(place).map_or(FieldRef::Null, Field::borrowed);
        serialize(&self.layout, value, serializer)
    }
}

/// One task in the row that a statement is at: written without being copied.
pub struct TaskRow<'a> {
    layout: &'a TaskColumns,
    row: &'a Row<'a>,
}

impl Serialize for TaskRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = |place: usize| self.row.get_ref(place).map_or(FieldRef::Null, FieldRef::from);
        serialize(self.layout, value, serializer)
    }
}

/// Gives `take` the whole tasks of a query over `tasks`, one after the other.
pub fn each(
    conn: &Connection,
    tail: &str,
    values: &[&dyn rusqlite::ToSql],
    mut take: impl FnMut(&TaskRow<'_>) -> Outcome<()>,
) -> Outcome<()> {
    let mut statement = conn.prepare_cached(&format!("SELECT * FROM tasks {tail}"))?;
    let mut rows = statement.query(values)?;
    let mut layout = None;
    while let Some(row) = rows.next()? {
        // Behind the first step, which holds the schema still.
        let layout = match &layout {
            Some(layout) => layout,
            None => layout.insert(TaskReader::default().layout(conn)?),
        };
        take(&TaskRow { layout, row })?;
    }
    Ok(())
}

/// Reads whole tasks one after the other: which columns the board has is asked once, and again when its schema has changed.
#[derive(Default)]
pub struct TaskReader(Option<(i64, Rc<TaskColumns>)>);

impl TaskReader {
    /// The task with exactly this id.
    pub fn get(&mut self, conn: &Connection, id: &str) -> Outcome<Option<Task>> {
        Ok(query(conn, "SELECT * FROM tasks WHERE id = ?1", &[&id], || self.layout(conn))?.pop())
    }

    fn layout(&mut self, conn: &Connection) -> Outcome<Rc<TaskColumns>> {
        let cookie =
            conn.prepare_cached("PRAGMA schema_version")?.query_row([], |row| row.get::<_, i64>(0))?;
        match &self.0 {
            Some((known, layout)) if *known == cookie => Ok(Rc::clone(layout)),
            _ => {
                let layout = TaskColumns::of(&columns_of(conn)?);
                self.0 = Some((cookie, Rc::clone(&layout)));
                Ok(layout)
            }
        }
    }
}

/// The task with exactly this id.
pub fn get(conn: &Connection, id: &str) -> Outcome<Option<Task>> {
    TaskReader::default().get(conn, id)
}

/// Whether who looks for exactly this id comes to the row that has it: the entry of an index may lead to another one.
pub fn is_found(conn: &Connection, id: &str) -> Outcome<bool> {
    let sql = "SELECT 1 FROM tasks AS entry JOIN tasks AS task ON task.rowid = entry.rowid \
               WHERE entry.id = ?1 AND +task.id = ?1";
    Ok(conn.prepare_cached(sql)?.exists([id])?)
}

/// Tasks of a query over `tasks` with the named columns only, as far as the board has them; with none named, all of them.
/// Sorting rows of 35 columns for the sake of seven takes most of a listing's time.
pub fn select(
    conn: &Connection,
    columns: &[&str],
    tail: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Outcome<Vec<Task>> {
    let mut list = Vec::with_capacity(columns.len());
    for column in columns {
        if conn.column_exists(None, "tasks", column)? {
            list.push((*column).to_owned());
        }
    }
    if list.is_empty() {
        return query(conn, &format!("SELECT * FROM tasks {tail}"), values, || {
            TaskReader::default().layout(conn)
        });
    }
    let sql = format!("SELECT {} FROM tasks {tail}", list.join(", "));
    query(conn, &sql, values, || Ok(TaskColumns::of(&list)))
}

/// The rows of a query; `layout` is asked behind the first step, which holds the schema still.
fn query(
    conn: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    layout: impl FnOnce() -> Outcome<Rc<TaskColumns>>,
) -> Outcome<Vec<Task>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut tasks = Vec::new();
    let Some(row) = rows.next()? else { return Ok(tasks) };
    let (layout, width) = (layout()?, row.as_ref().column_count());
    tasks.push(Task::read(&layout, row, width)?);
    while let Some(row) = rows.next()? {
        tasks.push(Task::read(&layout, row, width)?);
    }
    Ok(tasks)
}

/// The columns of `tasks` in their order. A statement has their names too, but a name that is not UTF-8, which a flipped
/// bit is enough for, ends the process there.
fn columns_of(conn: &Connection) -> Outcome<Vec<String>> {
    let mut statement = conn.prepare_cached("SELECT name FROM pragma_table_info('tasks')")?;
    let names = statement.query_map([], |row| super::schema::lossy(row, 0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The id of the one task that `typed` names: the id itself, or a prefix of it with or without `t_`.
///
/// Unknown is 13, several are 14 and named. What every id begins with names no task, not even the only one: a script
/// whose variable is empty must not hit it. Nothing at all is 2.
pub fn resolve(conn: &Connection, typed: &str) -> Outcome<String> {
    if typed.is_empty() {
        return Err(Failure::usage("an empty id names no task.")
            .hint("`kanbanctl list` shows the ids; a unique beginning of one is enough."));
    }
    let exact: Option<String> = conn
        .prepare_cached("SELECT id FROM tasks WHERE id = ?1")?
        .query_row([typed], |row| row.get(0))
        .optional()?;
    if let Some(id) = exact {
        return Ok(id);
    }
    let mut found = starting_with(conn, typed)?;
    if found.is_empty() {
        found = starting_with(conn, &format!("t_{typed}"))?;
    }
    match found.as_slice() {
        [id] if !"t_".starts_with(typed) => Ok(id.clone()),
        [] => {
            let failure = Failure::not_found(format!("there is no task {typed} on this board."));
            let failure = match spelt_alike(conn, typed)? {
                Some(id) => failure.hint(format!("Did you mean {id}? `kanbanctl show {id}` shows it.")),
                None => failure,
            };
            Err(failure.hint("`kanbanctl list --archived` shows every task."))
        }
        several => {
            let mut names = String::new();
            for id in several.iter().take(CANDIDATES) {
                let _ = write!(names, "{}{id}", if names.is_empty() { "" } else { ", " });
            }
            let more = if several.len() > CANDIDATES { " and more" } else { "" };
            Err(Failure::conflict(format!("{typed} could be {names}{more}.")).hint("Type more of the id."))
        }
    }
}

/// The id that differs from a whole mistyped one by a character or two.
fn spelt_alike(conn: &Connection, typed: &str) -> Outcome<Option<String>> {
    let typed = if typed.starts_with("t_") { typed.to_owned() } else { format!("t_{typed}") };
    if !(8..=12).contains(&typed.len()) {
        return Ok(None);
    }
    let mut statement = conn.prepare("SELECT id FROM tasks WHERE length(id) = 10")?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let digits = |id: &'_ str| id.get(2..).unwrap_or_default().to_owned();
    let known: Vec<String> = ids.iter().map(|id| digits(id)).collect();
    Ok(nearest(&digits(&typed), known.iter().map(String::as_str)).map(|found| format!("t_{found}")))
}

/// Ids that begin with `prefix`, enough to know whether there are several.
fn starting_with(conn: &Connection, prefix: &str) -> Outcome<Vec<String>> {
    let past = format!("{prefix}\u{10ffff}");
    let mut statement =
        conn.prepare_cached("SELECT id FROM tasks WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3")?;
    let limit = i64::try_from(CANDIDATES + 1).unwrap_or(i64::MAX);
    let rows = statement.query_map(rusqlite::params![prefix, past, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
