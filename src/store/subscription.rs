//! Rows of `kanban_notify_subs`: who is told what happens to a task.

use rusqlite::{Connection, params_from_iter};

use serde::Serialize;

use super::field::Field;
use super::schema::SchemaReport;
use super::writer::TaskWriter;
use crate::failure::{Failure, Outcome};

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

/// One subscription, as Hermes' `notify-list --json` gives it.
#[derive(Clone, Debug, Serialize)]
pub struct Subscription {
    /// The task.
    pub task_id: Field,
    /// Where messages go: the kind of chat.
    pub platform: Field,
    /// The chat.
    pub chat_id: Field,
    /// The thread in it; empty where there is none.
    pub thread_id: Field,
    /// Who asked.
    pub user_id: Field,
    /// The profile whose gateway sends them.
    pub notifier_profile: Field,
    /// Unix seconds.
    pub created_at: Field,
    /// The newest event that was sent.
    pub last_event_id: Field,
}

/// Who is to be told, and how.
#[derive(Clone, Debug, Default)]
pub struct Subscriber {
    /// The kind of chat.
    pub platform: String,
    /// The chat.
    pub chat_id: String,
    /// The thread in it; empty where there is none.
    pub thread_id: String,
    /// Who asks.
    pub user_id: Option<String>,
    /// The same by another name of that platform.
    pub user_id_alt: Option<String>,
    /// `dm`, `group`, `channel` or `thread`.
    pub chat_type: Option<String>,
    /// The profile whose gateway sends them.
    pub notifier_profile: String,
    /// `notify`, `notify+wake` or `wake`.
    pub delivery_mode: Option<String>,
}

/// The subscriptions of one task, or of all.
pub fn list(conn: &Connection, task: Option<&str>) -> Outcome<Vec<Subscription>> {
    if !conn.table_exists(None, "kanban_notify_subs")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare(
        "SELECT task_id, platform, chat_id, thread_id, user_id, notifier_profile, created_at, last_event_id \
         FROM kanban_notify_subs WHERE ?1 IS NULL OR task_id = ?1 ORDER BY rowid",
    )?;
    let rows = statement.query_map([task], |row| {
        Ok(Subscription {
            task_id: row.get(0)?,
            platform: row.get(1)?,
            chat_id: row.get(2)?,
            thread_id: row.get(3)?,
            user_id: row.get(4)?,
            notifier_profile: row.get(5)?,
            created_at: row.get(6)?,
            last_event_id: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Tell somebody what happens to a task. True if that is new; otherwise what was given is put into the row there is.
///
/// # Errors
/// Exit 12 for what the board's version does not know.
pub fn add(writer: &TaskWriter<'_>, task: &str, who: &Subscriber) -> Outcome<bool> {
    let caught_up = writer.version().subscribes_caught_up();
    let newer = [&who.chat_type, &who.delivery_mode, &who.user_id_alt].iter().any(|value| value.is_some());
    if !caught_up && newer {
        return Err(Failure::refused(
            "this board's Hermes knows no kinds of chats and no modes of delivery.",
        )
        .hint("Leave --chat-type, --delivery-mode and --user-id-alt out."));
    }
    let mode = who.delivery_mode.as_deref().unwrap_or(if who.platform == "api_server" {
        "notify+wake"
    } else {
        "notify"
    });
    let chat_type = who.chat_type.as_deref().unwrap_or("dm");
    let now = writer.now();
    let mut columns: Vec<(&str, &dyn rusqlite::ToSql)> = vec![
        ("task_id", &task),
        ("platform", &who.platform),
        ("chat_id", &who.chat_id),
        ("thread_id", &who.thread_id),
        ("user_id", &who.user_id),
        ("notifier_profile", &who.notifier_profile),
        ("created_at", &now),
    ];
    let cursor: i64 = writer
        .conn()
        .prepare_cached("SELECT COALESCE(MAX(id), 0) FROM task_events WHERE task_id = ?1")?
        .query_row([task], |row| row.get(0))?;
    if caught_up {
        columns.push(("user_id_alt", &who.user_id_alt));
        columns.push(("chat_type", &chat_type));
        columns.push(("delivery_mode", &mode));
        columns.push(("last_event_id", &cursor));
    }
    columns.retain(|(column, _)| writer.schema().has("kanban_notify_subs", column));
    let names: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
    let marks: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    let sql = format!(
        "INSERT OR IGNORE INTO kanban_notify_subs ({}) VALUES ({})",
        names.join(", "),
        marks.join(", ")
    );
    let values = columns.iter().map(|(_, value)| *value);
    let new = writer.conn().prepare_cached(&sql)?.execute(params_from_iter(values))? > 0;
    let profile = Some(who.notifier_profile.clone());
    // A name is put where none is; a choice replaces the former one.
    let fills_user = writer.version().collects_with_care();
    for (column, value, fills) in [
        ("chat_type", &who.chat_type, false),
        ("user_id", if fills_user { &who.user_id } else { &None }, true),
        ("user_id_alt", &who.user_id_alt, true),
        ("notifier_profile", &profile, true),
        ("delivery_mode", &who.delivery_mode, false),
    ] {
        let Some(value) = value.as_ref().filter(|value| !value.is_empty()) else { continue };
        let only = if fills { format!(" AND ({column} IS NULL OR {column} = '')") } else { String::new() };
        let sql = format!("UPDATE kanban_notify_subs SET {column} = ?1 WHERE {KEY}{only}");
        writer.conn().prepare_cached(&sql)?.execute(rusqlite::params![
            value,
            task,
            who.platform,
            who.chat_id,
            who.thread_id
        ])?;
    }
    Ok(new)
}

/// The key of a row, behind one value.
const KEY: &str = "task_id = ?2 AND platform = ?3 AND chat_id = ?4 AND thread_id = ?5";

/// Tell somebody no longer. True if there was such a subscription.
pub fn remove(writer: &TaskWriter<'_>, task: &str, who: &Subscriber) -> Outcome<bool> {
    let sql = format!("DELETE FROM kanban_notify_subs WHERE ?1 AND {KEY}");
    let gone = writer.conn().prepare_cached(&sql)?.execute(rusqlite::params![
        true,
        task,
        who.platform,
        who.chat_id,
        who.thread_id
    ])?;
    Ok(gone > 0)
}
