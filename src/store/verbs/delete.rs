//! `delete`: a task gone for good, with everything that hangs on it.

use serde_json::json;

use crate::failure::{Failure, hint};
use crate::store::link;
use crate::store::writer::{Refusal, TaskChange, TaskWriter};

/// The tables whose rows go with their task.
const TABLES: [&str; 5] =
    ["task_comments", "task_events", "task_runs", "kanban_notify_subs", "task_attachments"];

/// Delete a task and all that belongs to it; `any` takes one that is not archived too. Unlike Hermes this deletes the rows of
/// its attachments as well; their files are left.
///
/// # Errors
/// Exit 14 for a task that is not archived.
pub fn delete(writer: &mut TaskWriter<'_>, id: &str, any: bool) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    let status = before.field("status").show();
    if !any && status != "archived" {
        return Err(Failure::conflict(format!("task {id} is {status}; only an archived task is deleted."))
            .hint(format!(
                "Archive it first with `kanbanctl archive {}`, or add --any-status.",
                hint::quoted(id)
            ))
            .into());
    }
    let children = link::children(writer.conn(), id)?;
    writer
        .conn()
        .prepare_cached("DELETE FROM task_links WHERE parent_id = ?1 OR child_id = ?1")?
        .execute([id])?;
    let mut files = Vec::new();
    if writer.schema().has("task_attachments", "stored_path") {
        let mut statement = writer
            .conn()
            .prepare_cached("SELECT stored_path FROM task_attachments WHERE task_id = ?1 ORDER BY id")?;
        let paths = statement.query_map([id], |row| row.get::<_, crate::store::field::Field>(0))?;
        for path in paths {
            files.push(path?.show());
        }
    }
    for table in TABLES.iter().filter(|table| writer.schema().tables.contains_key(**table)) {
        writer.conn().prepare_cached(&format!("DELETE FROM {table} WHERE task_id = ?1"))?.execute([id])?;
    }
    writer.conn().prepare_cached("DELETE FROM tasks WHERE id = ?1")?.execute([id])?;
    // Hermes looks at the board after a deletion from any status only.
    let promoted = if any { writer.promote_tasks(&children)? } else { Vec::new() };
    let mut change = TaskChange { id: id.to_owned(), promoted, ..TaskChange::default() };
    if !files.is_empty() {
        change.notes.push(format!("the files of {id}'s attachments are left: {}.", files.join(", ")));
    }
    change.details.insert("former_status".to_owned(), json!(status));
    change.details.insert("task".to_owned(), serde_json::to_value(&before).unwrap_or_default());
    Ok(change)
}
