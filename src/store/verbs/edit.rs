//! `edit`: fields of a task that Hermes keeps as they are given, and the hand-over of a finished one.

use rusqlite::OptionalExtension;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::store::field::Field;
use crate::store::run::{self, RunEnd};
use crate::store::verbs::assign;
use crate::store::writer::{Refusal, TaskChange, TaskWriter};
use crate::store::{json as python, text};

/// Code points of a summary that the event carries.
const SUMMARY_CHARS: usize = 400;

/// What is to be changed; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// Not blank.
    pub title: Option<String>,
    /// The body; `Some(None)` takes it away.
    pub body: Option<Option<String>>,
    /// Higher goes first.
    pub priority: Option<i64>,
    /// The profile; `Some(None)` is nobody.
    pub assignee: Option<Option<String>>,
    /// The result of a task that is done.
    pub result: Option<String>,
    /// The summary of its run; the result where not given.
    pub summary: Option<String>,
    /// A JSON object for its run.
    pub metadata: Option<Value>,
    /// Other columns and their values.
    pub columns: Vec<(&'static str, Sql)>,
}

/// TaskChange fields of a task, with the events that Hermes writes for them.
///
/// # Errors
/// Exit 12 for a column that the board does not have; 14 for a result of a task that is not done, and for an assignee while a worker has the task.
pub fn edit(writer: &TaskWriter<'_>, id: &str, edits: &Edits) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    let done = before.field("status").text() == Some("done");
    if edits.result.is_some() && !done {
        let status = before.field("status").show();
        return Err(Failure::conflict(format!(
            "task {id} is {status}; only a task that is done has a result."
        ))
        .hint(format!("`kanbanctl complete {id} --result TEXT` completes it with one."))
        .into());
    }
    let mut former = Map::new();
    let mut fields: Vec<&str> = Vec::new();
    if let Some(profile) = &edits.assignee {
        former.insert("assignee".to_owned(), json!(before.field("assignee")));
        assign::assign(writer, id, profile.as_deref())?;
    }
    let mut columns: Vec<(&'static str, Sql)> = Vec::new();
    let text = |text: &Option<String>| text.clone().map_or(Sql::Null, Sql::Text);
    if let Some(title) = &edits.title {
        columns.push(("title", Sql::Text(title.clone())));
    }
    if let Some(body) = &edits.body {
        columns.push(("body", text(body)));
    }
    columns.extend(edits.columns.iter().cloned());
    for (column, value) in &columns {
        if !writer.has(column) {
            return Err(Failure::refused(format!("the board's tasks have no column {column}."))
                .hint("A newer Hermes adds it when it opens the board.")
                .into());
        }
        former.insert((*column).to_owned(), json!(before.field(column)));
        fields.push(column);
        writer.set(id, &[(column, value)])?;
    }
    if let Some(priority) = edits.priority {
        former.insert("priority".to_owned(), json!(before.field("priority")));
        writer.set(id, &[("priority", &priority)])?;
        writer.event(id, "reprioritized", Some(&json!({ "priority": priority })), None)?;
    }
    let mut run = None;
    if let Some(result) = &edits.result {
        former.insert("result".to_owned(), json!(before.field("result")));
        writer.set(id, &[("result", result)])?;
        run = Some(hand_over(writer, id, result, edits, &mut former)?);
    } else if !fields.is_empty() {
        // Before 0.22 nothing but the dashboard edits a task, and its event has no payload.
        let plain = fields.iter().all(|field| matches!(*field, "title" | "body"));
        let named = json!({ "fields": fields });
        let silent = plain && !writer.version().edits_open_tasks();
        writer.event(id, "edited", Some(&named).filter(|_| !silent), None)?;
    }
    let mut change = TaskChange { run, ..writer.changed(id)? };
    change.details.insert("former".to_owned(), Value::Object(former));
    Ok(change)
}

/// Put the hand-over into the newest completed run, or into one that is made for it.
fn hand_over(
    writer: &TaskWriter<'_>,
    id: &str,
    result: &str,
    edits: &Edits,
    former: &mut Map<String, Value>,
) -> Result<i64, Refusal> {
    let summary = edits.summary.as_deref().unwrap_or(result);
    let newest: Option<(i64, Field, Field)> = writer
        .conn()
        .prepare_cached(
            "SELECT id, summary, metadata FROM task_runs WHERE task_id = ?1 AND outcome = 'completed' \
             ORDER BY COALESCE(ended_at, started_at, 0) DESC, id DESC LIMIT 1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let run = if let Some((run, old_summary, old_metadata)) = newest {
        former.insert("summary".to_owned(), json!(old_summary));
        writer
            .conn()
            .prepare_cached("UPDATE task_runs SET summary = ?1 WHERE id = ?2")?
            .execute(rusqlite::params![summary, run])?;
        if let Some(metadata) = &edits.metadata {
            former.insert("metadata".to_owned(), old_metadata.json());
            writer
                .conn()
                .prepare_cached("UPDATE task_runs SET metadata = ?1 WHERE id = ?2")?
                .execute(rusqlite::params![python::dumps(metadata), run])?;
        }
        run
    } else {
        let how = RunEnd {
            metadata: edits.metadata.as_ref(),
            ..RunEnd::new("completed", "completed", Some(summary))
        };
        run::synthesize(writer.conn(), writer.schema(), id, &how, writer.now())?
    };
    let mut fields = vec!["result", "summary"];
    fields.extend(edits.metadata.is_some().then_some("metadata"));
    let payload = json!({
        "fields": fields,
        "result_len": result.chars().count(),
        "summary": text::first_line(summary, SUMMARY_CHARS),
    });
    writer.event(id, "edited", Some(&payload), Some(run))?;
    Ok(run)
}
