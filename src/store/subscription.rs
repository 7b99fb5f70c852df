//! Rows of `kanban_notify_subs`: who is told what happens to a task.

use rusqlite::{Connection, params_from_iter};

use super::schema::SchemaReport;
use crate::failure::Outcome;

/// The columns that a child takes over, and the word for a row that has none.
const INHERITED: [(&str, &str); 9] = [
    ("platform", "platform"),
    ("chat_id", "chat_id"),
    ("thread_id", "thread_id"),
    ("user_id", "user_id"),
    ("user_id_alt", "user_id_alt"),
    ("chat_type", "COALESCE(chat_type, 'dm')"),
    ("notifier_profile", "notifier_profile"),
    ("delivery_mode", "COALESCE(delivery_mode, 'notify')"),
    ("delivery_metadata", "delivery_metadata"),
];

/// Copy the subscriptions of some tasks to another one, whose own newest event is where they begin.
pub fn inherit(
    conn: &Connection,
    schema: &SchemaReport,
    task: &str,
    from: &[String],
    now: i64,
) -> Outcome<()> {
    let mut from = from.to_vec();
    from.sort();
    from.dedup();
    if from.is_empty() || !schema.tables.contains_key("kanban_notify_subs") {
        return Ok(());
    }
    let there = INHERITED.iter().filter(|(column, _)| schema.has("kanban_notify_subs", column));
    let (columns, values): (Vec<&str>, Vec<&str>) = there.copied().unzip();
    let marks = (4..from.len() + 4).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT OR IGNORE INTO kanban_notify_subs (task_id, {}, created_at, last_event_id) SELECT ?1, {}, ?2, ?3 \
         FROM kanban_notify_subs WHERE task_id IN ({marks})",
        columns.join(", "),
        values.join(", "),
    );
    let cursor: i64 = conn
        .prepare_cached("SELECT COALESCE(MAX(id), 0) FROM task_events WHERE task_id = ?1")?
        .query_row([task], |row| row.get(0))?;
    let values: [&dyn rusqlite::ToSql; 3] = [&task, &now, &cursor];
    let values = values.into_iter().chain(from.iter().map(|id| id as &dyn rusqlite::ToSql));
    conn.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(())
}
