//! `claim`: a ready task taken by a worker.

use serde_json::json;

use crate::failure::{Failure, hint};
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};
use crate::store::{link, run};

/// Claim a ready task for `lock` (host and process), for a number of seconds. The worker's process is never written: that
/// is for whoever starts one.
///
/// # Errors
/// Exit 14 for a task that is not ready. With open parents the task goes back to todo, as Hermes does it.
pub fn claim(writer: &TaskWriter<'_>, id: &str, lock: &str, seconds: i64) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    if !link::satisfied(writer.conn(), id)? {
        let open = link::open_parents(writer.conn(), id)?.join(", ");
        let task = id.to_owned();
        let ready = before.field("status").text() == Some("ready");
        let failure = Failure::conflict(format!("task {id} waits for {open}."))
            .hint(format!("`kanbanctl show {}` shows its parents.", hint::quoted(id)));
        return Err(Refusal::recorded(failure, move |writer| {
            if ready {
                writer.set(&task, &[("status", &"todo")])?;
            }
            let payload = json!({ "reason": "parents_not_done" });
            writer.event(&task, "claim_rejected", Some(&payload), None)
        }));
    }
    if before.field("status").text() != Some("ready") {
        return Err(not_in_state(id, &before, "claimed", "ready").into());
    }
    if let Some(holder) = before.field("claim_lock").text() {
        return Err(Failure::conflict(format!("task {id} is claimed by {holder} already."))
            .hint(format!("Take the claim back with `kanbanctl reclaim {}`.", hint::quoted(id)))
            .into());
    }
    writer.close_dangling_run(id, "invariant recovery on re-claim")?;
    let expires = writer.now().saturating_add(seconds);
    writer.set(id, &[("status", &"running"), ("claim_lock", &lock), ("claim_expires", &expires)])?;
    if before.field("started_at").is_null() {
        writer.set(id, &[("started_at", &writer.now())])?;
    }
    let run = run::open(writer.conn(), writer.schema(), id, lock, expires, writer.now())?;
    writer.set(id, &[("current_run_id", &run)])?;
    let payload = json!({ "lock": lock, "expires": expires, "run_id": run });
    writer.event(id, "claimed", Some(&payload), Some(run))?;
    let mut change = TaskChange { run: Some(run), ..writer.changed(id)? };
    change.details.insert("lock".to_owned(), json!(lock));
    change.details.insert("expires".to_owned(), json!(expires));
    Ok(change)
}
