//! Finishing tasks, as the board's version of Hermes does, in the caller's one transaction.
//!
//! Artifacts, scratch workspaces and terminal sessions are files and processes: they are left to Hermes' `gc`.

use serde_json::{Value, json};

use super::run::{self, RunEnd};
use super::task::Task;
use super::writer::{Refusal, TaskChange, TaskWriter};
use super::{acceptance, link, text};
use crate::failure::{Failure, Outcome};

/// Code points of a summary that the event carries.
const SUMMARY_CHARS: usize = 400;

/// Code points of a text that the record of a refusal carries.
const PREVIEW_CHARS: usize = 200;

/// The summary of a task that was approved out of `review` without a word.
const APPROVED: &str = "Review approved without additional evidence.";

/// What is handed over with one completion.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// Column `result`.
    pub result: Option<String>,
    /// The run's summary; the result where not given.
    pub summary: Option<String>,
    /// A JSON object for the run.
    pub metadata: Option<Value>,
    /// Complete a task although its worker lives.
    pub force: bool,
}

impl Completion {
    /// The text that is handed over.
    fn handoff(&self) -> Option<&str> {
        self.summary.as_deref().or(self.result.as_deref())
    }
}

/// What one completion changed.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The change.
    pub change: TaskChange,
    /// Ids in the summary or result that no task has.
    pub phantoms: Vec<String>,
    /// True if Hermes would have asked its judge first.
    pub goal: bool,
}

/// Complete one task: status, run, events, counters, cascade, in Hermes' order.
///
/// # Errors
/// Exit 13 for an unknown task, 14 when its state does not allow it. Some refusals leave a record.
pub fn complete(writer: &mut TaskWriter<'_>, id: &str, what: &Completion) -> Result<Completed, Refusal> {
    let before = writer.task(id)?;
    let in_review = require_completable(writer, &before, id, what)?;
    let nothing = None::<String>;
    writer.set(
        id,
        &[
            ("status", &"done"),
            ("result", &what.result),
            ("completed_at", &writer.now()),
            ("claim_lock", &nothing),
            ("claim_expires", &nothing),
            ("worker_pid", &nothing),
            ("block_kind", &nothing),
            ("block_recurrences", &0),
            ("consecutive_failures", &0),
            ("last_failure_error", &nothing),
        ],
    )?;
    let run = close_run(writer, id, what, in_review)?;
    writer.event(id, "completed", Some(&payload(what, in_review)), run)?;
    let phantoms = phantoms(writer, id, what, run)?;
    let promoted = writer.promote_children(id)?;
    let goal = before.field("goal_mode").integer() == Some(1);
    Ok(Completed { change: TaskChange { run, promoted, ..writer.changed(id)? }, phantoms, goal })
}

/// Refuse what Hermes refuses, in its order. True if the task is in `review`.
fn require_completable(
    writer: &TaskWriter<'_>,
    task: &Task,
    id: &str,
    what: &Completion,
) -> Result<bool, Refusal> {
    let version = writer.version();
    let status = task.field("status").text().unwrap_or_default();
    let in_review = version.has_review_lane() && status == "review";
    let waits = version.has_review_lane() && !link::satisfied(writer.conn(), id)?;
    let allowed = matches!(status, "running" | "ready" | "blocked") || in_review;
    if waits {
        let parents = link::open_parents(writer.conn(), id)?.join(", ");
        return Err(Failure::conflict(format!("task {id} waits for parents that are not done: {parents}."))
            .hint(format!(
                "Complete them first, or see them with `kanbanctl show {}`.",
                crate::failure::hint::quoted(id)
            ))
            .into());
    }
    if version.needs_evidence() && !in_review && !has_evidence(task, what) {
        return Err(without_evidence(id, what));
    }
    let allows = || {
        if !allowed {
            let review = if version.has_review_lane() { ", blocked or review" } else { " or blocked" };
            return Err(Failure::conflict(format!(
                "task {id} is {} and cannot be completed.",
                task.field("status").show()
            ))
            .hint(format!("Only running, ready{review} tasks can be completed.")));
        }
        writer.require_own_run(id)
    };
    if let Some(contract) = acceptance::contract(task) {
        allows()?;
        return Err(acceptance::refusal(writer, task, id, contract, what.metadata.as_ref()));
    }
    let owns = writer.expected_run(id)?.is_some();
    if version.guards_live_claims() && !what.force && !owns && writer.is_claimed_by_living(task) {
        return Err(Failure::conflict(format!("a living worker runs task {id}."))
            .hint(format!(
                "Wait for it, or release it with `kanbanctl reclaim {}`.",
                crate::failure::hint::quoted(id)
            ))
            .hint("To close its run and complete the task anyway, add --force.")
            .into());
    }
    allows()?;
    Ok(in_review)
}

