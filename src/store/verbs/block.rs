//! `block`: a task that waits for a person or for another task.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::store::link;
use crate::store::run::RunEnd;
use crate::store::task::Task;
use crate::store::vocabulary::BLOCKS;
use crate::store::writer::{Refusal, TaskChange, TaskWriter, not_in_state};

/// Blocks for the same cause after which a task goes to triage.
const RECURRENCES: i64 = 2;

/// Block a task for a reason of one kind, or of none.
///
/// # Errors
/// Exit 14 for a task that is neither running nor ready.
pub fn block(
    writer: &TaskWriter<'_>,
    id: &str,
    reason: Option<&str>,
    kind: Option<&str>,
) -> Result<TaskChange, Refusal> {
    if kind.is_some_and(|kind| !BLOCKS.contains(&kind)) {
        return Err(Failure::usage(format!("a block is one of {}.", BLOCKS.join(", "))).into());
    }
    let before = writer.task(id)?;
    let version = writer.version();
    let status = before.field("status").text().unwrap_or_default();
    if status == "blocked" && version.classifies_blocks() {
        return classify(writer, &before, id, reason, kind);
    }
    if !matches!(status, "running" | "ready") {
        return Err(not_in_state(id, &before, "blocked", "running or ready").into());
    }
    writer.require_own_run(id)?;
    let source = if status == "running" { writer.retry_status(id)? } else { "ready" };
    let rekinded = version.rekinds_dependency_blocks()
        && kind == Some("dependency")
        && link::satisfied(writer.conn(), id)?;
    let requested = kind;
    let kind = if rekinded { Some("needs_input") } else { kind };
    let same =
        before.field("block_kind").text() == kind && before.field("block_kind").is_null() == kind.is_none();
    let recurrences = if same { before.field("block_recurrences").integer().unwrap_or(0) + 1 } else { 1 };
    let (to, event) = match kind {
        Some("dependency") => ("todo", "dependency_wait"),
        _ if recurrences >= RECURRENCES => ("triage", "block_loop_detected"),
        _ => ("blocked", "blocked"),
    };
    writer.release(id, to)?;
    writer.set(id, &[("block_kind", &kind)])?;
    let mut payload = serde_json::Map::new();
    payload.insert("reason".to_owned(), json!(reason));
    payload.insert("kind".to_owned(), json!(kind));
    if to != "todo" {
        writer.set(id, &[("block_recurrences", &recurrences)])?;
        payload.insert("recurrences".to_owned(), json!(recurrences));
    }
    let limit = ("limit", json!(RECURRENCES), to == "triage");
    let source = ("source_status", json!(source), version.has_review_lane());
    let keys = if version.rekinds_dependency_blocks() { [source, limit] } else { [limit, source] };
    for (key, value, _) in keys.into_iter().filter(|(.., there)| *there) {
        payload.insert(key.to_owned(), value);
    }
    if rekinded {
        payload.insert("requested_kind".to_owned(), json!(requested));
        payload.insert("rekind_reason".to_owned(), json!("no_open_parent"));
    }
    let given = reason.is_some_and(|reason| !reason.is_empty());
    let run = writer.end_or_synthesize_run(id, &RunEnd::new("blocked", "blocked", reason), given)?;
    writer.event(id, event, Some(&Value::Object(payload)), run)?;
    let mut change = TaskChange { run, ..writer.changed(id)? };
    match to {
        "triage" => change.notes.push(format!(
            "{id} went to triage: it was blocked for the same cause before, and needs a decision."
        )),
        "todo" => change.notes.push(format!("{id} waits in todo until its parents are done.")),
        _ if rekinded => {
            change.notes.push(format!("{id} is blocked as needs_input: it waits for no open parent."));
        }
        _ => {}
    }
    change.details.insert("kind".to_owned(), json!(kind));
    Ok(change)
}

/// Give a block that has no kind one, and leave everything else as it is.
fn classify(
    writer: &TaskWriter<'_>,
    before: &Task,
    id: &str,
    reason: Option<&str>,
    kind: Option<&str>,
) -> Result<TaskChange, Refusal> {
    let untyped = before.field("block_kind").is_null() && before.field("current_run_id").is_null();
    let Some(kind) = kind.filter(|_| untyped) else {
        return Err(not_in_state(id, before, "blocked", "running or ready, or blocked without a kind").into());
    };
    if writer.expected_run(id)?.is_some() {
        return Err(not_in_state(id, before, "blocked", "running or ready").into());
    }
    writer.set(id, &[("block_kind", &kind), ("block_recurrences", &1)])?;
    let payload = json!({ "kind": kind, "reason": reason, "classified_in_place": true });
    writer.event(id, "blocked", Some(&payload), None)?;
    let mut change = writer.changed(id)?;
    change.details.insert("kind".to_owned(), json!(kind));
    Ok(change)
}
