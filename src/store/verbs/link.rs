//! `link` and `unlink`: which task waits for which.

use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::store::writer::{Refusal, TaskChange, TaskWriter};
use crate::store::{link, subscription};

/// Make a task wait for another one.
///
/// # Errors
/// Exit 14 for a task that would wait for itself, by whatever way, and for a running child where Hermes refuses it.
pub fn link(writer: &TaskWriter<'_>, parent: &str, child: &str) -> Result<TaskChange, Refusal> {
    if parent == child {
        return Err(Failure::conflict(format!("task {child} cannot wait for itself.")).into());
    }
    let (above, below) = (writer.task(parent)?, writer.task(child)?);
    let own_run = writer.expected_run(child)?;
    let own = own_run.is_some() && own_run == below.field("current_run_id").integer();
    if writer.version().gates_no_running_child() && below.field("status").text() == Some("running") && !own {
        return Err(Failure::conflict(format!("task {child} is running already and cannot begin to wait."))
            .hint(format!("Wait for it, or take the claim back: `kanbanctl reclaim {child}`."))
            .into());
    }
    if reaches(writer, child, parent)? {
        return Err(Failure::conflict(format!(
            "{parent} waits for {child} already; the two would wait for each other."
        ))
        .hint(format!("`kanbanctl tree {child}` shows the way."))
        .into());
    }
    let existed = link::parents(writer.conn(), child)?.iter().any(|known| known == parent);
    link::insert(writer.conn(), parent, child)?;
    let status = above.field("status").show();
    let finished = status == "done" || (status == "archived" && writer.version().gates_no_running_child());
    let gated = !finished && below.field("status").text() == Some("ready");
    if gated {
        writer.set(child, &[("status", &"todo")])?;
        if writer.version().explains_initial_status() {
            let payload = json!({ "reason": "parent_not_done", "demoted": true, "parent": parent });
            writer.event(child, "dependency_wait", Some(&payload), None)?;
        }
    }
    writer.event(child, "linked", Some(&json!({ "parent": parent, "child": child })), None)?;
    if writer.version().inherits_subscriptions() {
        let from = [parent.to_owned()];
        subscription::inherit(writer.conn(), writer.schema(), child, &from, writer.now())?;
    }
    let mut change = writer.changed(child)?;
    change.details.insert("parent".to_owned(), json!(parent));
    change.details.insert("existed".to_owned(), json!(existed));
    if gated {
        change.notes.push(format!("{child} waits for {parent} now and is no longer ready."));
    }
    Ok(change)
}

/// End a task's waiting for another one; what waits for nothing any more becomes ready.
///
/// # Errors
/// Exit 13 where it does not wait for it.
pub fn unlink(writer: &mut TaskWriter<'_>, parent: &str, child: &str) -> Result<TaskChange, Refusal> {
    let removed = writer
        .conn()
        .prepare_cached("DELETE FROM task_links WHERE parent_id = ?1 AND child_id = ?2")?
        .execute([parent, child])?;
    if removed == 0 {
        return Err(Failure::not_found(format!("task {child} does not wait for {parent}."))
            .hint(format!("`kanbanctl tree {child} --parents` shows what it waits for."))
            .into());
    }
    writer.event(child, "unlinked", Some(&json!({ "parent": parent, "child": child })), None)?;
    let promoted = writer.promote_tasks(&[child.to_owned()])?;
    let mut change = TaskChange { promoted, ..writer.changed(child)? };
    change.details.insert("parent".to_owned(), json!(parent));
    Ok(change)
}

/// True if `to` is `from` or waits for it, over however many tasks.
fn reaches(writer: &TaskWriter<'_>, from: &str, to: &str) -> Outcome<bool> {
    let mut seen = std::collections::BTreeSet::new();
    let mut waiting = vec![from.to_owned()];
    while let Some(task) = waiting.pop() {
        if task == to {
            return Ok(true);
        }
        if seen.insert(task.clone()) {
            waiting.extend(link::children(writer.conn(), &task)?);
        }
    }
    Ok(false)
}
