//! Finishing tasks, as Hermes' `complete_task` does (board-format.md 4.4), in the caller's one transaction.
//!
//! Artifacts, scratch workspaces and terminal sessions are files and processes: they are left to Hermes' `gc`.

use std::rc::Rc;

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::cascade::{self, Reach};
use super::field::Field;
use super::run::{self, RunEnd};
use super::schema::SchemaReport;
use super::{event, task, text};
use crate::failure::{Failure, Outcome};

/// Code points of a summary that the event carries.
const SUMMARY_CHARS: usize = 400;

/// What is handed over with one completion.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// Id or unique prefix.
    pub task: String,
    /// Column `result`.
    pub result: Option<String>,
    /// The run's summary; the result where not given.
    pub summary: Option<String>,
    /// A JSON object for the run.
    pub metadata: Option<Value>,
    /// The run that must be the open one: a worker finishes its own task only.
    pub expected_run: Option<i64>,
}

/// What one completion changed.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The task's id in full.
    pub id: String,
    /// The run that carries the hand-over.
    pub run: Option<i64>,
    /// Tasks that became ready.
    pub promoted: Vec<String>,
    /// Ids in the summary or result that no task has.
    pub phantoms: Vec<String>,
    /// Whether Hermes would have asked its judge first.
    pub goal: bool,
}

/// Completes tasks one after the other; the first cascade looks at the whole board, later ones at the children.
pub struct Completer<'c> {
    conn: &'c Connection,
    schema: Rc<SchemaReport>,
    now: i64,
    swept: bool,
}

impl<'c> Completer<'c> {
    /// For a board with this schema, as the caller's transaction sees it.
    ///
    /// # Errors
    /// Exit 12 where the schema does not allow writing.
    pub fn new(conn: &'c Connection, schema: &Rc<SchemaReport>, now: i64) -> Outcome<Self> {
        let schema = Rc::clone(schema);
        schema.require_writable()?;
        Ok(Self { conn, schema, now, swept: false })
    }

    /// Completes one task: status, run, events, counters, cascade, in Hermes' order.
    ///
    /// # Errors
    /// Exit 13 for an unknown task, 14 when its state does not allow it.
    pub fn complete(&mut self, what: &Completion) -> Outcome<Completed> {
        let id = task::resolve(self.conn, &what.task)?;
        let goal = self.require_completable(&id, what.expected_run)?;
        self.finish(&id, what.result.as_deref())?;
        let summary = what.summary.as_deref().or(what.result.as_deref());
        let run = self.close_run(&id, what, summary)?;
        event::append(self.conn, &id, "completed", Some(&payload(what, summary)), run, self.now)?;
        let phantoms = self.phantoms(&id, what, run)?;
        let reach = if self.swept { Reach::ChildrenOf(&id) } else { Reach::Board };
        let promoted = cascade::promote(self.conn, &self.schema, reach, self.now)?;
        self.swept = true;
        Ok(Completed { id, run, promoted, phantoms, goal })
    }

    /// Newer Hermes takes `review` too and wants the parents finished (board-format.md 10). Says whether Hermes would
    /// ask its judge.
    fn require_completable(&self, id: &str, expected_run: Option<i64>) -> Outcome<bool> {
        let goal_mode = if self.schema.has("tasks", "goal_mode") { "goal_mode" } else { "0" };
        let (status, goal) = self
            .conn
            .prepare_cached(&format!("SELECT status, {goal_mode} FROM tasks WHERE id = ?1"))?
            .query_row([id], |row| Ok((row.get::<_, Field>(0)?.show(), row.get::<_, Field>(1)?)))?;
        let allowed = matches!(status.as_str(), "running" | "ready" | "blocked")
            || (self.schema.newer && status == "review");
        if !allowed {
            return Err(Failure::conflict(format!("task {id} is {status} and cannot be completed."))
                .hint("A task is completed out of running, ready or blocked."));
        }
        if expected_run.is_some() && expected_run != run::current(self.conn, &self.schema, id)? {
            return Err(Failure::conflict(format!(
                "task {id} has moved on to another run than this worker's."
            ))
            .hint("The dispatcher reclaimed it; stop this worker."));
        }
        if self.schema.newer && !super::link::satisfied(self.conn, id)? {
            return Err(Failure::conflict(format!("task {id} waits for parents that are not done."))
                .hint(format!("`kanbanctl show {}` names them.", crate::failure::hint::quoted(id))));
        }
        Ok(goal.integer() == Some(1))
    }

