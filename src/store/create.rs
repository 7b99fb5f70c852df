//! New tasks, as Hermes' `create_task` makes them (board-format.md 4.3), one or many in one transaction.

use std::fmt::Write as _;
use std::rc::Rc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde_json::{Value, json};

use super::draft::{Draft, Start};
use super::id::Ids;
use super::schema::SchemaReport;
use super::{event, json as python, link, task};
use crate::failure::Outcome;

/// What came of one draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The task's id.
    pub id: String,
    /// Whether it was there before, by its idempotency key.
    pub existed: bool,
}

/// Makes tasks within a transaction that the caller holds: the board's columns are looked up once for all of them.
pub struct Creator<'c> {
    conn: &'c Connection,
    schema: Rc<SchemaReport>,
    insert: String,
    present: [bool; COLUMNS.len()],
    ids: Ids,
    now: i64,
    awaits_dispatch: bool,
}

/// Columns that a new task sets, in the order of [`Creator::values`].
const COLUMNS: [&str; 19] = [
    "id",
    "title",
    "body",
    "assignee",
    "status",
    "priority",
    "created_by",
    "created_at",
    "workspace_kind",
    "workspace_path",
    "branch_name",
    "tenant",
    "idempotency_key",
    "max_runtime_seconds",
    "skills",
    "max_retries",
    "goal_mode",
    "goal_max_turns",
    "session_id",
];

impl<'c> Creator<'c> {
    /// For a board with this schema, as the caller's transaction sees it; `expected` is a guess at how many tasks will
    /// come.
    ///
    /// # Errors
    /// Exit 12 where the schema does not allow writing.
    pub fn new(conn: &'c Connection, schema: &Rc<SchemaReport>, expected: usize, now: i64) -> Outcome<Self> {
        let schema = Rc::clone(schema);
        schema.require_writable()?;
        let present = COLUMNS.map(|column| schema.has("tasks", column));
        let (mut names, mut marks) = (String::new(), String::new());
        for (column, _) in COLUMNS.iter().zip(present).filter(|(_, present)| *present) {
            let comma = if names.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(names, "{comma}{column}");
            let _ = write!(marks, "{comma}?");
        }
        let insert = format!("INSERT INTO tasks ({names}) VALUES ({marks})");
        Ok(Self { conn, schema, insert, present, ids: Ids::new(expected), now, awaits_dispatch: false })
    }

    /// Makes one task from a normalised draft: row, links and the `created` event.
    ///
    /// # Errors
    /// Exit 13 for an unknown parent; 14 for an ambiguous one.
    pub fn create(&mut self, draft: &Draft) -> Outcome<Created> {
        if let Some(id) = self.existing(draft)? {
            return Ok(Created { id, existed: true });
        }
        let mut parents = Vec::with_capacity(draft.parents.len());
        for parent in &draft.parents {
            parents.push(
                task::resolve(self.conn, parent).map_err(|failure| failure.context("a parent is unknown"))?,
            );
        }
        let status = self.status(draft.start, &parents)?;
        let id = self.insert(draft, status)?;
        self.awaits_dispatch |= status == "ready" && draft.assignee.is_some();
        for parent in &parents {
            link::insert(self.conn, parent, &id)?;
        }
        let payload = self.payload(draft, status, &parents);
        event::append(self.conn, &id, "created", Some(&payload), None, self.now)?;
        if self.schema.newer && draft.start == Start::Blocked {
            event::append(self.conn, &id, "blocked", Some(&json!({ "reason": null })), None, self.now)?;
        }
        Ok(Created { id, existed: false })
    }

    /// Whether one of the tasks is ready and assigned: Hermes' dispatcher would start it.
    pub fn awaits_dispatch(&self) -> bool {
        self.awaits_dispatch
    }

