//! New tasks, as the board's version of Hermes makes them, one or many in one transaction.

use std::fmt::Write as _;
use std::rc::Rc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde_json::{Value, json};

use super::acceptance::LOCAL_ONLY;
use super::draft::{Draft, Start};
use super::field::Field;
use super::id::Ids;
use super::schema::SchemaReport;
use super::{event, json as python, link, subscription, task};
use crate::failure::{Failure, Outcome};

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
const COLUMNS: [&str; 23] = [
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
    "project_id",
    "tenant",
    "idempotency_key",
    "max_runtime_seconds",
    "skills",
    "max_retries",
    "goal_mode",
    "goal_max_turns",
    "session_id",
    "model_override",
    "provider_override",
    "completion_contract",
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
        draft.require_skills(self.schema.version.release())?;
        self.require_columns(draft)?;
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
        let mut draft = draft.clone();
        let version = self.schema.version;
        let leaves = version.scratch_leaves_project() && draft.scratch_asked;
        if draft.project.is_none() && version.has_board_project() && !leaves {
            draft.project = draft.board_project.take();
        }
        if draft.tenant.is_none() && version.inherits_tenant() {
            draft.tenant = self.tenant_of(&parents)?;
        }
        let (id, made) = self.insert(&draft, status)?;
        self.awaits_dispatch |= status == "ready" && draft.assignee.is_some();
        for parent in &parents {
            link::insert(self.conn, parent, &id)?;
        }
        let payload = self.payload(&made, status, &parents);
        event::append(self.conn, &id, "created", Some(&payload), None, self.now)?;
        if self.schema.version.explains_initial_status() {
            self.explain_status(&id, status, &made, &parents)?;
            if let Some(creator) = &made.creator {
                self.inherit_origin(&id, creator)?;
            }
        }
        if self.schema.version.inherits_subscriptions() {
            subscription::inherit(self.conn, &self.schema, &id, &parents, self.now)?;
        }
        Ok(Created { id, existed: false })
    }

    /// Refuse what an older board has no column for: it would be lost without a word.
    fn require_columns(&self, draft: &Draft) -> Outcome<()> {
        let contract = draft.completion_contract.as_deref().filter(|contract| *contract != LOCAL_ONLY);
        let wanted = [
            ("model_override", draft.model.is_some(), "--model"),
            ("provider_override", draft.provider.is_some(), "--provider"),
            ("completion_contract", contract.is_some(), "--completion-contract"),
        ];
        match wanted.iter().find(|(column, wanted, _)| *wanted && !self.schema.has("tasks", column)) {
            None => Ok(()),
            Some((column, _, option)) => Err(Failure::refused(format!(
                "{option} needs the column {column}, which this board ({}) does not have.",
                self.schema.version
            ))
            .hint("A newer Hermes adds the column when it opens the board.")),
        }
    }

    /// Return the first tenant among the parents.
    fn tenant_of(&self, parents: &[String]) -> Outcome<Option<String>> {
        let mut statement = self.conn.prepare_cached("SELECT tenant FROM tasks WHERE id = ?1")?;
        for parent in parents {
            let tenant: Field = statement.query_row([parent], |row| row.get(0))?;
            if let Some(tenant) = tenant.text().filter(|tenant| !tenant.is_empty()) {
                return Ok(Some(tenant.to_owned()));
            }
        }
        Ok(None)
    }

    /// Write the event that says why a task begins blocked or waiting.
    fn explain_status(&self, id: &str, status: &str, draft: &Draft, parents: &[String]) -> Outcome<()> {
        if status == "blocked" {
            let actor = draft.created_by.as_deref().filter(|actor| !actor.is_empty()).unwrap_or("user");
            let payload = json!({ "reason": "initial_status", "status": "blocked", "actor": actor });
            event::append(self.conn, id, "blocked", Some(&payload), None, self.now)?;
        }
        if status == "todo" {
            let mut finished = self
                .conn
                .prepare_cached("SELECT 1 FROM tasks WHERE id = ?1 AND status IN ('done', 'archived')")?;
            for parent in parents {
                if !finished.exists([parent])? {
                    let payload = json!({ "reason": "parent_not_done", "parent": parent });
                    return event::append(self.conn, id, "dependency_wait", Some(&payload), None, self.now);
                }
            }
        }
        Ok(())
    }

    /// Take session and subscriptions over from the task whose worker creates this one.
    fn inherit_origin(&self, id: &str, creator: &str) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "UPDATE tasks SET session_id = COALESCE(session_id, (SELECT session_id FROM tasks WHERE id = ?1)) \
                 WHERE id = ?2",
            )?
            .execute([creator, id])?;
        subscription::inherit(self.conn, &self.schema, id, &[creator.to_owned()], self.now)
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

    /// Archived parents count as open here, other than in the cascade.
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

    /// Insert the row under an id of its own, with one more try when the first id is taken. Returns the draft with what its
    /// project gave it.
    fn insert(&mut self, draft: &Draft, status: &str) -> Outcome<(String, Draft)> {
        let id = self.ids.next_id()?;
        let made = draft.clone().in_project(&id);
        match self.insert_as(&id, &made, status) {
            Err(rusqlite::Error::SqliteFailure(cause, _))
                if cause.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {}
            other => {
                other?;
                return Ok((id, made));
            }
        }
        let id = self.ids.next_id()?;
        let made = draft.clone().in_project(&id);
        self.insert_as(&id, &made, status)?;
        Ok((id, made))
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
        let contract = Some(draft.completion_contract.clone().unwrap_or_else(|| LOCAL_ONLY.to_owned()));
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
            text(&draft.project.as_ref().map(|project| project.id.clone())),
            text(&draft.tenant),
            text(&draft.idempotency_key),
            number(draft.max_runtime_seconds),
            text(&skills),
            number(draft.max_retries),
            Sql::Integer(i64::from(draft.goal)),
            number(draft.goal_max_turns),
            text(&draft.session_id),
            text(&draft.model),
            text(&draft.provider),
            text(&contract),
        ]
    }

    fn payload(&self, draft: &Draft, status: &str, parents: &[String]) -> Value {
        let version = self.schema.version;
        let (workspace_kind, workspace_path) = draft.workspace_columns();
        let project = draft.project.as_ref().map(|project| &project.id);
        let skills = draft.skills.as_ref().filter(|names| !names.is_empty());
        let full = version.describes_creation();
        let creator = version.explains_initial_status();
        let keys = [
            (true, "assignee", json!(draft.assignee)),
            (true, "status", json!(status)),
            (true, "parents", json!(parents)),
            (creator, "creator_task_id", json!(draft.creator)),
            (true, "tenant", json!(draft.tenant)),
            (full, "workspace_kind", json!(workspace_kind)),
            (full, "workspace_path", json!(workspace_path)),
            (true, "branch_name", json!(draft.branch)),
            (full, "project_id", json!(project)),
            (true, "skills", json!(skills)),
            (true, "goal_mode", json!(draft.goal.then_some(true))),
            (full, "model_override", json!(draft.model)),
            (full, "provider_override", json!(draft.provider)),
        ];
        let keys = keys.into_iter().filter(|(there, ..)| *there);
        Value::Object(keys.map(|(_, key, value)| (key.to_owned(), value)).collect())
    }
}
