//! `heartbeat`: a worker's sign of life.

use serde_json::json;

use crate::store::run;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};

/// Note that a running task's worker gave a sign.
///
/// # Errors
/// Exit 14 for a task that is not running.
pub fn heartbeat(writer: &TaskWriter<'_>, id: &str, note: Option<&str>) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    if before.field("status").text() != Some("running") {
        return Err(not_in_state(id, &before, "heard of", "running").into());
    }
    writer.require_own_run(id)?;
    writer.set(id, &[("last_heartbeat_at", &writer.now())])?;
    let run = run::current(writer.conn(), writer.schema(), id)?;
    if let Some(run) = run {
        writer
            .conn()
            .prepare_cached("UPDATE task_runs SET last_heartbeat_at = ?1 WHERE id = ?2")?
            .execute([writer.now(), run])?;
    }
    let payload = note.filter(|note| !note.is_empty()).map(|note| json!({ "note": note }));
    writer.event(id, "heartbeat", payload.as_ref(), run)?;
    Ok(TaskChange { run, ..writer.changed(id)? })
}
