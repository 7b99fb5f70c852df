//! `request-review`, `request-changes`, `reopen-review`: work handed to a reviewer, and back.

use serde_json::{Value, json};

use crate::failure::{Failure, Outcome, hint};
use crate::store::run::RunEnd;
use crate::store::task::Task;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};
use crate::store::{complete, event, link, run, text};

/// Code points of a summary that the event carries.
const SUMMARY_CHARS: usize = 400;

/// What a review is asked with.
#[derive(Clone, Debug, Default)]
pub struct ReviewRequest {
    /// What was done, for the reviewer.
    pub summary: Option<String>,
    /// Facts for the run.
    pub metadata: Option<Value>,
    /// Who is to review.
    pub reviewer: Option<String>,
    /// Take a claimed task out of its worker's hands.
    pub force: bool,
}

fn require_lane(writer: &TaskWriter<'_>) -> Outcome<()> {
    if writer.version().has_review_lane() {
        return Ok(());
    }
    Err(Failure::refused(format!("this board belongs to {}, which has no reviews.", writer.version()))
        .hint("Hermes 0.20.1 and later have them, once they have opened the board."))
}

/// Move a running or ready task to review.
///
/// # Errors
/// Exit 14 for another state, open parents, a living worker, and a second review without a known reviewer.
pub fn request(writer: &TaskWriter<'_>, id: &str, what: &ReviewRequest) -> Result<TaskChange, Refusal> {
    require_lane(writer)?;
    let before = writer.task(id)?;
    if !link::satisfied(writer.conn(), id)? {
        let open = link::open_parents(writer.conn(), id)?.join(", ");
        return Err(
            Failure::conflict(format!("task {id} waits for parents that are not done: {open}.")).into()
        );
    }
    let owns = writer.expected_run(id)?.is_some();
    if !owns && !what.force && is_guarded(writer, &before) {
        return Err(Failure::conflict(format!("task {id} is running under a claim."))
            .hint("Let its worker ask for the review, or take it away with --force.")
            .into());
    }
    let reviewer = match &what.reviewer {
        Some(reviewer) => Some(reviewer.clone()),
        None => former_reviewer(writer, id)?,
    };
    let reviewer = reviewer.as_deref().map(TaskWriter::profile).transpose()?;
    let implementer = implementer(writer, &before, reviewer.as_deref())?;
    if !matches!(before.field("status").text(), Some("running" | "ready")) {
        return Err(not_in_state(id, &before, "put into review", "running or ready").into());
    }
    writer.require_own_run(id)?;
    writer.release(id, "review")?;
    if reviewer.is_some() {
        writer.set(id, &[("assignee", &reviewer)])?;
    }
    let summary = what.summary.as_deref();
    let has_metadata = what.metadata.as_ref().and_then(Value::as_object).is_some_and(|keys| !keys.is_empty());
    let mut end =
        RunEnd { metadata: what.metadata.as_ref(), ..RunEnd::new("review", "review_requested", summary) };
    if writer.version().implementer_is_of_run() {
        end.profile = Some(implementer.as_deref());
    }
    let given = summary.is_some_and(|summary| !summary.is_empty()) || has_metadata;
    let run = writer.end_or_synthesize_run(id, &end, given)?;
    let mut payload = json!({
        "summary": summary.and_then(|summary| text::first_line(summary, SUMMARY_CHARS)),
        "implementer": implementer,
        "reviewer": reviewer,
    });
    let artifacts = complete::artifacts(what.metadata.as_ref());
    if let Some(keys) = payload.as_object_mut()
        && writer.version().implementer_is_of_run()
        && !artifacts.is_empty()
    {
        keys.insert("artifacts".to_owned(), json!(artifacts));
    }
    writer.event(id, "review_requested", Some(&payload), run)?;
    let mut change = TaskChange { run, ..writer.changed(id)? };
    change.details.insert("implementer".to_owned(), json!(implementer));
    change.details.insert("reviewer".to_owned(), json!(reviewer));
    Ok(change)
}

fn is_guarded(writer: &TaskWriter<'_>, task: &Task) -> bool {
    if writer.version().review_asks_process() {
        return writer.is_claimed_by_living(task);
    }
    task.field("status").text() == Some("running") && !task.field("claim_lock").is_null()
}

