//! `assign` and `reassign`: who is to do a task.

use serde_json::json;

use crate::failure::Failure;
use crate::store::writer::{Refusal, TaskChange, TaskWriter};

/// Assign a task to a profile, or to nobody. Another profile begins without the failures of the former one.
///
/// # Errors
/// Exit 14 while a worker has it.
pub fn assign(writer: &TaskWriter<'_>, id: &str, profile: Option<&str>) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    if !before.field("claim_lock").is_null() && before.field("status").text() == Some("running") {
        return Err(Failure::conflict(format!("task {id} is running: a worker has claimed it."))
            .hint("Wait for the worker, or take the claim back: `kanbanctl reassign --reclaim` does both.")
            .into());
    }
    let former = before.field("assignee");
    if former.text() != profile || (former.is_null() != profile.is_none()) {
        writer.clear_failures(id)?;
    }
    writer.set(id, &[("assignee", &profile)])?;
    let payload = if writer.version().assignment_names_former() {
        json!({ "assignee": profile, "from": former })
    } else {
        json!({ "assignee": profile })
    };
    writer.event(id, "assigned", Some(&payload), None)?;
    let mut change = writer.changed(id)?;
    change.details.insert("assignee".to_owned(), json!(profile));
    change.details.insert("former_assignee".to_owned(), json!(former));
    Ok(change)
}
