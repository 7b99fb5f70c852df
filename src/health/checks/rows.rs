//! Checks on what the rows say.
//!
//! Responsible for judging the answers of [`crate::store::audit`] and `store::schema`.

use rusqlite::Connection;

use super::Subject;
use crate::board::copies;
use crate::failure::Outcome;
use crate::failure::count::counted;
use crate::failure::hint;
use crate::health::{Depth, Finding, Severity};
use crate::store::{audit, encoding, odd_values, schema as tables, vocabulary};

/// The first commands: for rows whose table is gone, for rows beside code that is not run, for the rest.
const LOST: &str = "kanbanctl recover --dry-run";
const SAVE: &str = "kanbanctl recover --output NEW.db";
const EXPLAIN: &str = "kanbanctl health --explain schema";

/// The most ids that are named in one message.
const NAMED: usize = 5;
/// The most columns of one table that are told one by one.
const MOST_COLUMNS: usize = 3;
/// The most characters of a name or value in a message.
const LONGEST_NAME: usize = 40;

/// Tables and columns that are not as Hermes creates them.
pub(super) fn schema(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let report = tables::check(connection)?;
    let place = subject.inspection.resolved.display().to_string();
    let mut findings = Vec::new();
    let mut add = |severity, message: String, next: &str| {
        findings.push(Finding::new("schema", severity, place.clone(), message).next(next));
    };
    if !report.is_board() {
        add(
            Severity::Error,
            "none of Hermes' tables is there: this is no board, or its schema is lost.".to_owned(),
            LOST,
        );
        return Ok(findings);
    }
    let lists = [
        (Severity::Error, "tables are missing", &report.missing_tables, LOST),
        (
            Severity::Warning,
            "columns are missing; Hermes adds them at its next open",
            &report.missing_columns,
            EXPLAIN,
        ),
        (
            Severity::Warning,
            "indexes are missing; Hermes creates them at its next open",
            &report.missing_indexes,
            EXPLAIN,
        ),
        (Severity::Info, "a newer Hermes adds these at its next open", &report.later, ""),
        (Severity::Warning, "columns are declared otherwise", &report.drifted, EXPLAIN),
        (
            Severity::Error,
            "the board brings code of its own, which is never run; writing is refused",
            &report.active,
            SAVE,
        ),
        (Severity::Info, "tables that no known Hermes has are kept", &report.extra_tables, ""),
        (Severity::Info, "columns that no known Hermes has are kept", &report.extra_columns, ""),
    ];
    for (severity, what, names, next) in lists {
        if !names.is_empty() {
            add(severity, format!("{what}: {}.", names.join(", ")), next);
        }
    }
    Ok(findings)
}

/// Tables that SQLite's check did not look at whole, because it would have run what they bring along.
pub(super) fn left_out(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let mut carriers = tables::carriers(connection)?;
    if subject.terms.depth != Depth::Full {
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
        Finding::new("schema", Severity::Warning, place, message).next(EXPLAIN)
    });
    Ok(found.collect())
}

/// Tables that can take no more rows, or may give one number to two.
pub(super) fn sequences(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let place = subject.inspection.resolved.display().to_string();
    let mut findings = Vec::new();
    let ended = audit::exhausted_sequences(connection)?;
    if !ended.is_empty() {
        let message =
            format!("the numbers of {} have come to their end; nothing can be added.", ended.join(", "));
        findings.push(Finding::new("schema", Severity::Error, place.clone(), message).next(SAVE));
    }
    let lagging = audit::lagging_sequences(connection)?;
    if !lagging.is_empty() {
        let message = format!(
            "sqlite_sequence counts fewer rows than there are in {}; numbers of rows that were deleted may be given out again.",
            lagging.join(", ")
        );
        findings.push(Finding::new("schema", Severity::Warning, place, message).next(SAVE));
    }
    Ok(findings)
}