    fn finish(&self, id: &str, result: Option<&str>) -> Outcome<()> {
        let mut sql = String::from(
            "UPDATE tasks SET status = 'done', completed_at = ?1, claim_lock = NULL, claim_expires = NULL",
        );
        for (column, assignment) in [
            ("result", ", result = ?3"),
            ("worker_pid", ", worker_pid = NULL"),
            ("block_kind", ", block_kind = NULL"),
            ("block_recurrences", ", block_recurrences = 0"),
            ("consecutive_failures", ", consecutive_failures = 0"),
            ("last_failure_error", ", last_failure_error = NULL"),
        ] {
            if self.schema.has("tasks", column) {
                sql.push_str(assignment);
            }
        }
        // The last condition keeps the number of parameters the same on a board without `result`.
        sql.push_str(" WHERE id = ?2 AND (?3 IS NULL OR 1)");
        self.conn.prepare_cached(&sql)?.execute(params![self.now, id, result])?;
        Ok(())
    }

    fn close_run(&self, id: &str, what: &Completion, summary: Option<&str>) -> Outcome<Option<i64>> {
        let metadata = what.metadata.as_ref();
        let end = RunEnd { status: "done", outcome: "completed", summary, metadata };
        if let Some(run) = run::end(self.conn, &self.schema, id, &end, self.now)? {
            return Ok(Some(run));
        }
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        let has_metadata = metadata.and_then(Value::as_object).is_some_and(|keys| !keys.is_empty());
        if given(&what.summary) || given(&what.result) || has_metadata {
            let end = RunEnd { status: "completed", ..end };
            return run::synthesize(self.conn, &self.schema, id, &end, self.now).map(Some);
        }
        Ok(None)
    }

    /// Ids in the prose that no task has; Hermes' diagnostics read the event.
    fn phantoms(&self, id: &str, what: &Completion, run: Option<i64>) -> Outcome<Vec<String>> {
        let prose = [what.summary.as_deref(), what.result.as_deref()];
        let prose = prose.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let mut phantoms = text::task_ids(&prose);
        let mut known = self.conn.prepare_cached("SELECT 1 FROM tasks WHERE id = ?1")?;
        let mut failure = None;
        phantoms.retain(|word| match known.exists([word]) {
            Ok(exists) => !exists,
            Err(error) => {
                failure = Some(error);
                false
            }
        });
        if let Some(error) = failure {
            return Err(error.into());
        }
        if !phantoms.is_empty() {
            let payload = json!({ "phantom_refs": phantoms, "source": "completion_summary" });
            event::append(self.conn, id, "suspected_hallucinated_references", Some(&payload), run, self.now)?;
        }
        Ok(phantoms)
    }
}

fn payload(what: &Completion, summary: Option<&str>) -> Value {
    let mut payload = json!({
        "result_len": what.result.as_deref().map_or(0, |result| result.chars().count()),
        "summary": summary.and_then(|summary| text::first_line(summary, SUMMARY_CHARS)),
    });
    let artifacts: Vec<&str> = what
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.get("artifacts")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(text::strip)
        .filter(|path| !path.is_empty())
        .collect();
    if !artifacts.is_empty()
        && let Some(keys) = payload.as_object_mut()
    {
        keys.insert("artifacts".to_owned(), json!(artifacts));
    }
    payload
}