/// Return who asked for changes last.
///
/// # Errors
/// Exit 14 where somebody did and the event does not say who.
fn former_reviewer(writer: &TaskWriter<'_>, id: &str) -> Outcome<Option<String>> {
    let run = writer
        .conn()
        .prepare_cached(
            "SELECT id FROM task_runs WHERE task_id = ?1 AND outcome = 'changes_requested' ORDER BY id DESC LIMIT 1",
        )?
        .query_row([id], |row| row.get::<_, i64>(0));
    let run = match run {
        Ok(run) => run,
        Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let payload = event::newest_payload(writer.conn(), id, "changes_requested", Some(run))?;
    match name_in(&payload, "reviewer") {
        Some(reviewer) => Ok(Some(reviewer)),
        None => Err(Failure::conflict(format!("nothing says who reviewed task {id} before."))
            .hint("Name the reviewer with --reviewer.")),
    }
}

/// Return who did the work: the profile of the open run, else the assignee, where that is not the reviewer.
fn implementer(writer: &TaskWriter<'_>, task: &Task, reviewer: Option<&str>) -> Outcome<Option<String>> {
    let assignee = task.field("assignee").text().map(str::to_owned);
    if !writer.version().implementer_is_of_run() {
        return Ok(assignee);
    }
    if let Some(open) = run::current(writer.conn(), writer.schema(), &task.id())? {
        let profile = writer
            .conn()
            .prepare_cached("SELECT profile FROM task_runs WHERE id = ?1")?
            .query_row([open], |row| row.get::<_, Option<String>>(0));
        match profile {
            Ok(Some(profile)) => return Ok(Some(profile)),
            Ok(None) | Err(rusqlite::Error::QueryReturnedNoRows) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(assignee.filter(|assignee| Some(assignee.as_str()) != reviewer))
}

fn name_in(payload: &serde_json::Map<String, Value>, key: &str) -> Option<String> {
    payload.get(key).and_then(Value::as_str).filter(|name| !text::strip(name).is_empty()).map(str::to_owned)
}

/// End a running review: the work goes back to who did it.
///
/// # Errors
/// Exit 14 for a task that is no running review, and where nothing says who did the work.
pub fn request_changes(writer: &TaskWriter<'_>, id: &str, reason: &str) -> Result<TaskChange, Refusal> {
    require_lane(writer)?;
    let reason = text::strip(reason);
    if reason.is_empty() {
        return Err(Failure::usage("say what must change.").into());
    }
    let before = writer.task(id)?;
    let open = run::current(writer.conn(), writer.schema(), id)?;
    let (Some("running"), Some(open)) = (before.field("status").text(), open) else {
        return Err(not_in_state(id, &before, "sent back", "running out of review").into());
    };
    writer.require_own_run(id)?;
    if writer.retry_status(id)? != "review" {
        return Err(Failure::conflict(format!("the open run of task {id} is no review."))
            .hint("A review is claimed out of the status review.")
            .into());
    }
    let handoff = event::newest_payload(writer.conn(), id, "review_requested", None)?;
    let Some(implementer) = name_in(&handoff, "implementer") else {
        return Err(Failure::conflict(format!("nothing says who did the work of task {id}."))
            .hint(format!(
                "Send it back with `kanbanctl reclaim {id}` and `kanbanctl reopen-review {id}`.",
                id = hint::quoted(id)
            ))
            .into());
    };
    let reviewer = before.field("assignee").text().map(TaskWriter::profile).transpose()?;
    let to = writer.landing_status(id)?;
    writer.release_whole(id, to)?;
    writer.set(id, &[("assignee", &implementer)])?;
    let run = writer.end_run(id, &RunEnd::new(to, "changes_requested", Some(reason)))?;
    let payload = json!({ "reason": reason, "implementer": implementer, "reviewer": reviewer, "status": to });
    writer.event(id, "changes_requested", Some(&payload), run.or(Some(open)))?;
    let mut change = TaskChange { run, ..writer.changed(id)? };
    change.details.insert("implementer".to_owned(), json!(implementer));
    Ok(change)
}

/// Take a task out of review: the work is to be done again.
///
/// # Errors
/// Exit 14 for a task that is not in review.
pub fn reopen(writer: &TaskWriter<'_>, id: &str) -> Result<TaskChange, Refusal> {
    require_lane(writer)?;
    let before = writer.task(id)?;
    if before.field("status").text() != Some("review") {
        return Err(not_in_state(id, &before, "reopened", "in review").into());
    }
    writer.close_dangling_run(id, "invariant recovery on review reopen")?;
    let to = writer.landing_status(id)?;
    let handoff = event::newest_payload(writer.conn(), id, "review_requested", None)?;
    let implementer = name_in(&handoff, "implementer");
    writer.release_whole(id, to)?;
    writer.set(id, &[("current_run_id", &None::<i64>)])?;
    let mut payload = json!({ "status": to });
    if let Some(implementer) = &implementer {
        writer.set(id, &[("assignee", implementer)])?;
        if let Some(keys) = payload.as_object_mut() {
            keys.insert("implementer".to_owned(), json!(implementer));
        }
    }
    let says_more = to != "ready" || implementer.is_some();
    writer.event(id, "review_reopened", says_more.then_some(&payload), None)?;
    writer.changed(id).map_err(Refusal::from)
}
