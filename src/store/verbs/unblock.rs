//! `unblock`: a task goes on where it was held.

use serde_json::json;

use crate::store::cascade;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};

/// Unblock a blocked or scheduled task: ready, todo while a parent is open, or back to review.
///
/// # Errors
/// Exit 14 for a task in another state.
pub fn unblock(writer: &TaskWriter<'_>, id: &str) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    let status = before.field("status").show();
    if !matches!(status.as_str(), "blocked" | "scheduled") {
        return Err(not_in_state(id, &before, "unblocked", "blocked or scheduled").into());
    }
    let resume = if status == "blocked" {
        cascade::resume_status(writer.conn(), writer.schema(), id)?
    } else {
        "ready"
    };
    writer.close_dangling_run(id, "invariant recovery on unblock")?;
    let landing = writer.landing_status(id)?;
    let to = if landing == "ready" { resume } else { landing };
    writer.set(id, &[("status", &to), ("current_run_id", &None::<i64>)])?;
    writer.clear_failures(id)?;
    let payload = if writer.version().has_review_lane() {
        (to != "ready" || resume != "ready").then(|| json!({ "status": to, "resume_status": resume }))
    } else {
        (to != "ready").then(|| json!({ "status": to }))
    };
    writer.event(id, "unblocked", payload.as_ref(), None)?;
    let mut change = writer.changed(id)?;
    change.details.insert("former_status".to_owned(), json!(status));
    change.details.insert("kind".to_owned(), json!(before.field("block_kind")));
    Ok(change)
}
