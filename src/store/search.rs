//! Text looked for in titles, bodies, results, comments, summaries and errors.
//!
//! There is no index over text and none is added: one pass over three tables.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde::Serialize;

use super::field::Field;
use super::task::{self, Task};
use crate::failure::Outcome;

/// Columns of a task that a hit is shown with.
pub const COLUMNS: [&str; 6] = ["id", "title", "status", "assignee", "priority", "created_at"];

/// Characters shown on either side of what was found.
const CONTEXT: usize = 40;

/// One place that has the text.
#[derive(Clone, Debug, Serialize)]
pub struct SearchPlace {
    /// `title`, `body`, `result`, `comment`, `summary` or `error`.
    pub field: &'static str,
    /// The row that it stands in: a comment's or a run's.
    pub row: Option<i64>,
    /// The text around it.
    pub excerpt: String,
}

/// A task and where the text is in it.
pub struct SearchHit {
    /// The task, with [`COLUMNS`]; nothing where a comment or run belongs to no task.
    pub task: Option<Task>,
    /// Its id.
    pub id: String,
    /// The places, title first.
    pub places: Vec<SearchPlace>,
}

/// Looks for one text, without regard to case.
struct Needle {
    lower: String,
    is_ascii: bool,
}

impl Needle {
    fn new(text: &str) -> Self {
        Self { lower: text.to_lowercase(), is_ascii: text.is_ascii() }
    }

    /// The condition that SQLite can decide by itself: `LIKE` folds ASCII letters alone.
    fn condition(&self, columns: &[&str]) -> String {
        if !self.is_ascii {
            return "?1 IS NOT NULL".to_owned();
        }
        let like = |column: &&str| format!("{column} LIKE ?1 ESCAPE '\\'");
        columns.iter().map(like).collect::<Vec<_>>().join(" OR ")
    }

    /// What stands around the first place, where there is one.
    fn excerpt(&self, text: &str) -> Option<String> {
        let (at, length) = if self.is_ascii {
            let (text, needle) = (text.as_bytes(), self.lower.as_bytes());
            let at = text.windows(needle.len().max(1)).position(|part| part.eq_ignore_ascii_case(needle))?;
            (at, needle.len())
        } else {
            let at = find_folded(text, &self.lower)?;
            (at.0, at.1 - at.0)
        };
        let before = text.get(..at)?;
        let start = before.char_indices().rev().nth(CONTEXT - 1).map_or(0, |(at, _)| at);
        let after = text.get(at + length..)?;
        let end = after.char_indices().nth(CONTEXT).map_or(text.len(), |(end, _)| at + length + end);
        let mut excerpt = String::new();
        if start > 0 {
            excerpt.push('…');
        }
        excerpt.push_str(text.get(start..end)?);
        if end < text.len() {
            excerpt.push('…');
        }
        Some(excerpt)
    }
}

/// The pattern of `LIKE ... ESCAPE '\'` that finds the text anywhere.
pub fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The bytes of the first part of `text` whose lower case is `lower`.
fn find_folded(text: &str, lower: &str) -> Option<(usize, usize)> {
    let first = lower.chars().next()?;
    let starts = text.char_indices().filter(|(_, c)| c.to_lowercase().next() == Some(first));
    for (start, _) in starts {
        let mut wanted = lower.chars();
        let rest = text.get(start..)?;
        for (offset, character) in rest.char_indices() {
            let mut folded = character.to_lowercase();
            if !folded.all(|one| wanted.next() == Some(one)) {
                break;
            }
            if wanted.as_str().is_empty() {
                return Some((start, start + offset + character.len_utf8()));
            }
        }
    }
    None
}

/// The tasks that have `text` somewhere, newest first; archived ones only where asked for.
pub fn search(
    conn: &Connection,
    text: &str,
    archived: bool,
    limit: Option<usize>,
) -> Outcome<Vec<SearchHit>> {
    let needle = Needle::new(text);
    let mut places: BTreeMap<String, Vec<SearchPlace>> = BTreeMap::new();
    let has_result = conn.column_exists(None, "tasks", "result")?;
    let sources: [(&str, &str, &[SearchedColumn]); 3] = [
        ("tasks", "id", if has_result { &OF_TASKS } else { OF_TASKS.split_at(2).0 }),
        ("task_comments", "task_id", &[("body", "comment")]),
        ("task_runs", "task_id", &[("summary", "summary"), ("error", "error")]),
    ];
    for (table, task, fields) in sources {
        if table != "tasks" && !conn.table_exists(None, table)? {
            continue;
        }
        let columns: Vec<&str> = fields.iter().map(|(column, _)| *column).collect();
        let row = if table == "tasks" { "NULL" } else { "id" };
        let sql = format!(
            "SELECT {task}, {row}, {} FROM {table} WHERE {}",
            columns.join(", "),
            needle.condition(&columns)
        );
        let mut statement = conn.prepare(&sql)?;
        let mut rows = statement.query([like_pattern(&needle.lower)])?;
        while let Some(row) = rows.next()? {
            for (at, (_, field)) in fields.iter().enumerate() {
                let ValueRef::Text(bytes) = row.get_ref(at + 2)? else { continue };
                let Some(excerpt) = needle.excerpt(&String::from_utf8_lossy(bytes)) else { continue };
                let place = SearchPlace { field, row: row.get::<_, Field>(1)?.integer(), excerpt };
                places.entry(row.get::<_, Field>(0)?.show()).or_default().push(place);
            }
        }
    }
    hits(conn, places, archived, limit)
}

/// A column and what a place in it is called.
type SearchedColumn = (&'static str, &'static str);

/// The searched columns of `tasks`; the last one is not on every board.
const OF_TASKS: [SearchedColumn; 3] = [("title", "title"), ("body", "body"), ("result", "result")];

fn hits(
    conn: &Connection,
    places: BTreeMap<String, Vec<SearchPlace>>,
    archived: bool,
    limit: Option<usize>,
) -> Outcome<Vec<SearchHit>> {
    let mut hits = Vec::with_capacity(places.len());
    for (id, places) in places {
        let task = task::select(conn, &COLUMNS, "WHERE id = ?1", &[&id])?.pop();
        let hidden =
            !archived && task.as_ref().is_some_and(|task| task.field("status").text() == Some("archived"));
        if !hidden {
            hits.push(SearchHit { task, id, places });
        }
    }
    let created = |hit: &SearchHit| hit.task.as_ref().and_then(|task| task.field("created_at").integer());
    hits.sort_by(|one, other| created(other).cmp(&created(one)).then_with(|| one.id.cmp(&other.id)));
    hits.truncate(limit.unwrap_or(usize::MAX));
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_in_every_script() {
        let found = |needle: &str, text: &str| Needle::new(needle).excerpt(text);
        assert_eq!(found("QUEUE", "the queue").as_deref(), Some("the queue"));
        assert_eq!(found("straße", "in der STRAßE 7").as_deref(), Some("in der STRAßE 7"));
        assert_eq!(found("ÄRGER", "viel ärger").as_deref(), Some("viel ärger"));
        assert_eq!(found("x", "yyy"), None);
        let long = format!("{}needle{}", "a".repeat(100), "b".repeat(100));
        let cut = found("needle", &long).unwrap();
        assert!(cut.starts_with('…') && cut.ends_with('…') && cut.chars().count() == 88, "{cut}");
    }

    #[test]
    fn wildcards_are_letters() {
        assert_eq!(like_pattern("50%_\\"), "%50\\%\\_\\\\%");
    }
}
