//! Checks on what the rows say.
//!
//! Responsible for judging the answers of [`crate::store::audit`] and `store::schema`.

use rusqlite::Connection;

use super::Subject;
use crate::failure::Outcome;
use crate::health::{Depth, Finding, Severity};
use crate::hint;
use crate::plural::counted;
use crate::store::{audit, schema as tables};

/// The most ids that are named in one message.
const NAMED: usize = 5;

/// Tables and columns that are not as Hermes creates them.
pub(super) fn schema(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let report = tables::check(connection)?;
    let place = subject.inspection.resolved.display().to_string();
    let mut findings = Vec::new();
    let mut add = |severity, message: String| {
        let next = "kanbanctl health --explain schema";
        findings.push(Finding::new("schema", severity, place.clone(), message).next(next));
    };
    if !report.is_board() {
        add(
            Severity::Error,
            "none of Hermes' tables is there: this is no board, or its schema is lost.".to_owned(),
        );
        return Ok(findings);
    }
    let lists = [
        (Severity::Error, "tables are missing", &report.missing_tables),
        (
            Severity::Warning,
            "columns are missing; Hermes adds them at its next open",
            &report.missing_columns,
        ),
        (
            Severity::Warning,
            "indexes are missing; Hermes creates them at its next open",
            &report.missing_indexes,
        ),
        (Severity::Warning, "columns are declared otherwise", &report.drifted),
        (
            Severity::Error,
            "the board brings code of its own, which is never run; writing is refused",
            &report.active,
        ),
        (Severity::Info, "tables that Hermes 0.19.0 does not know are kept", &report.extra_tables),
        (Severity::Info, "columns that Hermes 0.19.0 does not know are kept", &report.extra_columns),
    ];
    for (severity, what, names) in lists {
        if !names.is_empty() {
            add(severity, format!("{what}: {}.", names.join(", ")));
        }
    }
    Ok(findings)
}

/// Tables that SQLite's check did not look at whole, because it would have run what they bring along.
pub(super) fn left_out(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let mut carriers = tables::carriers(connection)?;
    if subject.depth == Depth::Quick {
        carriers.indexed.clear();
    }
    let lists = [
        ("generated columns", "SQLite's check left them out", carriers.generated),
        (
            "modules of their own",
            "SQLite's check of the file as a whole was left out for them",
            carriers.modules,
        ),
        ("indexes on expressions", "those were not compared with their tables", carriers.indexed),
    ];
    let found = lists.into_iter().filter(|(_, _, names)| !names.is_empty()).map(|(what, so, names)| {
        let place = subject.inspection.resolved.display().to_string();
        let message = format!("tables with {what}, which are never evaluated; {so}: {}.", names.join(", "));
        Finding::new("schema", Severity::Warning, place, message).next("kanbanctl health --explain schema")
    });
    Ok(found.collect())
}

/// Tables that can take no more rows.
pub(super) fn sequences(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let ended = audit::exhausted_sequences(connection)?;
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let message =
        format!("the numbers of {} have come to their end; nothing can be added.", ended.join(", "));
    let place = subject.inspection.resolved.display().to_string();
    Ok(vec![
        Finding::new("schema", Severity::Error, place, message).next("kanbanctl recover --output NEW.db"),
    ])
}

/// Rows that point nowhere.
pub(super) fn references(connection: &Connection, _: &Subject) -> Outcome<Vec<Finding>> {
    let found = audit::dangling(connection)?;
    Ok(found
        .into_iter()
        .map(|dangling| {
            let message = format!(
                "{} to something that is not there.",
                counted(dangling.rows.unsigned_abs(), "row points", "rows point")
            );
            Finding::new("references", Severity::Warning, dangling.from, message)
        })
        .collect())
}

/// Running tasks without a live claim.
pub(super) fn stale_running(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    if !connection.table_exists(None, "tasks")? {
        return Ok(Vec::new());
    }
    let stale = audit::stale_running(connection, subject.now)?;
    if stale.is_empty() {
        return Ok(Vec::new());
    }
    let mut named = stale.iter().take(NAMED).map(|task| task.id.as_str()).collect::<Vec<_>>().join(", ");
    if stale.len() > NAMED {
        named.push_str(", ...");
    }
    let message = format!(
        "{} no live claim: {named}.",
        counted(stale.len() as u64, "running task has", "running tasks have")
    );
    let first = stale.first().map_or("", |task| task.id.as_str());
    let next = format!("kanbanctl show {}", hint::quoted(first));
    Ok(vec![Finding::new("stale-running", Severity::Warning, "tasks", message).next(next)])
}

/// Subscriptions that wait for events that will not come.
pub(super) fn cursors(connection: &Connection, _: &Subject) -> Outcome<Vec<Finding>> {
    if !connection.table_exists(None, "kanban_notify_subs")?
        || !connection.table_exists(None, "task_events")?
    {
        return Ok(Vec::new());
    }
    let ahead = audit::cursors_ahead(connection)?;
    if ahead == 0 {
        return Ok(Vec::new());
    }
    let message = format!(
        "{} silent.",
        counted(
            ahead.unsigned_abs(),
            "subscription is ahead of every event and stays",
            "subscriptions are ahead of every event and stay"
        )
    );
    Ok(vec![Finding::new("references", Severity::Warning, "kanban_notify_subs.last_event_id", message)])
}
