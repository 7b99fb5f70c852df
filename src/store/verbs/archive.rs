//! `archive`: out of every list, with its history kept.

use serde_json::json;

use crate::failure::Failure;
use crate::process::worker;
use crate::store::run::RunEnd;
use crate::store::verbs::reclaim;
use crate::store::writer::{Refusal, TaskChange, TaskWriter};

const OPEN_RUN: &str = "task archived with run still active";

/// Archive a task: claim and open run end, children that waited for it become ready. A worker's process lives on, and
/// versions that end it get the record that nothing was tried.
///
/// # Errors
/// Exit 14 for a task that is archived already.
pub fn archive(writer: &mut TaskWriter<'_>, id: &str) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    let status = before.field("status").show();
    if status == "archived" {
        return Err(Failure::conflict(format!("task {id} is archived already.")).into());
    }
    writer.release_whole(id, "archived")?;
    let run = writer.end_run(id, &RunEnd::new("reclaimed", "reclaimed", Some(OPEN_RUN)))?;
    writer.event(id, "archived", None, run)?;
    let mut notes = Vec::new();
    if status == "running" {
        let named = writer.worker_of(&before);
        let lock = before.field("claim_lock").text().unwrap_or_default();
        let here = named.as_ref().filter(|_| reclaim::is_of_this_host(lock));
        if let Some((pid, _)) = here.filter(|(pid, start)| worker::is_alive(*pid, start)) {
            notes.push(format!("the worker of {id}, process {pid}, lives on."));
        }
        if writer.version().archive_ends_worker() {
            let report =
                reclaim::termination(named.as_ref().map(|(pid, _)| *pid), lock, worker::Ending::default());
            writer.event(id, "archive_worker_termination", Some(&report), run)?;
        }
    }
    let promoted = writer.promote_children(id)?;
    let mut change = TaskChange { run, promoted, notes, ..writer.changed(id)? };
    change.details.insert("former_status".to_owned(), json!(status));
    Ok(change)
}
