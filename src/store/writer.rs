//! Changing tasks within one transaction: what every writing verb shares.
//!
//! A verb gets a [`TaskWriter`], changes one task through it and returns a [`TaskChange`] or a [`Refusal`]. Columns that the
//! board does not have are left out of every statement, and rules are asked of the board's version.
//! Not here: the transaction itself and many tasks at once ([`crate::commands`]).

use std::fmt::Write as _;
use std::rc::Rc;

use rusqlite::types::ToSql;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

use super::cascade::{self, Reach};
use super::run::{self, RunEnd};
use super::schema::{BoardVersion, SchemaReport};
use super::task::{Task, TaskReader};
use super::{comment, event, task, text};
use crate::failure::{Failure, Outcome};
use crate::process::worker::WorkerStart;

/// The worker that runs this process: Hermes names its task and its run.
#[derive(Clone, Debug, Default)]
pub struct WorkerScope {
    /// The task that the worker has.
    pub task: Option<String>,
    /// The run that must be the open one.
    pub run: Option<i64>,
}

/// What one change did to one task.
#[derive(Clone, Debug, Default)]
pub struct TaskChange {
    /// The task's id in full.
    pub id: String,
    /// The status that it has now; nothing where it is gone.
    pub status: Option<String>,
    /// The run that was opened or closed.
    pub run: Option<i64>,
    /// Tasks that became ready.
    pub promoted: Vec<String>,
    /// More keys for JSON.
    pub details: Map<String, Value>,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// Why a change is refused, and what Hermes records of the refusal.
pub struct Refusal {
    /// The reason.
    pub failure: Failure,
    /// Writes the record. The refused change itself is rolled back before.
    pub record: Option<RefusalRecord>,
}

/// Writes what Hermes records of a refusal.
pub type RefusalRecord = Box<dyn FnOnce(&TaskWriter<'_>) -> Outcome<()>>;

impl Refusal {
    /// A refusal that leaves a record.
    pub fn recorded(failure: Failure, record: impl FnOnce(&TaskWriter<'_>) -> Outcome<()> + 'static) -> Self {
        Self { failure, record: Some(Box::new(record)) }
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusal").field("failure", &self.failure).finish_non_exhaustive()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, record: None }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Failure::from(error).into()
    }
}

/// Writes to one board within a transaction that the caller holds.
pub struct TaskWriter<'c> {
    conn: &'c Connection,
    schema: Rc<SchemaReport>,
    now: i64,
    scope: WorkerScope,
    reader: std::cell::RefCell<TaskReader>,
    swept: bool,
}

impl<'c> TaskWriter<'c> {
    /// For a board with this schema, as the caller's transaction sees it.
    ///
    /// # Errors
    /// Exit 12 where the schema does not allow writing.
    pub fn new(conn: &'c Connection, schema: &Rc<SchemaReport>, now: i64) -> Outcome<Self> {
        schema.require_writable()?;
        Ok(Self {
            conn,
            schema: Rc::clone(schema),
            now,
            scope: WorkerScope::default(),
            reader: std::cell::RefCell::default(),
            swept: false,
        })
    }

    /// The same for the worker that runs this process.
    #[must_use]
    pub fn for_worker(mut self, scope: WorkerScope) -> Self {
        self.scope = scope;
        self
    }

    /// The connection that holds the transaction.
    pub fn conn(&self) -> &'c Connection {
        self.conn
    }

    /// The board's schema.
    pub fn schema(&self) -> &SchemaReport {
        &self.schema
    }

    /// The board's version.
    pub fn version(&self) -> BoardVersion {
        self.schema.version
    }

    /// Unix seconds of every row that is written.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// True if `tasks` has the column.
    pub fn has(&self, column: &str) -> bool {
        self.schema.has("tasks", column)
    }

    /// Read a task that must be there.
    ///
    /// # Errors
    /// Exit 13.
    pub fn task(&self, id: &str) -> Outcome<Task> {
        let found = self.reader.borrow_mut().get(self.conn, id)?;
        found.ok_or_else(|| Failure::not_found(format!("there is no task {id} on this board.")))
    }

    /// Return the run that must be the open one, where this process is a worker and changes its own task.
    ///
    /// # Errors
    /// Exit 12 for another task's worker, where Hermes refuses it.
    pub fn expected_run(&self, id: &str) -> Outcome<Option<i64>> {
        match &self.scope.task {
            Some(own) if own == id => Ok(self.scope.run),
            Some(own) if self.version().scopes_workers() => Err(Failure::refused(format!(
                "this worker has the task {own} and may not change {id} (HERMES_KANBAN_TASK)."
            ))
            .hint("Unset HERMES_KANBAN_TASK if this is no worker.")),
            _ => Ok(None),
        }
    }

    /// Refuse a worker whose run is no longer the open one.
    ///
    /// # Errors
    /// Exit 14.
    pub fn require_own_run(&self, id: &str) -> Outcome<()> {
        let expected = self.expected_run(id)?;
        if expected.is_some() && expected != run::current(self.conn, &self.schema, id)? {
            return Err(Failure::conflict(format!(
                "task {id} has moved on to another run than this worker's."
            ))
            .hint("The dispatcher reclaimed it; stop this worker."));
        }
        Ok(())
    }

    /// True if this process is a worker.
    pub fn is_worker(&self) -> bool {
        self.scope.task.is_some()
    }

    /// Set columns of a task, those that the board has.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set(&self, id: &str, columns: &[(&str, &dyn ToSql)]) -> Outcome<()> {
        let mut sql = String::from("UPDATE tasks SET ");
        let mut values: Vec<&dyn ToSql> = Vec::with_capacity(columns.len() + 1);
        for (column, value) in columns.iter().filter(|(column, _)| self.has(column)) {
            let comma = if values.is_empty() { "" } else { ", " };
            values.push(*value);
            // Writing to a String cannot fail.
            let _ = write!(sql, "{comma}{column} = ?{}", values.len());
        }
        if values.is_empty() {
            return Ok(());
        }
        values.push(&id);
        let _ = write!(sql, " WHERE id = ?{}", values.len());
        self.conn.prepare_cached(&sql)?.execute(params_from_iter(values))?;
        Ok(())
    }

