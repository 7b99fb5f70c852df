//! `promote`: a waiting task becomes ready because somebody says so.

use serde_json::json;

use crate::failure::{Failure, hint};
use crate::store::link;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};

/// Promote a task that is todo or blocked. `force` passes over open parents, where the version can.
///
/// # Errors
/// Exit 14 for another state and for open parents.
pub fn promote(
    writer: &TaskWriter<'_>,
    id: &str,
    actor: &str,
    reason: Option<&str>,
    force: bool,
) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    let status = before.field("status").show();
    if !matches!(status.as_str(), "todo" | "blocked") {
        return Err(not_in_state(id, &before, "promoted", "todo or blocked").into());
    }
    let forces = writer.version().forces_promotion();
    if force && !forces {
        return Err(Failure::refused(format!(
            "{} has no forced promotion: the next claim would undo it.",
            writer.version()
        ))
        .hint("Complete the parents, or remove the dependency.")
        .into());
    }
    let open = link::open_parents(writer.conn(), id)?;
    if !force && !open.is_empty() {
        let failure = Failure::conflict(format!("task {id} waits for {}.", open.join(", ")));
        let failure = if forces {
            failure.hint(
                "Complete them first, or pass over them with --force; the next claim checks them again.",
            )
        } else {
            let unlink = format!("hermes kanban unlink PARENT {}", hint::quoted(id));
            failure.hint(format!("Complete them first, or remove the dependency with `{unlink}`."))
        };
        return Err(failure.into());
    }
    writer.set(id, &[("status", &"ready")])?;
    let mut payload = json!({ "actor": actor, "reason": reason });
    if let Some(keys) = payload.as_object_mut().filter(|_| forces) {
        keys.insert("forced".to_owned(), json!(force));
    }
    writer.event(id, "promoted_manual", Some(&payload), None)?;
    let mut change = writer.changed(id)?;
    change.details.insert("former_status".to_owned(), json!(status));
    Ok(change)
}
