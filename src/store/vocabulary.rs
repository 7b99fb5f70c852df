//! The words that Hermes writes into columns which hold one of a few (docs/board-format.md, 5), those of newer versions among
//! them, and the rows that hold something else.

use rusqlite::Connection;

use super::field::Field;
use super::schema::SchemaReport;
use crate::failure::Outcome;

/// Statuses of a task.
pub const STATUSES: [&str; 9] =
    ["triage", "todo", "scheduled", "ready", "running", "blocked", "review", "done", "archived"];
/// Statuses and outcomes of a run.
pub const RUN_STATUSES: [&str; 19] = [
    "running",
    "done",
    "completed",
    "blocked",
    "scheduled",
    "crashed",
    "timed_out",
    "stale",
    "spawn_failed",
    "gave_up",
    "reclaimed",
    "rate_limited",
    "failed",
    "released",
    "review_requested",
    "changes_requested",
    // What a run has whose task went on to that status.
    "review",
    "ready",
    "todo",
];
/// Kinds of events.
pub const KINDS: [&str; 58] = [
    "created",
    "assigned",
    "promoted",
    "promoted_manual",
    "claim_rejected",
    "claimed",
    "spawned",
    "heartbeat",
    "claim_extended",
    "reclaim_deferred",
    "reclaimed",
    "crashed",
    "protocol_violation",
    "rate_limited",
    "timed_out",
    "stale",
    "spawn_failed",
    "gave_up",
    "respawn_guarded",
    "completed",
    "completion_blocked_hallucination",
    "suspected_hallucinated_references",
    "blocked",
    "dependency_wait",
    "block_loop_detected",
    "unblocked",
    "scheduled",
    "archived",
    "edited",
    "status",
    "reprioritized",
    "commented",
    "linked",
    "unlinked",
    "attached",
    "attachment_removed",
    "specified",
    "decomposed",
    "tip_scratch_workspace",
    "ready",
    "priority",
    "spawn_auto_blocked",
    "review_requested",
    "changes_requested",
    "review_reopened",
    "descendant_invalidated",
    "reconciled",
    "model_override_set",
    "reasoning_effort_set",
    "archive_worker_termination",
    "pr_acceptance",
    "completion_blocked_empty_result",
    "skipped_nonspawnable",
    "terminal_worker_reaped",
    "worker_registered",
    "workspace_cleanup_deferred_shared",
    "recipe_instantiated",
    "imported",
];
/// Kinds of workspaces.
pub const WORKSPACES: [&str; 3] = ["scratch", "worktree", "dir"];
/// What a task can be blocked by.
pub const BLOCKS: [&str; 4] = ["dependency", "needs_input", "capability", "transient"];

/// A column and its words.
type Worded = (&'static str, &'static [&'static str]);

/// The columns that hold one of a few words, by table.
const COLUMNS: [(&str, &[Worded]); 3] = [
    ("tasks", &[("status", &STATUSES), ("workspace_kind", &WORKSPACES), ("block_kind", &BLOCKS)]),
    ("task_runs", &[("status", &RUN_STATUSES), ("outcome", &RUN_STATUSES)]),
    ("task_events", &[("kind", &KINDS)]),
];

/// Rows of one column whose value is none of its words.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How many rows.
    pub rows: u64,
    /// The first of them: id and value.
    pub first: Vec<(String, String)>,
    /// Whether every value looks like a word, as a version that is not known yet could write it.
    pub are_words: bool,
}

/// The values that are none of their column's words, at most `named` rows of each column by name. NULL is none: where it
/// may stand is the table's business.
///
/// # Errors
/// What SQLite says.
pub fn foreign(connection: &Connection, schema: &SchemaReport, named: usize) -> Outcome<Vec<Foreign>> {
    let mut found = Vec::new();
    for (table, columns) in COLUMNS {
        let there: Vec<Worded> =
            columns.iter().copied().filter(|(column, _)| schema.has(table, column)).collect();
        if there.is_empty() || !schema.has(table, "id") {
            continue;
        }
        let mut of_table: Vec<Foreign> = there
            .iter()
            .map(|&(column, _)| Foreign { table, column, rows: 0, first: Vec::new(), are_words: true })
            .collect();
        let mut statement = connection.prepare(&query(table, &there))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (place, (foreign, (_, words))) in of_table.iter_mut().zip(&there).enumerate() {
                let value: Field = row.get(place + 1)?;
                if value.is_null() || value.text().is_some_and(|text| words.contains(&text)) {
                    continue;
                }
                foreign.rows += 1;
                foreign.are_words &= value.text().is_some_and(is_word);
                if foreign.first.len() < named {
                    foreign.first.push((row.get::<_, Field>(0)?.show(), value.show()));
                }
            }
        }
        found.extend(of_table.into_iter().filter(|foreign| foreign.rows > 0));
    }
    Ok(found)
}

/// One look at the table for all of its columns.
fn query(table: &str, columns: &[Worded]) -> String {
    let names: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
    let strange: Vec<String> =
        columns.iter().map(|(column, words)| format!("{column} NOT IN ('{}')", words.join("','"))).collect();
    format!("SELECT id, {} FROM {table} NOT INDEXED WHERE {}", names.join(", "), strange.join(" OR "))
}

/// Lower-case letters, digits and what joins them.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}