/// Where what is missing can only come from a copy: there, or to what else can be done.
fn in_a_copy(subject: &Subject, otherwise: &'static str) -> &'static str {
    let own = copies::own_directory(&subject.inspection.resolved);
    if subject.copies.count > 0 || own.is_dir() { LOST } else { otherwise }
}

/// Text that Hermes cannot decode: it then shows no row at all. A quick look is at the tasks alone, which it lists.
pub(super) fn text(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let schema = tables::check(connection)?;
    let next = in_a_copy(subject, "kanbanctl repair --text");
    let mut findings = Vec::new();
    for table in schema.tables.keys().filter(|name| subject.terms.depth == Depth::Full || *name == "tasks") {
        for column in encoding::undecodable(connection, &schema, table, NAMED)? {
            let message = format!(
                "{} text that is not UTF-8, on which Hermes fails: {}.",
                counted(column.rows, "row has", "rows have"),
                listed(column.first.iter().map(|row| short(row)), column.rows)
            );
            findings.push(Finding::new("not-utf8", Severity::Error, column.column, message).next(next));
        }
    }
    Ok(findings)
}

/// Storage classes on which Hermes fails.
pub(super) fn storage_classes(connection: &Connection, _: &Subject) -> Outcome<Vec<Finding>> {
    let schema = tables::check(connection)?;
    let say = |of_table: &[odd_values::Misfit]| {
        let Some(first) = of_table.first() else { return Vec::new() };
        let whole = of_table.len() > MOST_COLUMNS;
        let table = first.column.split('.').next().unwrap_or_default();
        let told = if whole { of_table.get(..1).unwrap_or_default() } else { of_table };
        let of_one = told.iter().map(|misfit| {
            let subject = if whole { table.to_owned() } else { misfit.column.clone() };
            let more =
                if whole { format!(" In {} columns of the table.", of_table.len()) } else { String::new() };
            let message = format!(
                "{} a value of class {} where Hermes expects {}: {}.{more}",
                counted(misfit.rows, "row has", "rows have"),
                misfit.class,
                misfit.expected,
                listed(misfit.first.iter().map(|row| short(row)), misfit.rows)
            );
            Finding::new("storage-class", Severity::Warning, subject, message).next("kanbanctl repair --text")
        });
        of_one.collect::<Vec<_>>()
    };
    let found = odd_values::misfits(connection, &schema, NAMED)?;
    let by_table = found.chunk_by(|one, next| one.column.split('.').next() == next.column.split('.').next());
    Ok(by_table.flat_map(say).collect())
}

/// Rows of which only an index knows.
pub(super) fn gone(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let schema = tables::check(connection)?;
    let all = subject.terms.depth == Depth::Full;
    let say = |gone: odd_values::IndexOnlyRows| {
        let message = format!(
            "{} by the index {} and not in {}: {}. `repair` removes this last trace of them.",
            counted(gone.rows, "row is named", "rows are named"),
            gone.index,
            gone.table,
            listed(gone.first.iter().map(|row| short(row)), gone.rows)
        );
        Finding::new("indexed-but-gone", Severity::Error, gone.table, message).next(LOST)
    };
    Ok(odd_values::indexed_but_gone(connection, &schema, all, NAMED)?.into_iter().map(say).collect())
}

/// Tasks that no Hermes makes.
pub(super) fn never_made(connection: &Connection, _: &Subject) -> Outcome<Vec<Finding>> {
    let schema = tables::check(connection)?;
    let found = odd_values::never_made(connection, &schema)?;
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let message = format!(
        "{} an id or a title that Hermes never makes: {}.",
        counted(found.len() as u64, "task has", "tasks have"),
        listed(found.iter().map(|id| short(id)), found.len() as u64)
    );
    let next = format!("kanbanctl show {}", hint::quoted(first));
    Ok(vec![Finding::new("never-made", Severity::Warning, "tasks", message).next(next)])
}

/// Tasks that are done although nothing completed them.
pub(super) fn done_by_hand(connection: &Connection, _: &Subject) -> Outcome<Vec<Finding>> {
    let schema = tables::check(connection)?;
    let found = odd_values::done_by_hand(connection, &schema)?;
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let message = format!(
        "{} done without an event that says so: {}. Another program set the status; tasks that wait for them stay where they \
         are.",
        counted(found.len() as u64, "task is", "tasks are"),
        listed(found.iter().map(|id| short(id)), found.len() as u64)
    );
    let next = format!("kanbanctl show {}", hint::quoted(first));
    Ok(vec![Finding::new("done-by-hand", Severity::Warning, "tasks", message).next(next)])
}

/// Rows that point nowhere.
pub(super) fn references(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    let next = in_a_copy(subject, "kanbanctl health --explain references");
    let found = audit::dangling(connection, NAMED)?;
    let say = |dangling: audit::Dangling| {
        let first = dangling.first.iter().map(|(row, to)| format!("{} to {}", short(row), short(to)));
        let message = format!(
            "{} to something that is not there: {}.",
            counted(dangling.rows, "row points", "rows point"),
            listed(first, dangling.rows)
        );
        Finding::new("references", Severity::Warning, dangling.from, message).next(next)
    };
    Ok(found.into_iter().map(say).collect())
}

/// Values that no Hermes writes: it passes over such rows. A board of a newer version may have words of its own.
pub(super) fn words(connection: &Connection, _: &Subject) -> Outcome<Vec<Finding>> {
    let schema = tables::check(connection)?;
    let found = vocabulary::foreign(connection, &schema, NAMED)?;
    let say = |foreign: vocabulary::Foreign| {
        let first =
            foreign.first.iter().map(|(row, value)| format!("{} is \"{}\"", short(row), short(value)));
        let message = format!(
            "{} a value that Hermes does not know: {}.",
            counted(foreign.rows, "row has", "rows have"),
            listed(first, foreign.rows)
        );
        let may_be_newer = schema.version.is_newer() && foreign.are_words;
        let severity = if may_be_newer { Severity::Info } else { Severity::Warning };
        let subject = format!("{}.{}", foreign.table, foreign.column);
        let finding = Finding::new("unknown-value", severity, subject, message);
        if may_be_newer { finding } else { finding.next("kanbanctl health --explain unknown-value") }
    };
    Ok(found.into_iter().map(say).collect())
}

/// Running tasks without a live claim.
pub(super) fn stale_running(connection: &Connection, subject: &Subject) -> Outcome<Vec<Finding>> {
    if !connection.table_exists(None, "tasks")? {
        return Ok(Vec::new());
    }
    let stale = audit::stale_running(connection, subject.terms.now)?;
    let Some(first) = stale.first() else {
        return Ok(Vec::new());
    };
    // One whose claim has run out may still have a worker, which a reclaim would end.
    let unclaimed = stale.iter().find(|task| task.expired.is_none() && is_task_id(&task.id));
    let (next, so) = match unclaimed {
        Some(task) => (format!("hermes kanban reclaim {}", hint::quoted(&task.id)), ""),
        None => (
            format!("kanbanctl show {}", hint::quoted(&first.id)),
            " A running Hermes gives them back, unless their workers live.",
        ),
    };
    let message = format!(
        "{} no live claim: {}.{so}",
        counted(stale.len() as u64, "running task has", "running tasks have"),
        listed(stale.iter().map(|task| short(&task.id)), stale.len() as u64)
    );
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
    if ahead.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!(
        "{} silent: {}.",
        counted(
            ahead.len() as u64,
            "subscription is ahead of every event and stays",
            "subscriptions are ahead of every event and stay"
        ),
        listed(ahead.iter().map(|task| short(task)), ahead.len() as u64)
    );
    Ok(vec![
        Finding::new("references", Severity::Warning, "kanban_notify_subs.last_event_id", message)
            .next("kanbanctl health --explain references"),
    ])
}

/// True for an id as Hermes makes them.
fn is_task_id(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.strip_prefix("t_").is_some_and(|rest| rest.len() == 8 && rest.bytes().all(is_digit))
}

/// The first names of `all`, and whether there are more.
fn listed(names: impl Iterator<Item = String>, all: u64) -> String {
    let mut listed = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if all > NAMED as u64 {
        listed.push_str(", ...");
    }
    listed
}

/// A name or value as far as it fits a message: anything may stand on a board.
fn short(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_NAME).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}
