//! The column sets that Hermes' tables have had: what 0.19.0 creates, what it makes of older boards, what newer versions
//! add (board-format.md 2.9 and 10). Needed where the schema is gone, because a record names no columns.

use crate::store::schema::{TABLES, TableFacts};

/// A name and how it is declared.
type Column = (&'static str, &'static str);

/// The columns that 0.19.0 adds to an older `tasks`, in its order, which then is their order on disk.
const MIGRATION: [&str; 21] = [
    "tenant",
    "result",
    "branch_name",
    "project_id",
    "idempotency_key",
    "consecutive_failures",
    "worker_pid",
    "last_failure_error",
    "max_runtime_seconds",
    "last_heartbeat_at",
    "current_run_id",
    "workflow_template_id",
    "current_step_key",
    "skills",
    "max_retries",
    "model_override",
    "goal_mode",
    "goal_max_turns",
    "session_id",
    "block_kind",
    "block_recurrences",
];

/// Columns of older boards that have other names now and stay where they are.
const RENAMED: [Column; 2] = [("spawn_failures", "INTEGER DEFAULT 0"), ("last_spawn_error", "TEXT")];

/// What newer versions append, and after how many of them a version ended.
const NEWER: [(&str, &[Column], &[usize]); 3] = [
    (
        "tasks",
        &[
            ("provider_override", "TEXT"),
            ("reasoning_effort", "TEXT"),
            ("worker_started_at", "INTEGER"),
            ("completion_contract", "TEXT"),
        ],
        &[2, 4],
    ),
    ("task_runs", &[("worker_started_at", "INTEGER")], &[1]),
    (
        "kanban_notify_subs",
        &[
            ("user_id_alt", "TEXT"),
            ("chat_type", "TEXT"),
            ("delivery_mode", "TEXT NOT NULL DEFAULT 'notify'"),
            ("delivery_metadata", "TEXT"),
            ("last_ping_event_id", "INTEGER NOT NULL DEFAULT 0"),
        ],
        &[4, 5],
    ),
];

/// The `CREATE TABLE` texts that give the table `name` each of the column sets it has had, today's first; empty when it is
/// none of Hermes'.
pub(crate) fn texts(name: &str) -> Vec<String> {
    let Some(facts) = TABLES.iter().find(|facts| facts.name == name) else { return Vec::new() };
    let mut sets = older(facts);
    let newer = NEWER.iter().filter(|(table, ..)| *table == name);
    for (_, columns, ends) in newer {
        let longer = ends
            .iter()
            .filter_map(|&end| columns.get(..end))
            .flat_map(|added| sets.iter().map(|set| [set.as_slice(), added].concat()).collect::<Vec<_>>());
        let longer: Vec<_> = longer.collect();
        sets.extend(longer);
    }
    sets.iter().map(|set| text(facts, set)).collect()
}

/// The text of today's table `name` with `more` columns of unknown name behind.
pub(crate) fn text_with_unknown(name: &str, more: usize) -> Option<String> {
    let facts = TABLES.iter().find(|facts| facts.name == name)?;
    let unknown = (1..=more).map(|number| format!("unknown_{}", facts.columns.len() + number));
    let columns = facts.columns.iter().map(|(name, decl)| format!("{name} {decl}")).chain(unknown);
    Some(create(facts, columns))
}

/// The sets up to 0.19.0.
fn older(facts: &TableFacts) -> Vec<Vec<Column>> {
    let mut sets = vec![facts.columns.to_vec()];
    let is_late = |(name, _): &Column| !facts.base.contains(name);
    if facts.name == "tasks" {
        // A board made when the first `there` of them were in Hermes' own text has these at their places.
        for there in (0..MIGRATION.len()).rev() {
            let (early, late) = MIGRATION.split_at(there);
            let created: Vec<_> = facts
                .columns
                .iter()
                .filter(|column| !is_late(column) || early.contains(&column.0))
                .copied()
                .collect();
            let added: Vec<_> = late
                .iter()
                .filter_map(|name| facts.columns.iter().find(|column| column.0 == *name))
                .copied()
                .collect();
            sets.push([created.as_slice(), &added].concat());
            sets.push([created.as_slice(), &RENAMED, &added].concat());
        }
    } else if facts.columns.iter().any(is_late) {
        let (added, created): (Vec<Column>, Vec<Column>) =
            facts.columns.iter().partition(|column| is_late(column));
        sets.push([created, added].concat());
    }
    sets
}

fn text(facts: &TableFacts, columns: &[Column]) -> String {
    create(facts, columns.iter().map(|(name, decl)| format!("{name} {decl}")))
}

fn create(facts: &TableFacts, columns: impl Iterator<Item = String>) -> String {
    let key = facts.primary_key.map(|key| format!("PRIMARY KEY ({key})"));
    let parts: Vec<_> = columns.chain(key).collect();
    format!("CREATE TABLE {} ({})", facts.name, parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_all_columns_of_today() {
        for facts in TABLES {
            for text in texts(facts.name) {
                for (column, decl) in facts.columns {
                    assert!(text.contains(&format!("{column} {decl}")), "{text}");
                }
            }
        }
        assert_eq!(texts("task_links").len(), 1);
        assert_eq!(texts("task_events").len(), 2);
        assert!(texts("plugin").is_empty());
    }
}