    /// The newest task with the draft's key, archived ones aside. Looked up within the transaction, so that two
    /// creators cannot both insert as they can in Hermes.
    fn existing(&self, draft: &Draft) -> Outcome<Option<String>> {
        let key = draft.idempotency_key.as_deref().filter(|key| !key.is_empty());
        let Some(key) = key.filter(|_| self.schema.has("tasks", "idempotency_key")) else {
            return Ok(None);
        };
        Ok(self
            .conn
            .prepare_cached(
                "SELECT id FROM tasks WHERE idempotency_key = ?1 AND status != 'archived' \
                 ORDER BY created_at DESC LIMIT 1",
            )?
            .query_row([key], |row| row.get(0))
            .optional()?)
    }

    /// Archived parents count as open here, other than in the cascade (board-format.md 8 point 14).
    fn status(&self, start: Start, parents: &[String]) -> Outcome<&'static str> {
        match start {
            Start::Blocked => return Ok("blocked"),
            Start::Triage => return Ok("triage"),
            Start::Normal => {}
        }
        for parent in parents {
            let done = self
                .conn
                .prepare_cached("SELECT 1 FROM tasks WHERE id = ?1 AND status = 'done'")?
                .exists([parent])?;
            if !done {
                return Ok("todo");
            }
        }
        Ok("ready")
    }

    /// One more try with another id when the first one is taken.
    fn insert(&mut self, draft: &Draft, status: &str) -> Outcome<String> {
        let mut id = self.ids.next_id()?;
        let taken = match self.insert_as(&id, draft, status) {
            Err(rusqlite::Error::SqliteFailure(cause, _))
                if cause.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY =>
            {
                true
            }
            other => {
                other?;
                false
            }
        };
        if taken {
            id = self.ids.next_id()?;
            self.insert_as(&id, draft, status)?;
        }
        Ok(id)
    }

    fn insert_as(&self, id: &str, draft: &Draft, status: &str) -> rusqlite::Result<usize> {
        let values =
            self.values(id, draft, status).into_iter().zip(self.present).filter(|(_, present)| *present);
        self.conn.prepare_cached(&self.insert)?.execute(params_from_iter(values.map(|(value, _)| value)))
    }

    fn values(&self, id: &str, draft: &Draft, status: &str) -> [Sql; COLUMNS.len()] {
        let text = |text: &Option<String>| text.clone().map_or(Sql::Null, Sql::Text);
        let number = |number: Option<i64>| number.map_or(Sql::Null, Sql::Integer);
        let (workspace_kind, workspace_path) = draft.workspace_columns();
        let skills = draft.skills.as_ref().map(|names| python::dumps_ascii(&json!(names)));
        [
            Sql::Text(id.to_owned()),
            Sql::Text(draft.title.clone()),
            text(&draft.body),
            text(&draft.assignee),
            Sql::Text(status.to_owned()),
            Sql::Integer(draft.priority),
            text(&draft.created_by),
            Sql::Integer(self.now),
            Sql::Text(workspace_kind.to_owned()),
            text(&workspace_path),
            text(&draft.branch),
            text(&draft.tenant),
            text(&draft.idempotency_key),
            number(draft.max_runtime_seconds),
            text(&skills),
            number(draft.max_retries),
            Sql::Integer(i64::from(draft.goal)),
            number(draft.goal_max_turns),
            text(&draft.session_id),
        ]
    }

    fn payload(&self, draft: &Draft, status: &str, parents: &[String]) -> Value {
        let skills = draft.skills.as_ref().filter(|names| !names.is_empty());
        let mut payload = json!({
            "assignee": draft.assignee,
            "status": status,
            "parents": parents,
            "tenant": draft.tenant,
            "branch_name": draft.branch,
            "skills": skills,
            "goal_mode": draft.goal.then_some(true),
        });
        if self.schema.newer
            && let Some(keys) = payload.as_object_mut()
        {
            let (workspace_kind, workspace_path) = draft.workspace_columns();
            keys.insert("workspace_kind".to_owned(), json!(workspace_kind));
            keys.insert("workspace_path".to_owned(), json!(workspace_path));
            for key in ["project_id", "model_override", "provider_override"] {
                keys.insert(key.to_owned(), Value::Null);
            }
        }
        payload
    }
}