fn has_evidence(task: &Task, what: &Completion) -> bool {
    let given = [what.result.as_deref(), what.summary.as_deref(), task.field("result").text()];
    given.into_iter().flatten().any(|text| !text::strip(text).is_empty())
        || task.field("result").integer().is_some()
}

/// Hermes records that somebody tried.
fn without_evidence(id: &str, what: &Completion) -> Refusal {
    let preview =
        |given: &Option<String>| given.as_deref().and_then(|text| text::first_line(text, PREVIEW_CHARS));
    let payload = json!({
        "result_preview": preview(&what.result),
        "summary_preview": preview(&what.summary),
    });
    let task = id.to_owned();
    let failure =
        Failure::conflict(format!("task {id} has no result and no summary: nothing says what was done."))
            .hint("Say what was done with --result or --summary.");
    Refusal::recorded(failure, move |writer| {
        writer.event(&task, "completion_blocked_empty_result", Some(&payload), None)
    })
}

fn close_run(writer: &TaskWriter<'_>, id: &str, what: &Completion, in_review: bool) -> Outcome<Option<i64>> {
    let end = RunEnd { metadata: what.metadata.as_ref(), ..RunEnd::new("done", "completed", what.handoff()) };
    if let Some(run) = writer.end_run(id, &end)? {
        return Ok(Some(run));
    }
    let given = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
    let has_metadata = what.metadata.as_ref().and_then(Value::as_object).is_some_and(|keys| !keys.is_empty());
    let approval = json!({ "source_status": "review", "approval": "manual" });
    let end = RunEnd { status: "completed", ..end };
    let end = if in_review && !given(what.handoff()) && !has_metadata {
        RunEnd { summary: Some(APPROVED), metadata: Some(&approval), ..end }
    } else if in_review || given(what.summary.as_deref()) || given(what.result.as_deref()) || has_metadata {
        end
    } else {
        return Ok(None);
    };
    run::synthesize(writer.conn(), writer.schema(), id, &end, writer.now()).map(Some)
}

/// Return ids in the prose that no task has; Hermes' diagnostics read the event.
fn phantoms(writer: &TaskWriter<'_>, id: &str, what: &Completion, run: Option<i64>) -> Outcome<Vec<String>> {
    let prose = [what.summary.as_deref(), what.result.as_deref()];
    let prose = prose.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut known = writer.conn().prepare_cached("SELECT 1 FROM tasks WHERE id = ?1")?;
    let mut phantoms = Vec::new();
    for word in text::task_ids(&prose) {
        if !known.exists([&word])? {
            phantoms.push(word);
        }
    }
    if !phantoms.is_empty() {
        let payload = json!({ "phantom_refs": phantoms, "source": "completion_summary" });
        writer.event(id, "suspected_hallucinated_references", Some(&payload), run)?;
    }
    Ok(phantoms)
}

fn payload(what: &Completion, in_review: bool) -> Value {
    let handoff = what.handoff();
    let approved = in_review && handoff.is_none_or(str::is_empty);
    let summary = if approved { Some(APPROVED) } else { handoff };
    let mut payload = json!({
        "result_len": what.result.as_deref().map_or(0, |result| result.chars().count()),
        "summary": summary.and_then(|summary| text::first_line(summary, SUMMARY_CHARS)),
    });
    let artifacts = artifacts(what.metadata.as_ref());
    if !artifacts.is_empty()
        && let Some(keys) = payload.as_object_mut()
    {
        keys.insert("artifacts".to_owned(), json!(artifacts));
    }
    payload
}

/// Return the paths in `metadata.artifacts`.
pub(super) fn artifacts(metadata: Option<&Value>) -> Vec<&str> {
    metadata
        .and_then(|metadata| metadata.get("artifacts")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(text::strip)
        .filter(|path| !path.is_empty())
        .collect()
}
