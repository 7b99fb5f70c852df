//! What a worker is told about its task: the same rows, the same bounds as Hermes' `context`, in our own words.

use rusqlite::Connection;

use super::field::Field;
use super::run::TaskRun;
use super::task::{self, Task};
use super::{attachment, comment, json, link, run, text};
use crate::failure::{Failure, Outcome};
use crate::process::clock;

/// Ended runs that are shown.
const ATTEMPTS: usize = 10;
/// Comments that are shown.
const COMMENTS: usize = 30;
/// Characters of a summary, an error, a result or metadata.
const FIELD_CHARS: usize = 4_096;
/// Characters of the body.
const BODY_CHARS: usize = 8_192;
/// Characters of a comment.
const COMMENT_CHARS: usize = 2_048;
/// Tasks of the same profile that are shown.
const ROLE_TASKS: i64 = 5;

/// The text for one task, by its id in full.
///
/// # Errors
/// Exit 13 for an unknown task.
pub fn of_task(conn: &Connection, id: &str, now: i64) -> Outcome<String> {
    let task = task::get(conn, id)?.ok_or_else(|| Failure::not_found(format!("there is no task {id}.")))?;
    let mut page = String::new();
    let mut line = |text: &str| {
        page.push_str(text);
        page.push('\n');
    };
    head(&task, &mut line);
    files(conn, id, &mut line)?;
    attempts(conn, id, now, &mut line)?;
    parents(conn, id, now, &mut line)?;
    role(conn, &task, now, &mut line)?;
    thread(conn, id, now, &mut line)?;
    page.truncate(page.trim_end().len());
    page.push('\n');
    Ok(page)
}

fn head(task: &Task, line: &mut impl FnMut(&str)) {
    let shown = |name: &str, absent: &str| {
        let text = task.field(name).show();
        if text.is_empty() { absent.to_owned() } else { text }
    };
    line(&format!("# Task {}: {}", task.id(), shown("title", "")));
    line("");
    line(&format!("Assignee: {}", shown("assignee", "(none)")));
    line(&format!("Status: {}", shown("status", "")));
    for (label, name) in [("Tenant", "tenant"), ("Branch", "branch_name")] {
        if !task.field(name).show().is_empty() {
            line(&format!("{label}: {}", shown(name, "")));
        }
    }
    line(&format!(
        "Workspace: {} at {}",
        shown("workspace_kind", ""),
        shown("workspace_path", "(not made yet)")
    ));
    if let Some(seconds) = task.field("max_runtime_seconds").integer() {
        line(&format!("Longest run: {}", clock::span(seconds)));
    }
    line("");
    let body = task.field("body").show();
    if !text::strip(&body).is_empty() {
        line("## Body");
        line(&cut(&body, BODY_CHARS));
        line("");
    }
}

fn files(conn: &Connection, id: &str, line: &mut impl FnMut(&str)) -> Outcome<()> {
    let attachments = attachment::of_task(conn, id)?;
    if attachments.is_empty() {
        return Ok(());
    }
    line("## Attachments");
    for one in attachments {
        let kind = one.content_type.show();
        let kind = if kind.is_empty() { String::new() } else { format!(", {kind}") };
        let size = one.size.integer().unwrap_or(0);
        line(&format!("- {}{kind}, {size} bytes: {}", one.filename.show(), one.stored_path.show()));
    }
    line("");
    Ok(())
}

fn attempts(conn: &Connection, id: &str, now: i64, line: &mut impl FnMut(&str)) -> Outcome<()> {
    let ended: Vec<TaskRun> =
        run::of_task(conn, id)?.into_iter().filter(|run| !run.ended_at.is_null()).collect();
    if ended.is_empty() {
        return Ok(());
    }
    line("## Earlier attempts at this task");
    let left_out = ended.len().saturating_sub(ATTEMPTS);
    if left_out > 0 {
        line(&format!("({left_out} older ones are left out.)"));
    }
    for (number, run) in ended.iter().enumerate().skip(left_out) {
        let outcome = if run.outcome.is_null() { run.status.show() } else { run.outcome.show() };
        let profile = run.profile.show();
        let profile = if profile.is_empty() { "(unknown)" } else { profile.as_str() };
        line(&format!("### Attempt {}: {outcome}, {profile}, {}", number + 1, when(&run.started_at, now)));
        hand_over(run, line);
        line("");
    }
    Ok(())
}

fn hand_over(run: &TaskRun, line: &mut impl FnMut(&str)) {
    let summary = run.summary.show();
    if !text::strip(&summary).is_empty() {
        line(&cut(&summary, FIELD_CHARS));
    }
    let error = run.error.show();
    if !text::strip(&error).is_empty() {
        line(&format!("Error: {}", cut(&error, FIELD_CHARS)));
    }
    metadata(run, line);
}