    /// Set the status of a task and take its claim and its worker away.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn release(&self, id: &str, status: &str) -> Outcome<()> {
        let nothing = None::<i64>;
        self.set(
            id,
            &[
                ("status", &status),
                ("claim_lock", &nothing),
                ("claim_expires", &nothing),
                ("worker_pid", &nothing),
            ],
        )
    }

    /// The same, and forget when the worker began.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn release_whole(&self, id: &str, status: &str) -> Outcome<()> {
        self.release(id, status)?;
        self.set(id, &[("worker_started_at", &None::<i64>)])
    }

    /// Clear the failure counter.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clear_failures(&self, id: &str) -> Outcome<()> {
        self.set(id, &[("consecutive_failures", &0), ("last_failure_error", &None::<String>)])
    }

    /// Append an event. Without keys in it the payload is NULL.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn event(&self, id: &str, kind: &str, payload: Option<&Value>, run: Option<i64>) -> Outcome<()> {
        event::append(self.conn, id, kind, payload, run, self.now)
    }

    /// Add a comment and its event, as Hermes' `comment` does.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn comment(&self, id: &str, author: &str, body: &str) -> Outcome<i64> {
        comment::add(self.conn, id, author, body, self.now)
    }

    /// Close the open run, if there is one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn end_run(&self, id: &str, how: &RunEnd<'_>) -> Outcome<Option<i64>> {
        run::end(self.conn, &self.schema, id, how, self.now)
    }

    /// Close the open run; where there is none and `synthesize` says so, add one that is closed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn end_or_synthesize_run(
        &self,
        id: &str,
        how: &RunEnd<'_>,
        synthesize: bool,
    ) -> Outcome<Option<i64>> {
        match self.end_run(id, how)? {
            Some(run) => Ok(Some(run)),
            None if synthesize => {
                let how = RunEnd { status: how.outcome, ..*how };
                run::synthesize(self.conn, &self.schema, id, &how, self.now).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Close a run that a task points to although it has none; the pointer is the caller's.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn close_dangling_run(&self, id: &str, note: &str) -> Outcome<()> {
        let Some(open) = run::current(self.conn, &self.schema, id)? else { return Ok(()) };
        run::reclaim(self.conn, open, note, self.now)
    }

    /// Return the status out of which the open run was claimed: `review` or `ready`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn retry_status(&self, id: &str) -> Outcome<&'static str> {
        if !self.version().has_review_lane() {
            return Ok("ready");
        }
        let Some(open) = run::current(self.conn, &self.schema, id)? else { return Ok("ready") };
        let payload = event::newest_payload(self.conn, id, "claimed", Some(open))?;
        let review = payload.get("source_status").and_then(Value::as_str) == Some("review");
        Ok(if review { "review" } else { "ready" })
    }

    /// Return `ready`, or `todo` while a parent is open.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn landing_status(&self, id: &str) -> Outcome<&'static str> {
        let free = if self.version().archived_parents_release() {
            super::link::satisfied(self.conn, id)?
        } else {
            super::link::all_done(self.conn, id)?
        };
        Ok(if free { "ready" } else { "todo" })
    }

    /// Make ready what waits for nothing any more. The first look goes over the board, as Hermes' does; later ones at the
    /// children of what was changed, which is all that can differ.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn promote_children(&mut self, id: &str) -> Outcome<Vec<String>> {
        let reach = if self.swept { Reach::ChildrenOf(id) } else { Reach::Board };
        let promoted = cascade::promote(self.conn, &self.schema, reach, self.now)?;
        self.swept = true;
        Ok(promoted)
    }

    /// The same for tasks whose parents have changed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn promote_tasks(&mut self, ids: &[String]) -> Outcome<Vec<String>> {
        let reach = if self.swept { Reach::Tasks(ids) } else { Reach::Board };
        let promoted = cascade::promote(self.conn, &self.schema, reach, self.now)?;
        self.swept = true;
        Ok(promoted)
    }

    /// Promote one task if it is due. True if it was.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn promote_again(&self, id: &str) -> Outcome<bool> {
        let ids = [id.to_owned()];
        let promoted = cascade::promote(self.conn, &self.schema, Reach::Tasks(&ids), self.now)?;
        Ok(!promoted.is_empty())
    }

    /// Forget that the board was looked over: a change was rolled back.
    pub fn rolled_back(&mut self) {
        self.swept = false;
    }

    /// As [`worker_of`].
    pub fn worker_of(&self, task: &Task) -> Option<(i64, WorkerStart)> {
        worker_of(task)
    }

    /// True if a living worker runs the task under a claim.
    pub fn is_claimed_by_living(&self, task: &Task) -> bool {
        task.field("status").text() == Some("running")
            && !task.field("claim_lock").is_null()
            && self.worker_of(task).is_some_and(|(pid, start)| crate::process::worker::is_alive(pid, &start))
    }

    /// Return the change of a task that is there, with the status that it has now.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn changed(&self, id: &str) -> Outcome<TaskChange> {
        let status = self
            .conn
            .prepare_cached("SELECT status FROM tasks WHERE id = ?1")?
            .query_row([id], |row| row.get::<_, super::field::Field>(0))?;
        Ok(TaskChange { id: id.to_owned(), status: Some(status.show()), ..TaskChange::default() })
    }

    /// Return the profile's name as Hermes stores it.
    ///
    /// # Errors
    /// Exit 2 for a blank one.
    pub fn profile(name: &str) -> Outcome<String> {
        text::canonical_assignee(name).ok_or_else(|| Failure::usage("a profile's name cannot be empty."))
    }

    /// Find the one task that was meant.
    ///
    /// # Errors
    /// As [`task::resolve`].
    pub fn resolve(&self, typed: &str) -> Outcome<String> {
        task::resolve(self.conn, typed)
    }
}

/// Return the worker that a row names, and when that worker began; nothing where it names none.
pub fn worker_of(task: &Task) -> Option<(i64, WorkerStart)> {
    let pid = task.field("worker_pid").integer().filter(|pid| *pid != 0)?;
    let start = task.field("worker_started_at");
    let start = match (start.text(), start.integer()) {
        (Some(text), _) => WorkerStart::of_text(text),
        #[expect(clippy::cast_precision_loss, reason = "ticks since a boot are far below 2^53")]
        (None, Some(ticks)) => WorkerStart::Ticks(ticks as f64),
        (None, None) => WorkerStart::Unrecorded,
    };
    Some((pid, start))
}

/// The refusal of a change that the task's state does not allow.
pub fn not_in_state(id: &str, task: &Task, done: &str, allowed: &str) -> Failure {
    let status = task.field("status").show();
    Failure::conflict(format!("task {id} is {status} and cannot be {done}."))
        .hint(format!("This takes a task that is {allowed}."))
}
