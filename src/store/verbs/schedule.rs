//! `schedule`: a task that waits for a time. No time is kept: somebody unblocks it.

use serde_json::json;

use crate::store::run::RunEnd;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};

/// Park a task.
///
/// # Errors
/// Exit 14 for a task that is none of todo, ready, running and blocked.
pub fn schedule(writer: &TaskWriter<'_>, id: &str, reason: Option<&str>) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    let status = before.field("status").show();
    if !matches!(status.as_str(), "todo" | "ready" | "running" | "blocked") {
        return Err(not_in_state(id, &before, "scheduled", "todo, ready, running or blocked").into());
    }
    writer.require_own_run(id)?;
    writer.release(id, "scheduled")?;
    let given = reason.is_some_and(|reason| !reason.is_empty());
    let run = writer.end_or_synthesize_run(id, &RunEnd::new("scheduled", "scheduled", reason), given)?;
    writer.event(id, "scheduled", Some(&json!({ "reason": reason })), run)?;
    let mut change = TaskChange { run, ..writer.changed(id)? };
    change.details.insert("former_status".to_owned(), json!(status));
    Ok(change)
}