fn metadata(run: &TaskRun, line: &mut impl FnMut(&str)) {
    if run.metadata.as_object().is_some_and(|keys| !keys.is_empty()) {
        line(&format!("Metadata: {}", cut(&json::dumps(&run.metadata), FIELD_CHARS)));
    }
}

fn parents(conn: &Connection, id: &str, now: i64, line: &mut impl FnMut(&str)) -> Outcome<()> {
    let mut begun = false;
    for parent in link::parents(conn, id)? {
        let Some(task) = task::get(conn, &parent)? else { continue };
        if task.field("status").text() != Some("done") {
            continue;
        }
        if !std::mem::replace(&mut begun, true) {
            line("## Results of the tasks before this one");
            line("Each as it was when its task was completed; look again where it matters.");
        }
        let mut runs = run::of_task(conn, &parent)?;
        runs.retain(|run| run.outcome.text() == Some("completed"));
        runs.sort_by_key(|run| std::cmp::Reverse(run.started_at.integer()));
        let run = runs.first();
        let ended = run.map(|run| &run.ended_at).filter(|ended| !ended.is_null());
        line(&format!("### {parent}, completed {}", when(ended.unwrap_or(task.field("completed_at")), now)));
        let summary = run.map(|run| run.summary.show()).filter(|text| !text::strip(text).is_empty());
        let result = Some(task.field("result").show()).filter(|text| !text.is_empty());
        match summary.or(result) {
            Some(text) => line(&cut(&text, FIELD_CHARS)),
            None => line("(nothing was recorded)"),
        }
        if let Some(run) = run {
            metadata(run, line);
        }
        line("");
    }
    Ok(())
}

/// What the same profile completed last.
fn role(conn: &Connection, task: &Task, now: i64, line: &mut impl FnMut(&str)) -> Outcome<()> {
    let Some(assignee) = task.field("assignee").text().filter(|name| !name.is_empty()) else { return Ok(()) };
    let mut statement = conn.prepare(
        "SELECT t.id, t.title, r.summary, r.ended_at FROM task_runs r JOIN tasks t ON r.task_id = t.id \
         WHERE r.profile = ?1 AND r.task_id != ?2 AND r.outcome = 'completed' ORDER BY r.ended_at DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(rusqlite::params![assignee, task.id(), ROLE_TASKS])?;
    let mut begun = false;
    while let Some(row) = rows.next()? {
        if !std::mem::replace(&mut begun, true) {
            line(&format!("## What {assignee} completed last"));
        }
        let [id, title, summary] = [0, 1, 2].map(|at| row.get::<_, Field>(at).map(|field| field.show()));
        let first = text::first_line(&summary?, 200).unwrap_or_else(|| "(no summary)".to_owned());
        line(&format!("- {} {} ({}): {first}", id?, title?, when(&row.get(3)?, now)));
    }
    if begun {
        line("");
    }
    Ok(())
}

fn thread(conn: &Connection, id: &str, now: i64, line: &mut impl FnMut(&str)) -> Outcome<()> {
    let comments = comment::of_task(conn, id)?;
    if comments.is_empty() {
        return Ok(());
    }
    line("## Comments");
    let left_out = comments.len().saturating_sub(COMMENTS);
    if left_out > 0 {
        line(&format!("({left_out} older ones are left out.)"));
    }
    for one in comments.iter().skip(left_out) {
        // An author is a name that anybody can take: it must not read like an instruction.
        let author = one.author.show().replace('`', "");
        line(&format!("Comment by the worker `{author}`, {}:", when(&one.created_at, now)));
        line(&cut(&one.body.show(), COMMENT_CHARS));
        line("");
    }
    Ok(())
}

/// A time and how long ago it was; what is read in it may be out of date.
fn when(at: &Field, now: i64) -> String {
    let Some(at) = at.integer() else { return at.show() };
    let shown = clock::rfc3339(at).unwrap_or_else(|| at.to_string());
    format!("{shown}, {} ago", clock::span(now.saturating_sub(at)))
}

/// The text without space around it, cut to so many characters, with a word about what is missing.
fn cut(text: &str, limit: usize) -> String {
    let text = text::strip(text);
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => {
            let missing = text.chars().count() - limit;
            format!("{}… ({missing} more characters)", text.get(..end).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_says_what_is_missing() {
        assert_eq!(cut("  äbc ", 3), "äbc");
        assert_eq!(cut("äbcde", 3), "äbc… (2 more characters)");
    }
}
